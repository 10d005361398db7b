"""Custody in two real processes and nothing else, so that thousands of faults can be tried.

`Rig.run` forks the supervisor's side (ledger, audit log, desk, recovery: what `agent.service` wires) and
the keeper of one root, as they are; only the judgement is canned: what begins with `GUILTY` is microdata.
Either may be traced by strace, which counts its system calls or spoils one of them.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyrage

from agent import audit, recovery
from agent.audit import AuditLog
from agent.channel import Channel
from agent.desk import Desk
from agent.examiner import Asked, Round
from agent.keeper import serve
from agent.ledger import Ledger
from agent.line import Ended
from agent.policy import RootFacts, VolumeFacts
from agent.protocol import ChannelClosed, Hello, Swept, Tell, Welcome
from agent.removal import MediumLost
from agent.schema import AlertState, EntryState, RootRow
from agent.service import prepare_state
from agent.telling import Host, Judge, Teller
from agent.volumes import WatchedRoot
from config.settings import Breaker, Handling, Mode, Policy, Settings, Vault, Zone
from detectors.engine.verdict import Outcome, Reason, Subject, Tier, Verdict

GUILTY = b"id,sex,age\n"
ROOT_ID = "root-1"
SINK = "file"
DIGEST = "d" * 64
Side = Literal["keeper", "supervisor"]


def survey(number: int = 1, rows: int = 400) -> bytes:
    return GUILTY + b"".join(b"%d,%d,%d\n" % (n * 7 + number, n % 2 + 1, n % 73 + 16) for n in range(rows))


class CannedExaminer:
    """Reads a little by the offset, as a worker does, and leaves it wherever that is."""

    def examine(
        self, fd: int, size: int, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> Verdict:
        if while_waiting is not None:
            while_waiting()
        if os.read(fd, 4096).startswith(GUILTY):
            return Verdict(
                Outcome.MICRODATA,
                flagged=True,
                tier=Tier.LIKELY,
                subject=Subject.PERSON,
                config_digest=DIGEST,
            )
        return Verdict(Outcome.NO_RECORDS, config_digest=DIGEST)

    def ask_together(self, files: Sequence[Asked]) -> Round:
        return Round(files, [])

    def hear_together(
        self, asked: Round, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> list[Verdict]:
        return [Verdict.unreadable(Reason.WORKER_UNAVAILABLE, config_digest=DIGEST) for _ in asked.files]

    def give_up(self, asked: Round) -> None:
        pass

    def has_let_go(self, while_waiting: Callable[[], None]) -> bool:
        return True

    def is_lost(self, while_waiting: Callable[[], None]) -> bool:
        return False

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Fault:
    """One spoiled call: the `number`-th (from 1) of that name; `error` is an errno's name or "kill"."""

    side: Side
    call: str
    number: int
    error: str

    def __str__(self) -> str:
        return f"{self.side}: {self.call} #{self.number}: {self.error}"


