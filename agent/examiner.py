"""One asker's end of the sandbox: a descriptor in, a verdict out, nothing believed on the way."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable, Iterable

from detectors.engine import exchange
from detectors.engine.exchange import Broken, Kind
from detectors.engine.verdict import BadWire, Outcome, Protection, Reason, Subject, Tier, Verdict

END_GRACE_SECONDS = 7.0
QUEUE_PATIENCE = 5.0
_SLICE_SECONDS = 0.2

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

    def examine(
        self, fd: int, size: int, deadline: float, while_waiting: Callable[[], None] | None = None
    ) -> Verdict:
        """Have the file behind `fd` judged, as far as its first `size` bytes.

        `fd` must be a regular file, open for reading only, with an offset of its own. `deadline` is a
        `time.monotonic()` instant; it holds for an examination that begins at once and moves on while
        the file waits for a free worker. `while_waiting` is called about five times a second and may
        raise to give up. Returns when no worker has the file any more, or, if one is stuck, not at all
        with a judgement of it.
        """
        allowed = max(0.1, deadline - time.monotonic())
        self._last_id = self._last_id % 0xFFFF_FFFE + 1
        request_id = self._last_id
        try:
            self._ask(request_id, fd, size)
            return self._wait(request_id, allowed, while_waiting)
        except Broken:
            return self._unreadable(Reason.WORKER_UNAVAILABLE)
        except BaseException:
            self._cancel(request_id)
            raise

    def close(self) -> None:
        """Hang up; a worker that is still busy for this end is killed."""
        self._sock.close()

    def _ask(self, request_id: int, fd: int, size: int) -> None:
        try:
            socket.send_fds(self._sock, [exchange.request(request_id, size)], [fd])
        except OSError:
            raise Broken from None

    def _cancel(self, request_id: int) -> None:
        with contextlib.suppress(OSError):
            self._sock.send(exchange.cancel(request_id))

    def _wait(self, request_id: int, allowed: float, while_waiting: Callable[[], None] | None) -> Verdict:
        give_up = time.monotonic() + allowed * QUEUE_PATIENCE + END_GRACE_SECONDS
        while True:
            self._look_after()
            if while_waiting is not None:
                while_waiting()
            left = give_up - time.monotonic()
            if left <= 0:
                self._cancel(request_id)
                return self._unreadable(Reason.TIMEOUT)
            if not select.select([self._sock], [], [], min(left, _SLICE_SECONDS))[0]:
                continue
            said, kind, untrusted = self._receive()
            if kind is Kind.LOST:
                raise Broken
            if said != request_id:
                continue  # of a request that was given up
            if kind is Kind.STARTED:
                give_up = time.monotonic() + allowed + END_GRACE_SECONDS
            elif kind is Kind.FAULT:
                return self._unreadable(self._fault(untrusted))
            else:
                return self._verdict(untrusted)

    def _receive(self) -> tuple[int, Kind, bytes]:
        try:
            return exchange.parse_reply(self._sock.recv(exchange.MAX_REPLY_BYTES))
        except BlockingIOError:
            return 0, Kind.STARTED, b""
        except OSError:
            raise Broken from None

    def _verdict(self, untrusted_wire: bytes) -> Verdict:
        """The verdict, if it keeps to the contract in every field; else `bad_answer`."""
        try:
            verdict = Verdict.from_wire(untrusted_wire, self._vocabulary)
        except BadWire:
            return self._unreadable(Reason.BAD_ANSWER)
        sound = (
            verdict.config_digest == self._digest
            and verdict.media_type in self._vocabulary
            and verdict.flagged == must_be_flagged(verdict)
            and verdict.reason not in _NOT_FOR_WORKERS
        )
        return verdict if sound else self._unreadable(Reason.BAD_ANSWER)

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
