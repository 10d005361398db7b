"""A scripted supervisor and a fake sandbox, so that a keeper can be run against real files."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyrage
import pytest

from agent import vault
from agent.channel import Channel
from agent.examiner import Asked, Round
from agent.keeper import serve
from agent.ledger import Ledger
from agent.line import Ended
from agent.policy import RootFacts
from agent.protocol import (
    Beat,
    ChannelClosed,
    Cursor,
    Done,
    Doubted,
    Folders,
    FoldersAnswer,
    FoldersKnown,
    Go,
    Hello,
    Identity,
    Judged,
    MayPlace,
    MayUnlink,
    Message,
    NotVaulted,
    Orders,
    Outcome,
    Removal,
    Swept,
    Tell,
    Unfinished,
    Unseen,
    UnseenAnswer,
    Vaulted,
    Welcome,
)
from agent.schema import AlertRow, AlertState, Entry, EntryState, RootRow
from agent.volume_facts import VolumeFacts
from config.settings import Handling, Mode, Settings, Zone
from detectors.engine.verdict import Outcome as Kind
from detectors.engine.verdict import Reason, Subject, Tier, Verdict

DIGEST = "d" * 64
GUILTY = b"id,sex,age\n"
LIKELY = Verdict(Kind.MICRODATA, flagged=True, tier=Tier.LIKELY, subject=Subject.PERSON, config_digest=DIGEST)


@pytest.fixture
def identity() -> Any:
    """The private key that opens what `safe` keeps."""
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def safe(tmp_path: Path, identity: Any) -> vault.Vault:
    """An empty vault."""
    for name in ("tmp", "entries"):
        (tmp_path / "vault" / name).mkdir(parents=True)
    return vault.Vault(tmp_path / "vault", [str(identity.to_public())], 0)


@pytest.fixture(autouse=True)
def no_death_by_lease() -> Iterator[None]:
    """A waiting writer is told of by a signal whose default is death."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGIO, before)