@dataclass
class Rig:
    """`state` and `root` are folders that exist; they may lie on different file systems."""

    state: Path
    root: Path
    identity: Any = field(default_factory=pyrage.x25519.Identity.generate)
    quiet_seconds: float = 0.1
    reserve_mb: int = 0
    capacity_mb: int | None = None
    erase: bool = True
    peak_kb: dict[str, int] = field(default_factory=dict)
    """The largest resident size of each process in the last run."""

    def settings(self) -> Settings:
        return Settings(
            state_dir=self.state,
            policy=Policy(
                mode=Mode.ENFORCE,
                erase=self.erase,
                breaker=Breaker(max_files_per_hour=1_000_000, max_percent=100.0),
            ),
            vault=Vault(
                recipients=(str(self.identity.to_public()),),
                reserve_mb=self.reserve_mb,
                capacity_mb=self.capacity_mb,
            ),
        )

    def watched(self) -> WatchedRoot:
        facts = RootFacts(Zone.REMOVABLE, Handling.UNRESTRICTED, Mode.ENFORCE)
        device = self.root.stat().st_dev
        return WatchedRoot(ROOT_ID, str(self.root), facts, VolumeFacts(), "configured", device=device)

    @property
    def vault(self) -> Path:
        return self.state / "vault"

    # -- the two processes

    def run(
        self,
        finished: Callable[[Ledger], bool] | None = None,
        seconds: float = 60.0,
        traced: Side = "keeper",
        options: list[str] | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> tuple[int, int]:
        """Both until `finished` holds after a sweep (the first one, by default), or `seconds` are over.

        `options` has strace look at the `traced` side from its first call on; `before` runs in each
        child first. Gives the exit codes of supervisor and keeper, negative for a signal.
        """
        ours, theirs = Channel.pair()
        held: Side | None = traced if options is not None else None

        def supervise() -> None:
            theirs.close()
            self._supervise(ours, finished or (lambda ledger: True), time.monotonic() + seconds)

        def keep() -> None:
            ours.close()
            with suppress(Ended, ChannelClosed, MediumLost):
                serve(theirs, lambda welcome: CannedExaminer())

        children = {
            "supervisor": fork_held(supervise, before, held == "supervisor"),
            "keeper": fork_held(keep, before, held == "keeper"),
        }
        ours.close()
        theirs.close()
        tracer = attach_strace(children[traced], options) if options is not None else None
        codes = []
        for side in ("supervisor", "keeper"):
            code, self.peak_kb[side] = wait_and_measure(children[side], seconds + 10)
            codes.append(code)
        if tracer is not None:
            tracer.wait(10)
        return codes[0], codes[1]

    def _supervise(self, channel: Channel, finished: Callable[[Ledger], bool], deadline: float) -> None:
        settings, root = self.settings(), self.watched()
        prepare_state(settings)
        ledger = Ledger.open(self.state / "ledger.db")
        log = AuditLog.open(self.state / "audit.jsonl", ledger)
        recovery.recover(ledger, self.vault)
        teller = Teller(ledger, settings, Judge(frozenset(), DIGEST), Host("host", "host"))
        desk = Desk(ledger, teller, lambda: [SINK])
        facts = root.facts
        ledger.attach(
            RootRow(root.root_id, root.path, facts.zone.value, facts.handling.value, {}, time.time())
        )
        swept = ending = False
        try:
            while True:
                message = channel.receive(0.02)
                if isinstance(message, Hello):
                    channel.send(self._welcome(root, desk))
                elif message is not None:
                    swept = swept or isinstance(message, Swept)
                    answer = desk.answer(root, message)
                    log.drain()
                    if answer is not None:
                        channel.send(answer)
                    ledger.write_intents()
                if not ending and ((swept and finished(ledger)) or time.monotonic() > deadline):
                    ending = True
                    channel.send(Tell("end"))
        except ChannelClosed:
            ledger.write_intents()
            recovery.keeper_lost(ledger, self.vault, ROOT_ID)
        log.drain()
        ledger.close()

    def _welcome(self, root: WatchedRoot, desk: Desk) -> Welcome:
        settings = self.settings()
        return Welcome(
            root_id=root.root_id, path=root.path, zone="removable", handling="unrestricted", mode="enforce",
            device=root.device, vault_dir=str(self.vault), recipients=list(settings.vault.recipients),
            settle_seconds=0.02, quiet_seconds=self.quiet_seconds, sweep_seconds=3600.0, examine_seconds=5.0,
            reserve_bytes=settings.vault.reserve_mb * 1024**2,
            capacity_bytes=(self.capacity_mb or 0) * 1024**2, notice="{file}: {reference}", vocabulary=[],
            config_digest=DIGEST, unfinished=desk.unfinished(ROOT_ID), erase=settings.policy.erase,
            leftovers=desk.leftovers(ROOT_ID),
        )  # fmt: skip

    # -- what is looked at afterwards

    def in_vault(self) -> list[bytes]:
        """What the entries open to, each on its own; one that does not open is left out."""
        found = []
        for path in (self.vault / "entries").glob("*.age"):
            with suppress(pyrage.DecryptError):
                found.append(pyrage.decrypt(path.read_bytes(), [self.identity]))
        return found

    def at_hand(self) -> list[bytes]:
        """Every file below the root."""
        return [Path(where, name).read_bytes() for where, _, names in os.walk(self.root) for name in names]

    def faults_after(self, files: dict[str, bytes], *, recovered: bool) -> list[str]:
        """What is wrong, in words; nothing must be. `files` is what lay in the root, by relative path."""
        wrong = []
        vaulted = self.in_vault()
        for name, content in files.items():
            path = self.root / name
            there = path.is_file() and path.read_bytes() == content
            if content not in vaulted and not (there if recovered else content in self.at_hand()):
                wrong.append(f"{name}: NEITHER at its path nor in the vault")
            if Path(f"{path}.quarantined.txt").exists() and content not in vaulted:
                wrong.append(f"{name}: a notice without custody")
        if recovered:
            wrong += self._untidy(files, vaulted)
        return wrong

    def _untidy(self, files: dict[str, bytes], vaulted: list[bytes]) -> Iterator[str]:
        yield from (f"left in the vault's tmp: {p.name}" for p in (self.vault / "tmp").iterdir())
        aside = [n for w, d, f in os.walk(self.root) for n in (*d, *f) if n.startswith(".recordwarden")]
        yield from (f"left in the root: {name}" for name in aside)
        notices = self.root.rglob("*.quarantined*.txt")
        yield from (f"an empty notice: {path.name}" for path in notices if not path.stat().st_size)
        ledger = Ledger.read_only(self.state / "ledger.db")
        try:
            alerts = ledger.alerts(limit=1000)
            for name in files:
                told = [a for a in alerts if a.path == str(self.root / name)]
                if len(told) != 1 or told[0].state is not AlertState.RELEASED:
                    yield f"{name}: alerts {[(a.state.value, a.disposition, a.reason) for a in told]}"
            stayed = [e.path for e in ledger.entries(states=(EntryState.NOT_REMOVED,))]
            for name, content in files.items():
                # what could not be removed and was tried again is there once for each try
                if vaulted.count(content) > 1 + stayed.count(str(self.root / name)):
                    yield f"{name}: in the vault {vaulted.count(content)} times"
            under_way = (EntryState.INTENDED, EntryState.VAULTED, EntryState.PUT_BACK)
            yield from (f"unfinished: {e.state}" for e in ledger.entries(states=under_way))
            _, faults = audit.verify(self.state / "audit.jsonl", audit.stored_head(ledger))
            yield from (f"audit log: {fault.kind}: {fault.detail}" for fault in faults)
        finally:
            ledger._db.close()


def nothing_open(root: Path, names: list[str]) -> Callable[[Ledger], bool]:
    """When recovery may end: nothing is under way, and each file is gone or was told to stay."""

    def finished(ledger: Ledger) -> bool:
        if ledger.entries(states=(EntryState.INTENDED, EntryState.VAULTED, EntryState.PUT_BACK)):
            return False
        left = {str(root / name) for name in names if (root / name).exists()}
        told = {a.path for a in ledger.alerts(limit=1000) if a.disposition in ("not_removed", "error")}
        return left <= told

    return finished


# --- processes and their tracer


def fork_held(work: Callable[[], None], before: Callable[[], None], held: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        if held:
            os.kill(os.getpid(), signal.SIGSTOP)
        before()
        work()
        code = 0
    except BaseException as error:
        if os.environ.get("RIG_TALKS"):
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def attach_strace(pid: int, options: list[str]) -> subprocess.Popen[bytes]:
    """strace on a child that waits for it; the child goes on as soon as it is attached."""
    os.waitpid(pid, os.WUNTRACED)
    tracer = subprocess.Popen(["strace", "-qq", "-p", str(pid), *options], stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{pid}/status")
    while "TracerPid:\t0" in status.read_text():
        if tracer.poll() is not None:
            raise AssertionError("strace did not attach")
        time.sleep(0.002)
    time.sleep(0.02)
    os.kill(pid, signal.SIGCONT)
    return tracer


def wait_for(pid: int, seconds: float) -> int:
    """The exit code, negative for a signal."""
    return wait_and_measure(pid, seconds)[0]


def wait_and_measure(pid: int, seconds: float) -> tuple[int, int]:
    """(exit code, peak resident size in kB)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status, used = os.wait4(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), used.ru_maxrss
        time.sleep(0.003)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("a process of the rig hangs")


CALL = re.compile(r"(\w+)\(")
FIRST, LAST = {"keeper": "Welcome", "supervisor": "Judged"}, "Swept"
"""What is said when custody begins (for the keeper: before it opens anything) and when it has ended."""

ERRORS = ("ENOSPC", "EIO", "EROFS", "EACCES", "ENODEV", "ESTALE", "EINTR")
OF_FILES = frozenset({
    "open", "openat", "openat2", "open_tree", "close", "read", "pread64", "write", "pwrite64", "fsync",
    "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir",
    "mkdirat", "rmdir", "stat", "fstat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "lseek",
    "fcntl", "ftruncate", "fallocate", "fchmod", "fchown", "utimensat", "getdents64", "flistxattr",
    "fgetxattr", "dup",
})  # fmt: skip
"""Calls that a medium or a disk can fail; any call may be the last before a kill."""


def points(side: Side, trace: Path) -> list[Fault]:
    """Every fault that can be tried on the calls of custody, out of the trace of a whole run."""
    counts: dict[str, int] = {}
    found: list[Fault] = []
    inside = False
    for line in trace.read_text(errors="replace").splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        call = match[1]
        counts[call] = counts.get(call, 0) + 1
        inside = (inside or FIRST[side] in line) and LAST not in line
        if inside:
            errors = ("kill", *ERRORS) if call in OF_FILES else ("kill",)
            found += [Fault(side, call, counts[call], error) for error in errors]
    return found


def injection(fault: Fault, log: Path) -> list[str]:
    """The options of strace that bring it about."""
    how = "signal=KILL" if fault.error == "kill" else f"error={fault.error}"
    name = fault.call
    return ["-o", str(log), "-e", f"trace={name}", "-e", f"inject={name}:{how}:when={fault.number}"]
