"""Who works on a file besides the keeper: the supervisor, the sandbox and the vault, as verbs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, Protocol, TypeVar

from agent import fscrypt, notice, others, removal
from agent.erasures import Erasures
from agent.examiner import Asked, Round
from agent.finishing import finish
from agent.foresight import Foresight
from agent.lease import WriteLease
from agent.opening import CannotOpen, OpenedFile, RootFolder, identity_of
from agent.protocol import (
    Done,
    Erased,
    Go,
    Identity,
    Judged,
    MayPlace,
    MayUnlink,
    Message,
    NotVaulted,
    Orders,
    Outcome,
    Passed,
    Removal,
    Unfinished,
    Unseen,
    UnseenAnswer,
    Vaulted,
    Welcome,
)  # fmt: skip
from agent.removal import Ending
from agent.sealing import Sealed, Source
from agent.settling import Settling
from agent.streams import DepositFailed
from agent.vault import Deposit, Vault
from agent.watcher import FileEvent
from detectors.engine.exchange import Allowance
from detectors.engine.verdict import PASSING_FAULTS, Reason, Verdict
from detectors.engine.verdict import Outcome as Judgement

EMPTY_TYPE = "application/x-empty"

Answer = TypeVar("Answer", bound=Message)


class Ask(Protocol):
    """Send a message to the supervisor and wait for its answer."""

    def __call__(self, message: Message, answer: type[Answer]) -> Answer: ...


class Examines(Protocol):
    """The sandbox: a descriptor in, a verdict out; it never raises for a fault of its own."""

    def examine(
        self, fd: int, size: int, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> Verdict: ...

    def ask_together(self, files: Sequence[Asked]) -> Round: ...

    def hear_together(
        self, asked: Round, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> list[Verdict]: ...

    def give_up(self, asked: Round) -> None: ...

    def has_let_go(self, while_waiting: Callable[[], None]) -> bool:
        """Whether no worker has the file any more that was examined last."""

    def is_lost(self, while_waiting: Callable[[], None]) -> bool: ...

    def close(self) -> None:
        """Hang up; whatever still works for us is killed."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one sighting; `reason` says why the file was not (fully) examined."""

    step: Literal["seen", "done", "later"]
    reason: Reason | None = None


SEEN = Fate("seen")
DONE = Fate("done")


def later(reason: Reason | None) -> Fate:
    """It is still being written, or a fault may pass: try again."""
    return Fate("later", reason)