class FakeExaminer:
    """Microdata is what begins with `GUILTY`; `act` may do something while a file is examined."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.act: Callable[[int], None] = lambda fd: None
        self.faults: list[Reason] = []
        self.closed = False
        self.lets_go, self.lost = True, False

    def examine(
        self, fd: int, size: int, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> Verdict:
        content = os.read(fd, 1 << 20)
        self.seen.append(content)
        if while_waiting is not None:
            while_waiting()
        self.act(fd)
        if self.faults:
            return Verdict.unreadable(self.faults.pop(0), config_digest=DIGEST)
        if content.startswith(GUILTY):
            return Verdict(
                Kind.MICRODATA, flagged=True, tier=Tier.LIKELY, subject=Subject.PERSON, config_digest=DIGEST
            )
        return Verdict(Kind.NO_RECORDS, config_digest=DIGEST)

    def ask_together(self, files: Sequence[Asked]) -> Round:
        return Round(files, [])

    def hear_together(
        self, asked: Round, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> list[Verdict]:
        """Nobody shares a worker here: each file is left for its turn."""
        return [Verdict.unreadable(Reason.WORKER_UNAVAILABLE, config_digest=DIGEST) for _ in asked.files]

    def give_up(self, asked: Round) -> None:
        pass

    def has_let_go(self, while_waiting: Callable[[], None]) -> bool:
        return self.lets_go

    def is_lost(self, while_waiting: Callable[[], None]) -> bool:
        return self.lost

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeSupervisor:
    """Follows the protocol and remembers all. `before` sees each message first and may answer instead.

    Use as a context manager around a keeper in a thread.
    """

    root: Path
    vault_dir: Path
    identity: Any = field(default_factory=pyrage.x25519.Identity.generate)
    settings: dict[str, Any] = field(default_factory=dict)
    enforce: bool = True
    examiner: FakeExaminer = field(default_factory=FakeExaminer)
    before: Callable[[Message], Message | None] = lambda message: None
    messages: list[Message] = field(default_factory=list)
    seen: set[tuple[Any, ...]] = field(default_factory=set)
    entries: dict[str, Judged] = field(default_factory=dict)
    asides: dict[str, str] = field(default_factory=dict)
    unfinished: list[Unfinished] = field(default_factory=list)
    fault: BaseException | None = None

    def __post_init__(self) -> None:
        for name in ("tmp", "entries"):
            (self.vault_dir / name).mkdir(parents=True, exist_ok=True)

    def welcome(self) -> Welcome:
        plain: dict[str, Any] = {
            "root_id": "root-1",
            "path": str(self.root),
            "zone": "removable",
            "handling": "unrestricted",
            "mode": "enforce",
            "device": self.root.stat().st_dev,
            "vault_dir": str(self.vault_dir),
            "recipients": [str(self.identity.to_public())],
            "settle_seconds": 0.02,
            "quiet_seconds": 0.15,
            "sweep_seconds": 3600.0,
            "examine_seconds": 5.0,
            "reserve_bytes": 0,
            "notice": "{file} was taken: {reference}",
            "vocabulary": [],
            "config_digest": DIGEST,
            "unfinished": self.unfinished,
        }
        return Welcome(**{**plain, **self.settings})

    def answer(self, message: Message) -> Message | None:
        """What a supervisor that takes all microdata would say."""
        match message:
            case Hello():
                return self.welcome()
            case Unseen(files):
                return UnseenAnswer([i for i, f in enumerate(files) if self._key(f) not in self.seen])
            case Judged(identity, verdict):
                self.seen.add(self._key(identity))
                if not (verdict["flagged"] and self.enforce):
                    return Orders("leave")
                entry_id = f"entry-{len(self.entries):06d}"
                self.entries[entry_id] = message
                return Orders("take", entry_id)
            case NotVaulted(entry_id):
                self.seen.discard(self._key(self.entries[entry_id].identity))
                return Done()
            case Vaulted(entry_id):
                self.asides[entry_id] = f".recordwarden-{os.urandom(8).hex()}"
                return Removal("remove", self.asides[entry_id])
            case MayPlace() | MayUnlink():
                return Go(True)
            case Folders(folders):
                return FoldersAnswer(list(range(len(folders))))
            case Outcome() | Swept() | Doubted() | FoldersKnown() | Cursor():
                return Done()
        return None

    @staticmethod
    def _key(identity: Any) -> tuple[Any, ...]:
        return (identity.relpath, identity.ino, identity.size, identity.mtime_ns, identity.ctime_ns)

    def __enter__(self) -> FakeSupervisor:
        self.channel, theirs = Channel.pair()
        self._theirs = theirs
        self.keeper = threading.Thread(target=self._keep, args=(theirs,), daemon=True)
        self._server = threading.Thread(target=self._serve, daemon=True)
        self.keeper.start()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ChannelClosed):
            self.tell("end")
        self.keeper.join(60)
        alive = self.keeper.is_alive()
        self.channel.close()
        self._server.join(60)
        self.keeper.join(60)
        assert not alive, "the keeper did not end when told"
        if self.fault is not None:
            raise self.fault

    def _keep(self, channel: Channel) -> None:
        try:
            serve(channel, lambda welcome: self.examiner)
        except (Ended, ChannelClosed):
            pass
        except BaseException as error:
            self.fault = error
        finally:
            channel.close()

    def _serve(self) -> None:
        with suppress(ChannelClosed, OSError, ValueError):
            while True:
                message = self.channel.receive()
                if message is None:
                    continue
                self.messages.append(message)
                reply = self.before(message) or self.answer(message)
                if reply is not None:
                    self.channel.send(reply)

    def tell(self, do: str) -> None:
        self.channel.send(Tell(do))  # type: ignore[arg-type]

    def hang_up(self) -> None:
        """As if the supervisor had died."""
        import socket

        self.channel.sock.shutdown(socket.SHUT_RDWR)

    def of(self, kind: type) -> list[Any]:
        return [m for m in list(self.messages) if isinstance(m, kind)]

    def wait(self, true: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Until `true()` holds; the last thing heard is in the failure's text."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.fault is not None:
                raise self.fault
            if result := true():
                return result
            time.sleep(0.002)
        heard = [m for m in self.messages if not isinstance(m, Beat)]
        raise AssertionError(f"did not happen; heard {heard[-6:]}")

    def wait_for(self, kind: type, count: int = 1, seconds: float = 60.0) -> list[Any]:
        return self.wait(lambda: len(self.of(kind)) >= count and self.of(kind), seconds)

    def content_of(self, entry_id: str) -> bytes:
        """What a security officer finds in an entry."""
        out = self.vault_dir / f"out-{entry_id}"
        fd = os.open(out, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            vault.decrypt_to(self.vault_dir, entry_id, [self.identity], fd)
        finally:
            os.close(fd)
        return out.read_bytes()

    def vaulted(self) -> set[bytes]:
        return {self.content_of(m.entry_id) for m in vault.manifests(self.vault_dir)}


@pytest.fixture
def supervisor(tmp_path: Path) -> FakeSupervisor:
    """A supervisor for a fresh root, `supervisor.root`; enter it to start a keeper."""
    root = tmp_path / "root"
    root.mkdir()
    return FakeSupervisor(root, tmp_path / "vault")


class Custody:
    """A ledger with one entry in custody (its ciphertext in the vault), two approvers, and a clock."""

    def __init__(self, base: Path, agreed: Any) -> None:
        from agent.authority import Authority

        self.base, self.agreed, self.now = base, agreed, time.time()
        self.settings = Settings(state_dir=base, approvers=agreed.approvers)
        (base / "vault" / "entries").mkdir(parents=True)
        (base / "vault" / "tmp").mkdir()
        self.ledger = Ledger.open(base / "ledger.db")
        for root_id in ("r1", "r2"):
            self.ledger.attach(RootRow(root_id, f"/srv/{root_id}", "shared", "unrestricted"))
        self.entry = Entry(
            "11111111-aaaa", "r1", "/srv/r1/x", Identity("x", 1, 2, 3, 4, 5), EntryState.INTENDED,
            LIKELY.to_json(), {"kind": "quarantined", "proof": ""}, 0, 0, 1.0, 2.0, sha256="ab" * 32,
            ciphertext_sha256="cd" * 32, ciphertext_size=3,
        )  # fmt: skip
        self.take(self.entry)
        self.authority = Authority(self.ledger, lambda: self.settings, lambda: self.now)

    def take(self, entry: Any) -> None:
        self.ledger.intend(entry)
        held = AlertRow(
            f"alert-{entry.entry_id}", "k", "r1", entry.entry_id, entry.path, "quarantined", "policy",
            AlertState.HELD, {"class_uid": 2006, "metadata": {}, "activity_id": 1}, 1.0, 1.0,
        )  # fmt: skip
        self.ledger.commit_custody(
            replace(entry, aside="x", vaulted_at=self.now, alert_id=held.alert_id), held
        )
        self.ledger.conclude(entry.entry_id, EntryState.QUARANTINED, "", True, None, [])
        (self.base / "vault" / "entries" / f"{entry.entry_id}.age").write_bytes(b"age")
        (self.base / "vault" / "entries" / f"{entry.entry_id}.json").write_bytes(b"{}")

    def state(self) -> EntryState:
        found = self.ledger.entry(self.entry.entry_id)
        assert found is not None
        return found.state

    def current(self) -> Any:
        return self.ledger.entry(self.entry.entry_id)

    def place(self, path: str = "/srv/r2/x", handling: str = "restricted", root_id: str = "r2") -> Any:
        from agent.authority import Place

        facts = RootFacts(Zone.SHARED, Handling(handling), Mode.ENFORCE)
        return Place(path, root_id, True, facts, VolumeFacts())

    def events(self) -> list[str]:
        return [e["event"] for _, e in self.ledger.audit_waiting() if not e["event"].startswith("root_")]


@pytest.fixture
def custody(tmp_path: Path, agreed: Any) -> Iterator[Custody]:
    custody = Custody(tmp_path, agreed)
    yield custody
    custody.ledger.close()


@pytest.fixture
def seen():
    """`seen(watcher, until)`: its events until `until(set of (path, change), doubt)`; all of them."""

    def seen(watcher, until):
        events, doubt = set(), set()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            new, doubtful = watcher.take()
            events |= {(e.relpath, e.change) for e in new}
            doubt |= doubtful
            if until(events, doubt):
                return events, doubt
            time.sleep(0.002)
        raise AssertionError(f"only saw {events}, doubt {doubt}")

    return seen
