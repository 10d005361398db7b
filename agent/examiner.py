"""One asker's end of the sandbox: a descriptor in, a verdict out, nothing believed on the way."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from detectors.engine import exchange
from detectors.engine.exchange import Broken, Kind, Wish, harmless
from detectors.engine.verdict import BadWire, Outcome, Protection, Reason, Subject, Tier, Verdict

END_GRACE_SECONDS = 7.0
QUEUE_PATIENCE = 5.0
_SLICE_SECONDS = 0.2
MOST_TOGETHER = 2 * exchange.MOST_SHARED_FILES
"""Files of one round: work for two workers. Two rounds are within what a template hears of one peer."""

TEMPLATE_FAULTS = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CRASHED,
        Reason.LIMIT_MEMORY,
        Reason.BAD_ANSWER,
        Reason.WORKER_UNAVAILABLE,
        Reason.INTERNAL,
        Reason.NOT_REGULAR,
        Reason.STUCK,
    }
)
"""What a template may say of its own; the rest is for workers to say."""

_NOT_FOR_WORKERS = frozenset({Reason.GONE, Reason.LINK, Reason.NO_ACCESS, Reason.STUCK, Reason.NOT_REGULAR})
_UNAVAILABLE = Kind.FAULT, Reason.WORKER_UNAVAILABLE.value.encode()


class Asked(NamedTuple):
    """A file to be judged: a descriptor, and how many bytes of it."""

    fd: int
    size: int


@dataclass(frozen=True, slots=True)
class Round:
    """Files that were asked about together, and the request about each."""

    files: Sequence[Asked]
    requests: Sequence[int]


class Examiner:
    """One asker's end. Not for several threads: each takes an end of its own."""

    def __init__(
        self,
        sock: socket.socket,
        vocabulary: Iterable[str],
        digest: str,
        look_after: Callable[[], None] | None = None,
    ) -> None:
        self._sock = sock
        self._sock.setblocking(False)
        self._vocabulary = frozenset(vocabulary)
        self._digest = digest
        self._look_after = look_after or (lambda: None)
        self._last_id = 0
        self._lied = False
        self._dying = 0
        """The last request, while the worker that has answered it is not dead yet."""
        self._early: dict[int, tuple[Kind, bytes] | None] = {}
        """Requests of rounds that nobody waits for yet, with their answers as far as they came."""

    def examine(
        self, fd: int, size: int, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> Verdict:
        """Have the file behind `fd` judged, as far as its first `size` bytes.

        `fd` must be a regular file, open for reading only, with an offset of its own. `deadline` is a
        `time.monotonic()` instant; it holds for an examination that begins at once and moves on while
        the file waits for a free worker. `while_waiting` is called about five times a second and may
        raise to give up. Returns when no worker can do anything with the file any more, or, if one is
        stuck, not at all with a judgement of it. Whether it is gone altogether says `has_let_go`.
        """
        request_id = self._next_id()
        with contextlib.suppress(Broken):
            self._ask(request_id, Asked(fd, size), Wish.EXAMINE)
            return self._heard([request_id], deadline, while_waiting)[0]
        return self._unreadable(Reason.WORKER_UNAVAILABLE)

    def ask_together(self, files: Sequence[Asked]) -> Round:
        """Ask about several files of one root, which may share workers (docs/decisions/0015); at most
        `MOST_TOGETHER`. Ends at once; each round must be heard or given up, the files open until then.
        """
        asked = Round(files, [self._next_id() for _ in files])
        self._early |= dict.fromkeys(asked.requests)
        wishes = [Wish.EXAMINE_AMONG_OTHERS] * (len(files) - 1) + [Wish.EXAMINE_LAST_AMONG_OTHERS]
        try:
            for request_id, one, wish in zip(asked.requests, files, wishes, strict=True):
                self._ask(request_id, one, wish)
        except Broken:  # told to who waits for it
            self._cancel(asked.requests)
            self._early |= dict.fromkeys(asked.requests, _UNAVAILABLE)
        return asked

    def hear_together(
        self, asked: Round, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> list[Verdict]:
        """The verdicts of a round, as `examine` gives them; `deadline` is that of the slowest file."""
        self._lied = False
        verdicts = self._heard(asked.requests, deadline, while_waiting)
        if self._lied:  # a shared worker said what none may: whatever it said about others counts as little
            verdicts = [self.examine(one.fd, one.size, deadline, while_waiting) for one in asked.files]
        return verdicts

    def give_up(self, asked: Round) -> None:
        """Nobody waits for this round any more."""
        for request_id in asked.requests:
            self._early.pop(request_id, None)
        self._cancel(asked.requests)

    def _next_id(self) -> int:
        self._last_id = self._last_id % 0xFFFF_FFFE + 1
        return self._last_id

    def _heard(
        self, requests: Sequence[int], deadline: float, while_waiting: Callable[[], None] | None
    ) -> list[Verdict]:
        allowed = max(0.1, deadline - time.monotonic())
        self._dying = 0
        verdicts = dict.fromkeys(requests, self._unreadable(Reason.WORKER_UNAVAILABLE))
        early = {number: self._early.pop(number, None) for number in requests}
        waiting = {number for number, answer in early.items() if answer is None}
        try:
            for number, answer in early.items():
                if answer is not None:
                    verdicts[number] = self._told(*answer)
            for number, verdict in self._replies(waiting, allowed, while_waiting):
                verdicts[number] = verdict
                waiting.discard(number)
        except Broken:
            self._cancel(waiting)
        except BaseException:
            self._cancel(waiting)
            raise
        return list(verdicts.values())

    def has_let_go(self, while_waiting: Callable[[], None]) -> bool:
        """Whether the worker that judged the last file is dead; waits for that, though not for ever."""
        return not self.is_lost(while_waiting) and not self._dying

    def is_lost(self, while_waiting: Callable[[], None]) -> bool:
        """Whether the template is gone, so that nobody will say any more that the last worker is dead;
        waits as `has_let_go` does."""
        give_up = time.monotonic() + END_GRACE_SECONDS
        try:
            while self._dying and time.monotonic() < give_up:
                while_waiting()
                if select.select([self._sock], [], [], _SLICE_SECONDS)[0]:
                    self._hear()
        except Broken:
            return True
        return False

    def close(self) -> None:
        """Hang up; a worker that is still busy for this end is killed."""
        self._sock.close()

    def _ask(self, request_id: int, file: Asked, wish: Wish) -> None:
        try:
            socket.send_fds(self._sock, [exchange.request(request_id, file.size, wish)], [file.fd])
        except OSError:
            raise Broken from None

    def _cancel(self, request_ids: Iterable[int]) -> None:
        with contextlib.suppress(OSError):
            for request_id in request_ids:
                self._sock.send(exchange.cancel(request_id))

    def _replies(
        self, waiting: Set[int], allowed: float, while_waiting: Callable[[], None] | None
    ) -> Iterator[tuple[int, Verdict]]:
        """Verdicts as they come, until nothing is `waiting`; the rest is a timeout when it takes too long."""
        patience = allowed * QUEUE_PATIENCE + END_GRACE_SECONDS
        give_up = time.monotonic() + patience
        while waiting:
            self._look_after()
            if while_waiting is not None:
                while_waiting()
            left = give_up - time.monotonic()
            if left <= 0:
                self._cancel(waiting)
                yield from [(number, self._unreadable(Reason.TIMEOUT)) for number in waiting]
                return
            if not select.select([self._sock], [], [], min(left, _SLICE_SECONDS))[0]:
                continue
            said, kind, untrusted = self._hear()
            if said not in waiting:
                continue  # of a request that was given up
            give_up = time.monotonic() + (allowed + END_GRACE_SECONDS if kind is Kind.STARTED else patience)
            if kind is not Kind.STARTED:
                self._dying = said if kind is Kind.SAID else 0
                yield said, self._told(kind, untrusted)

    def _told(self, kind: Kind, untrusted: bytes) -> Verdict:
        if kind is Kind.FAULT:
            return self._unreadable(self._fault(untrusted))
        return self._verdict(untrusted, kind)

    def _hear(self) -> tuple[int, Kind, bytes]:
        said, kind, untrusted = self._receive()
        if kind is Kind.LOST:
            self._early |= {number: answer or _UNAVAILABLE for number, answer in self._early.items()}
            raise Broken
        if said in self._early and kind not in (Kind.STARTED, Kind.ENDED):
            self._early[said] = kind, untrusted
        if kind is Kind.ENDED and said == self._dying:
            self._dying = 0
        return said, kind, untrusted

    def _receive(self) -> tuple[int, Kind, bytes]:
        try:
            return exchange.parse_reply(self._sock.recv(exchange.MAX_REPLY_BYTES))
        except BlockingIOError:
            return 0, Kind.STARTED, b""
        except OSError:
            raise Broken from None

    def _verdict(self, untrusted_wire: bytes, kind: Kind) -> Verdict:
        """The verdict, if it keeps to the contract in every field; else `bad_answer`."""
        verdict = self._sound(untrusted_wire)
        if kind is Kind.SHARED and (verdict is None or not harmless(verdict)):
            self._lied = True
        return verdict or self._unreadable(Reason.BAD_ANSWER)

    def _sound(self, untrusted_wire: bytes) -> Verdict | None:
        try:
            verdict = Verdict.from_wire(untrusted_wire, self._vocabulary)
        except BadWire:
            return None
        sound = (
            verdict.config_digest == self._digest
            and verdict.media_type in self._vocabulary
            and verdict.flagged == must_be_flagged(verdict)
            and verdict.reason not in _NOT_FOR_WORKERS
        )
        return verdict if sound else None

    def _fault(self, untrusted_reason: bytes) -> Reason:
        try:
            reason = Reason(untrusted_reason.decode("ascii"))
        except ValueError:
            return Reason.BAD_ANSWER
        return reason if reason in TEMPLATE_FAULTS else Reason.BAD_ANSWER

    def _unreadable(self, reason: Reason) -> Verdict:
        return Verdict.unreadable(reason, config_digest=self._digest)


def must_be_flagged(verdict: Verdict) -> bool:
    """Whether the shipped policy would act on this verdict."""
    return (
        verdict.outcome is Outcome.MICRODATA
        and verdict.subject in (Subject.PERSON, Subject.HOUSEHOLD)
        and verdict.tier in (Tier.LIKELY, Tier.CONFIRMED)
        and verdict.protection is not Protection.STRONG
    )
