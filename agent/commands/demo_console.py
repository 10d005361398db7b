"""The demo's review console: the program that `recordwarden console` is, on a free port, with one account."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from agent.commands.demo_service import DemoFailed, end

PERSON = "demo"
ROLES = ("analyst", "administrator", "auditor")
_UP_SECONDS = 60.0
_CONFIG = """
[alerts.console]
url = "{url}"
key_file = "{base}/console-key.pem"

[console]
folder = "{base}/console"
port = {port}
"""


class DemoConsole:
    """Below `base`: `console/` has its database. `config` is the demo's configuration, to which it adds."""

    def __init__(self, base: Path, config: Path) -> None:
        self._base, self._config = base, config
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.password = secrets.token_urlsafe(9)

    def start(self) -> None:
        """Let the account and the workstation in, and begin to serve. Raises `DemoFailed`."""
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        with self._config.open("a") as config:
            config.write(_CONFIG.format(base=self._base, url=self.url, port=port))
        as_roles = [word for role in ROLES for word in ("--role", role)]
        self._run("console", "user", "add", PERSON, *as_roles, "--password-stdin", given=self.password)
        token = self._base / "token"
        token.touch(mode=0o600)
        token.write_text(self._run("console", "agent", "token"))
        with (self._base / "console.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("console"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_answers(port)
        self._run("enrol", "--token-file", str(token))
        token.unlink()

    def stop(self) -> None:
        """End it in order."""
        end(self._process)
        self._process = None

    def _wait_until_it_answers(self, port: int) -> None:
        deadline = time.monotonic() + _UP_SECONDS
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise DemoFailed(f"the console did not come up: see {self._base}/console.log")

    def _run(self, *words: str, given: str = "") -> str:
        done = subprocess.run(
            self._command(*words),
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=_UP_SECONDS,
        )
        if done.returncode:
            raise DemoFailed(f"recordwarden {words[0]}: {done.stderr.strip().splitlines()[:1]}")
        return done.stdout

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-I", "-m", "agent", *words, "--config", str(self._config)]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