class Crew:
    """The root is there only between `arrive` and `leave`.

    `breathe` is called often during long work, and raises when that must end; `is_calm` says that no other
    file waits.
    """

    def __init__(
        self,
        welcome: Welcome,
        ask: Ask,
        breathe: Callable[[], None],
        examiner: Examines,
        vault: Vault | None,
        is_calm: Callable[[], bool] = lambda: False,
    ) -> None:
        self.welcome = welcome
        self.ask = ask
        self.breathe = breathe
        self.examiner = examiner
        self.vault = vault
        self._is_calm = is_calm
        self._ahead: Sealed | None = None
        self._settling = Settling()
        self.missing: set[str] = set()
        """Protections that are not to be had here, as `config.settings.Protection` values."""
        self._root: RootFolder | None = None
        self._foresight = Foresight(
            examiner,
            self._hear_together,
            lambda question: ask(question, UnseenAnswer),
            lambda judged: ask(Passed([*judged]), Done),
        )
        self.erasures = Erasures(welcome.erase, breathe, lambda entry_id: ask(Erased(entry_id), Done))

    @property
    def root(self) -> RootFolder:
        """The root that is open now."""
        if self._root is None:
            raise RuntimeError("the root is not open")
        return self._root

    @property
    def has_root(self) -> bool:
        return self._root is not None

    def arrive(self, root: RootFolder) -> None:
        """The root was opened; it is closed by `leave`."""
        self._root = root
        self.missing -= {"private_mount", "openat2"}
        if not root.private:
            self.missing.add("private_mount")
        if not root.whole:
            self.missing.add("openat2")

    def leave(self) -> None:
        """Let go of the root. A second call does nothing."""
        self._foresight.forget()
        self._ahead = None
        if self._root is not None:
            self._root.close()
            self._root = None

    def close(self) -> None:
        """Let go of everything; a worker that is busy for us is killed."""
        self.leave()
        self.erasures.close()
        self.examiner.close()

    def is_being_written(self, opened: OpenedFile) -> bool:
        """Whether somebody has the file open for writing, where the kernel can tell."""
        with WriteLease(opened.fd) as lease:
            if not lease.held and not lease.in_use:
                self.missing.add("write_lease")
            return lease.in_use

    def is_unseen(self, identity: Identity) -> bool:
        """Whether this very version of a file still needs a judgement."""
        return self._foresight.knows(identity) or bool(self.ask(Unseen([identity]), UnseenAnswer).indexes)

    def foresee(
        self, events: Sequence[FileEvent], following: Sequence[FileEvent], apart: Container[str]
    ) -> set[str]:
        """See `Foresight.look`: some may share workers; on a share one owner may stand for many people."""
        if self.welcome.share_seconds:
            return set()
        return self._foresight.look(self.root, events, following, apart)

    def _hear_together(self, asked: Round) -> list[Verdict]:
        deadline = time.monotonic() + self.welcome.examine_seconds
        return self.examiner.hear_together(asked, deadline, self.breathe)

    def could_not_open(self, event: FileEvent, refusal: CannotOpen, last_try: bool) -> Fate:
        """Report what is there but cannot be examined. What is gone needs no report."""
        if refusal.reason is Reason.GONE:
            return DONE
        if refusal.reason in PASSING_FAULTS and not last_try:
            return later(refusal.reason)
        identity = Identity(event.relpath, self.root.device, 0, 0, 0, 0)
        owner, mode = -1, 0
        if refusal.status is not None:
            identity = identity_of(event.relpath, refusal.status)
            owner, mode = refusal.status.st_uid, refusal.status.st_mode
            if not self.is_unseen(identity):
                return Fate("seen", refusal.reason)
        verdict = Verdict.unreadable(refusal.reason, config_digest=self.welcome.config_digest)
        report = Judged(
            identity, verdict.to_json(), event.origin, event.observed_at, owner, mode,
            writer=event.writer,
        )  # fmt: skip
        self.ask(report, Orders)
        return Fate("done", refusal.reason)

    def examine(self, opened: OpenedFile, event: FileEvent) -> Verdict:
        """The worker's verdict; what is not to be taken has settled. `unreadable(changed)` if it changed."""
        self._ahead = None
        self._settling.begin(event, self.welcome.settle_seconds)
        wanted = event.origin == "event" and self._may_be_taken() and self._is_calm()
        verdict = self._examined(opened, wanted)
        if not (verdict.flagged and self._settling.is_short and self._may_be_taken()):
            self._settling.wait()
        return verdict if opened.unchanged() else self._unreadable(Reason.CHANGED)

    def _may_be_taken(self) -> bool:
        return (self.welcome.mode, self.welcome.handling) == ("enforce", "unrestricted")

    def _examined(self, opened: OpenedFile, seal_ahead: bool) -> Verdict:
        begun = time.monotonic()

        def waiting() -> None:
            nonlocal seal_ahead
            self.breathe()
            if seal_ahead and self.vault is not None:
                seal_ahead = False
                self._ahead = self.vault.seal_ahead(self._source(opened))

        if not opened.status.st_size:
            return Verdict(
                Judgement.NO_RECORDS, media_type=EMPTY_TYPE, config_digest=self.welcome.config_digest
            )  # as a worker says of it
        if (foreseen := self._foresight.recall(opened.identity())) is not None:
            return foreseen
        try:
            worker_fd = opened.second_descriptor()
        except OSError:
            return self._unreadable(Reason.IO_ERROR)
        try:
            size = opened.status.st_size
            allowed = Allowance(self.welcome.examine_seconds, self.welcome.examine_seconds_per_gb)
            deadline = begun + allowed.of(size)
            verdict = self.examiner.examine(worker_fd, size, deadline, waiting)
        finally:
            os.close(worker_fd)
        return replace(verdict, elapsed_ms=int((time.monotonic() - begun) * 1000))

    def _unreadable(self, reason: Reason) -> Verdict:
        return Verdict.unreadable(reason, config_digest=self.welcome.config_digest)

    def judged(self, event: FileEvent, opened: OpenedFile, verdict: Verdict) -> Orders:
        status = opened.status
        report = Judged(
            opened.identity(),
            verdict.to_json(),
            event.origin,
            event.observed_at,
            status.st_uid,
            status.st_mode,
            fscrypt.proof_of(opened.fd) if verdict.outcome is Judgement.MICRODATA else "",
            event.writer,
            settled=self._settling.over,
        )
        orders = self.ask(report, Orders)
        if orders.do == "settle" and self._settling.ends_well(opened):
            orders = self.ask(replace(report, settled=True), Orders)
        return orders

    def deposit(self, entry_id: str, opened: OpenedFile, lease: WriteLease, last_try: bool) -> Deposit:
        """Into the vault, as long as nobody waits to write; raises `DepositFailed`."""

        def working() -> None:
            self.breathe()
            if lease.held and lease.wanted():
                lease.release()
                raise DepositFailed("in_use")

        if lease.in_use and not last_try:
            raise DepositFailed("in_use")
        if self.vault is None:
            raise DepositFailed("vault_error")
        ahead, self._ahead, settling = self._ahead, None, self._settling
        try:
            return self.vault.deposit(
                entry_id, self._source(opened), time.time(), working, lease.proves_unchanged, ahead=ahead,
                may_place=lambda: self.ask(MayPlace(entry_id), Go).go,
                may_stay=lambda: not self.examiner.is_lost(working) and settling.ends_well(opened, working),
            )  # fmt: skip
        except OSError:  # of the source; the vault's own have a name
            raise DepositFailed("io_error") from None

    def _source(self, opened: OpenedFile) -> Source:
        return Source(opened.fd, opened.status, self.welcome.root_id, self.welcome.path, opened.relpath)

    def not_vaulted(self, entry_id: str, failure: DepositFailed) -> None:
        self.ask(NotVaulted(entry_id, failure.reason), Done)

    def vaulted(self, entry_id: str, deposit: Deposit) -> Removal:
        return self.ask(Vaulted(entry_id, **asdict(deposit)), Removal)

    def discard(self, entry_id: str) -> None:
        """The file may stay, so its copy must not."""
        if self.vault is not None:
            self.vault.discard(entry_id)

    def permission(self, entry_id: str) -> Callable[[], bool]:
        """The last question before the unlink; a no means that the intent was revoked, or a worker hangs."""
        return lambda: self.examiner.has_let_go(self.breathe) and self.ask(MayUnlink(entry_id), Go).go

    def leave_notice(self, entry_id: str, opened: OpenedFile) -> bool:
        """Whether a notice lies where the file was; on the disk, as is the removal itself."""
        owner = (opened.status.st_uid, opened.status.st_gid)
        return self.notice_in(opened.parent, opened.name, entry_id, owner)

    def notice_in(self, parent: int, name: str, entry_id: str, owner: tuple[int, int]) -> bool:
        words = notice.text(self.welcome.notice, name, entry_id)
        left = notice.leave(parent, name, words, entry_id, owner)
        removal.make_durable(parent)
        return left

    def second_to_another(self, opened: OpenedFile, ending: Ending) -> Ending:
        """The same ending, unless another workstation took the file from this share before us."""
        if self.welcome.zone != "shared" or ending.reason not in ("gone", "changed", "in_use"):
            return ending
        if not others.was_taken(opened.parent, opened.name, self.breathe):
            return ending
        return Ending("not_removed", others.TAKEN_BY_ANOTHER)

    def outcome(self, entry_id: str, ending: Ending, noticed: bool, erased: bool = False) -> None:
        self.ask(Outcome(entry_id, ending.result, ending.reason, noticed, erased), Done)

    def finish(self, unfinished: Unfinished) -> bool:
        """Take up a removal that was under way; False if that is not possible now."""
        entry_id = unfinished.entry_id
        ending = finish(self.root, unfinished, self.permission(entry_id), self.breathe)
        if ending is None:
            return False
        noticed = ending.result == "quarantined" and self._notice_afterwards(unfinished)
        self.outcome(entry_id, ending, noticed)
        removal.tidy(self.root, unfinished.aside)
        return True

    def _notice_afterwards(self, unfinished: Unfinished) -> bool:
        folder, _, name = unfinished.identity.relpath.rpartition("/")
        try:
            parent = self.root.beneath(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        except (OSError, ValueError):
            return False
        try:
            owner = os.fstat(parent)
            return self.notice_in(parent, name, unfinished.entry_id, (owner.st_uid, owner.st_gid))
        finally:
            os.close(parent)
