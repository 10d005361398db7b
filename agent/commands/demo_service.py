"""The demo's own service: the very process that `recordwarden run` is, in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from agent.commands.asking import ask
from agent.commands.keys import write_identity
from agent.errors import NotPermitted, NotRunning
from config.load import load
from config.settings import Settings

T = TypeVar("T")

_UP_SECONDS = 60.0
_END_SECONDS = 15.0

_CONFIG = """# The configuration of a demo. All else is as shipped: see `recordwarden config show --defaults`.
state_dir = "{base}/state"

[[watch.roots]]
path = "{base}/returns"
zone = "shared"

[watch]
quiet_seconds = 0.5

[watch.volumes]
removable = false
shares = false

[policy]
mode = "enforce"
contact = "the security team of the demo"

[governor]
pause_above_cpu_percent = 100
pause_on_battery = false

[vault]
recipients = ["{recipient}"]
reserve_mb = 16

[alerts]
own_disk = false

[alerts.file]
path = "{base}/alerts.jsonl"
"""


class DemoFailed(Exception):
    """The demo's service did not do what it is there for; the text says what its log says."""


class DemoService:
    """Below `base`: `returns/` is watched, `identity.txt` is the key, `alerts.jsonl` are the alerts."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.config, self.watched = base / "config.toml", base / "returns"
        self.identity, self.alerts = base / "identity.txt", base / "alerts.jsonl"
        self.log = base / "service.log"
        self.settings = Settings()
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> str:
        """Make the folders, the key and the configuration; gives back the recipient."""
        self.watched.mkdir()
        recipient = write_identity(self.identity)
        self.config.write_text(_CONFIG.format(base=self.base, recipient=recipient))
        self.settings = load(self.config)
        return recipient

    def start(self) -> None:
        """Start the service; it goes on coming up while other things are done."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "agent", "run", "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # the keyboard's interrupt is for the demo, which then ends it
            )

    def wait_until_up(self) -> dict[str, Any]:
        """The first status in which the root has been swept; raises `DemoFailed`."""
        return self._until(self._first_sweep, _UP_SECONDS, "come up")

    def judge_all(self) -> None:
        """Return when every file that is there now has been judged."""
        now = time.time()
        ask(self.settings, "sweep")
        self._until(lambda: self._swept_since(now), _UP_SECONDS, "judge its files")

    def entry_of(self, file: Path) -> dict[str, Any]:
        """The entry in custody that came from `file`."""

        def concluded() -> dict[str, Any] | None:
            entries: list[dict[str, Any]] = ask(self.settings, "entries", states=["quarantined"])
            return next((e for e in entries if e["path"] == str(file)), None)

        return self._until(concluded, _UP_SECONDS, f"conclude the custody of {file.name}")

    def stop(self) -> None:
        """End the service in order."""
        end(self._process)
        self._process = None

    def wait(self) -> int:
        """Until the service ends by itself; its exit code."""
        return self._process.wait() if self._process else 0

    def _status(self) -> dict[str, Any] | None:
        try:
            status: dict[str, Any] = ask(self.settings, "status")
            return status
        except (NotRunning, NotPermitted):
            return None

    def _first_sweep(self) -> dict[str, Any] | None:
        status = self._status()
        return status if status and status["roots"] and all(r["swept"] for r in status["roots"]) else None

    def _swept_since(self, moment: float) -> bool:
        status = self._status()
        return status is not None and all(
            r["swept"] and r["swept"]["started_at"] >= moment and not r["backlog"] for r in status["roots"]
        )

    def _until(self, ready: Callable[[], T | None], seconds: float, what: str) -> T:
        deadline = time.monotonic() + seconds
        while not (found := ready()):
            if self._process is not None and self._process.poll() is not None:
                raise DemoFailed(f"the service ended: {self._last_words()}")
            if time.monotonic() > deadline:
                raise DemoFailed(f"the service did not {what} within {seconds:.0f} s: {self._last_words()}")
            time.sleep(0.02)
        return found

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def end(process: subprocess.Popen[bytes] | None) -> None:
    """End a process of the demo in order, if there is one; kill it if it does not."""
    if process is None:
        return
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
