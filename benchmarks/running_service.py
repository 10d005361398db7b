"""A running service in a folder of its own, and made-up files to put in front of it.

Used by the benchmarks and by `tests/flow`. `RunningService` drives `recordwarden run` as a process
and looks at it from outside only: the command, the control socket, the alert file, the vault on
disk, /proc.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pyrage
import pyzipper

from agent.escape import escape

ROLES = {
    "keeper": "agent.keeper",
    "holder": "agent.holder",
    "template": "detectors.engine.template",
    "courier": "agent.courier",
}


def until(ready: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """What `ready` gives as soon as it is true; fails the test when that takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := ready():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value if isinstance(value, bool | int | float) else str(value))


class RunningService:
    """`recordwarden run` with its configuration, state, key and alerts under one folder."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.state, self.config = base / "state", base / "config.toml"
        self.alert_file, self.log_file = base / "alerts.jsonl", base / "service.log"
        self.identity = pyrage.x25519.Identity.generate()
        self.key_file = base / "key.txt"
        self.key_file.write_text(f"{self.identity}\n")
        self.settings: dict[str, dict[str, Any]] = {
            "policy": {"mode": "enforce", "first_contact": "enforce"},
            "vault": {"recipients": [str(self.identity.to_public())], "reserve_mb": 1},
            "watch": {"quiet_seconds": 0.5},
            "watch.volumes": {"removable": False, "shares": False},
            "policy.breaker": {"max_files_per_hour": 100_000, "max_percent": 100.0},
            "alerts": {"retry_seconds": 0.5, "own_disk": False},
            "governor": {
                "nice": 0,
                "io_class": "none",
                "pause_above_cpu_percent": 100,
                "pause_on_battery": False,
            },
            "alerts.file": {"path": self.alert_file},
            "service": {"restart_seconds": 0.2},
        }
        self.roots: list[dict[str, Any]] = []
        self.stanzas = ""
        self.python = sys.executable
        self.user: int | None = None
        self.traced = False
        self.process: subprocess.Popen[bytes] | None = None

    def root(self, name: str = "root", **keys: Any) -> Path:
        """A new watched folder under the base."""
        path = self.base / name
        path.mkdir(exist_ok=True)
        path.chmod(0o777)
        self.roots.append({"path": path, **keys})
        return path

    def configure(self) -> None:
        lines = [f"state_dir = {toml(self.state)}"]
        for section, keys in self.settings.items():
            lines += [f"[{section}]", *(f"{k} = {toml(v)}" for k, v in keys.items())]
        for root in self.roots:
            lines += ["[[watch.roots]]", *(f"{k} = {toml(v)}" for k, v in root.items())]
        self.config.write_text("\n".join(lines) + "\n" + self.stanzas)

    def start(self, before: Sequence[str] = (), wait: bool = True) -> None:
        """Start it and wait until every root has been swept once; `before` is put before the command."""
        self.configure()
        self.traced = bool(before)
        command = [*before, self.python, "-I", "-m", "agent", "run", "--config", str(self.config)]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                **self.as_user(),
            )  # fmt: skip
        if wait:
            until(self.swept, f"the service is up\n{self.log()}", 90)

    def swept(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"the service ended with {self.process.returncode}:\n{self.log()}")
        status = self.status()
        return status is not None and all(r.get("swept") for r in status["roots"])

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        if arguments and arguments[0] not in ("keys",) and "--config" not in arguments:
            arguments = (*arguments, "--config", str(self.config))
        return subprocess.run(
            [self.python, "-I", "-m", "agent", *arguments],
            capture_output=True, text=True, check=False, timeout=120, **self.as_user(),
        )  # fmt: skip

    def as_user(self) -> dict[str, Any]:
        """What makes a child process run as `user`, in a folder that everybody may enter."""
        if self.user is None:
            return {}
        env = {"PATH": os.environ["PATH"], "HOME": str(self.base), "LANG": "C.UTF-8"}
        return {"user": self.user, "group": self.user, "extra_groups": [], "cwd": self.base, "env": env}

    def ask(self, command: str, **arguments: Any) -> Any:
        """The result of one command on the control socket; None while there is no service."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(20)
                line.connect(str(self.state / "control.sock"))
                line.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
                answer = json.loads(line.makefile("rb").readline() or b"{}")
        except OSError:
            return None
        return answer["result"] if answer.get("ok") else None

    def status(self) -> dict[str, Any] | None:
        return self.ask("status")

    def stop(self) -> None:
        """The orderly end; killed when that takes too long."""
        if self.process is None:
            return
        if self.traced:  # a tracer that is ended lets its child run on; the other way round both end
            for child in psutil.Process(self.process.pid).children():
                child.terminate()
        else:
            self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self, role: str = "supervisor") -> bool:
        """`kill -9` one process of a role; True if there was one."""
        victims = self.processes(role)
        if not victims:
            return False
        try:
            random.choice(victims).send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return False
        if role == "supervisor" and self.process is not None:
            self.process.wait(10)
        return True

    def processes(self, role: str) -> list[psutil.Process]:
        """Living processes of a role: supervisor, keeper, template, courier, worker."""
        try:
            supervisor = psutil.Process(self.process.pid) if self.process else None
            if supervisor is None or role == "supervisor":
                return [supervisor] if supervisor else []
            children = supervisor.children()
            if role == "worker":
                return [w for t in children if self._is(t, "template") for w in t.children()]
            return [c for c in children if self._is(c, role)]
        except psutil.Error:
            return []

    @staticmethod
    def _is(process: psutil.Process, role: str) -> bool:
        try:
            return ROLES[role] in process.cmdline()
        except psutil.Error:
            return False

    def alerts(self, file: Path | str | None = None) -> list[dict[str, Any]]:
        """The records in the alert file; with `file`, those in which its path (or its end) occurs."""
        if not self.alert_file.exists():
            return []
        text = self.alert_file.read_text()  # its last line may be half written
        records = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        if file is None:
            return records
        forms = {json.dumps(form)[1:-1] for form in (str(file), escape(str(file)))}
        return [r for r in records if any(form in json.dumps(r) for form in forms)]

    def alert_ids(self) -> set[str]:
        return {r["finding_info"]["uid"] for r in self.alerts()}

    def entries(self) -> list[dict[str, Any]]:
        done = self.command("quarantine", "list", "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def vault_digests(self) -> dict[str, str]:
        """sha256 of what each vault entry opens to, by entry id, with the key and age alone."""
        found = {}
        for file in (self.state / "vault" / "entries").glob("*.age"):
            found[file.stem] = sha256(pyrage.decrypt(file.read_bytes(), [self.identity]))
        return found

    def caught(self, file: Path, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the notice of `file` stands in its place, and its alert is in the alert file.

        The file need not be there yet: a notice is the sign that it came and was taken.
        """
        notice = file.with_name(file.name + ".quarantined.txt")
        until(notice.exists, f"a notice for {file.name}\n{self.log()}", seconds)
        assert not file.exists()
        records = until(lambda: self.alerts(file), f"an alert about {file.name}", seconds)
        return dict(records[-1])

    def settled(self, quiet: float = 0.0) -> None:
        """Wait until nothing is under way any more: an empty backlog, and a sweep that began after now."""
        now = time.time()
        self.ask("sweep")
        until(lambda: self._swept_since(now), "a sweep that began after now", 120)
        time.sleep(quiet)

    def _swept_since(self, moment: float) -> bool:
        status = self.status()
        return status is not None and all(
            r["swept"] and r["swept"]["started_at"] >= moment and not r["backlog"] for r in status["roots"]
        )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class MadeUp:
    """Files about nobody: each call gives bytes; the same seed gives the same bytes."""

    wait = staticmethod(until)
    digest = staticmethod(sha256)

    @staticmethod
    def survey(rows: int = 400, seed: int = 1, columns: Sequence[str] = (), mark: str = "") -> bytes:
        """A pseudonymised survey: coded answers, one person a row, no name anywhere."""
        chance = random.Random(seed)
        names = [
            "caseno",
            "sex",
            "age",
            "region",
            "marstat",
            "empstat",
            "hours",
            "paygross",
            "health",
            "weight",
        ]
        out = io.StringIO()
        out.write(",".join([*names, *columns]) + "\r\n")
        for number in range(rows):
            cells = [
                100_000 + number * 7 + chance.randrange(7), chance.randint(1, 2), chance.randint(16, 89),
                chance.randint(1, 12), chance.randint(1, 6), chance.choice([1, 1, 1, 2, 3, 4, 5]),
                chance.choice(["", 37, 40, 16, 22, 35, 48]), chance.randint(60, 1900),
                chance.choice([1, 1, 2, 2, 3, 4, 5, -9]), f"{chance.uniform(0.3, 3.1):.4f}",
            ]  # fmt: skip
            out.write(",".join(map(str, [*cells, *([mark] * len(columns))])) + "\r\n")
        return out.getvalue().encode()

    @staticmethod
    def survey_of(size: int, seed: int = 1) -> bytes:
        """A survey of about `size` bytes."""
        row = len(MadeUp.survey(200, seed)) / 200
        return MadeUp.survey(int(size / row), seed)

    @staticmethod
    def statistics() -> bytes:
        """A published-style table: totals by rank and year, rounded, with notes."""
        lines = [
            '"Table 3: Trained strength of the service by rank, 1 April 2019 to 2024"', "",
            "Rank,2019,2020,2021,2022,2023,2024",
        ]  # fmt: skip
        ranks = [("Officers", 13_440), ("Sergeants", 9_870), ("Corporals", 21_350), ("Privates", 33_120)]
        for name, base in ranks:
            lines.append(",".join([name, *(f'"{base + 10 * ((i * 37) % 29):,}"' for i in range(6))]))
        totals = [sum(base + 10 * ((i * 37) % 29) for _, base in ranks) for i in range(6)]
        lines.append(",".join(["Total", *(f'"{t:,}"' for t in totals)]))
        lines += ["", '"1. Figures have been rounded to 10; totals may not sum."', '"Source: made up."']
        return ("\r\n".join(lines) + "\r\n").encode()

    @staticmethod
    def photo() -> bytes:
        """A PNG of noise."""
        noise = random.Random(7).randbytes(64 * (1 + 64 * 3))
        pixels = b"".join(b"\0" + noise[i * 192 : i * 192 + 192] for i in range(64))

        def chunk(kind: bytes, body: bytes) -> bytes:
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(pixels))
            + chunk(b"IEND", b"")
        )

    @staticmethod
    def aes_zip(content: bytes, name: str = "extract.csv") -> bytes:
        """A zip whose only member is encrypted with AES-256."""
        out = io.BytesIO()
        with pyzipper.AESZipFile(
            out, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
        ) as archive:
            archive.setpassword(b"correct horse battery staple")
            archive.writestr(name, content)
        return out.getvalue()


def put(path: Path, content: bytes) -> Path:
    """Write a file as a program does: create, write, close."""
    with path.open("wb") as file:
        file.write(content)
    return path
