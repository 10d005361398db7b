"""The light template's end of the heavy one: files whose parsers are large are examined there."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Callable

from detectors.engine import exchange
from detectors.engine.exchange import Allowance, Broken, Kind
from detectors.engine.jobs import Job
from detectors.engine.verdict import Reason

START_SECONDS = 30.0
_MOST_TRIES = 2


class HeavyLink:
    """Passes jobs on and hands the replies back.

    `need` asks for a heavy template; `started` and `ended` tell how a job goes on: `ended` with a
    reply packet, or with None when `job.fate` says why there is none.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        allowed: Allowance,
        need: Callable[[], None],
        started: Callable[[Job], None],
        ended: Callable[[Job, bytes | None], None],
    ) -> None:
        self._selector, self._allowed = selector, allowed
        self._need, self._started, self._ended = need, started, ended
        self._sock: socket.socket | None = None
        self._asked = False
        self._last_id = 0
        self._jobs: dict[int, Job] = {}

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def attach(self, sock: socket.socket) -> None:
        """The heavy template that was asked for is there (it may still be importing)."""
        if self._sock is not None:
            self._close()
        sock.setblocking(False)
        self._asked, self._sock = False, sock
        self._selector.register(sock, selectors.EVENT_READ, self._on_reply)
        for number, job in self._jobs.items():
            self._send(exchange.request(number, job.size), job.descriptor)

    def pass_on(self, job: Job) -> None:
        """Have `job` examined there; asks for a heavy template when there is none."""
        job.tries += 1
        if job.tries > _MOST_TRIES or job.descriptor < 0:
            job.fate = Reason.WORKER_UNAVAILABLE
            self._ended(job, None)
            return
        self._last_id += 1
        job.deadline = time.monotonic() + START_SECONDS + self._allowed.of(job.size)
        self._jobs[self._last_id] = job
        if self._sock is not None:
            self._send(exchange.request(self._last_id, job.size), job.descriptor)
        elif not self._asked:
            self._asked = True
            self._need()

    def give_up(self, chosen: Callable[[Job], bool]) -> list[Job]:
        """Take back the chosen jobs; their workers are killed."""
        given_up = {number: job for number, job in self._jobs.items() if chosen(job)}
        for number in given_up:
            del self._jobs[number]
            self._send(exchange.cancel(number))
        return list(given_up.values())

    def watch(self, now: float) -> None:
        """End jobs that nobody over there answers."""
        for job in self.give_up(lambda job: now >= job.deadline):
            self._asked = False
            job.fate = Reason.WORKER_UNAVAILABLE
            self._ended(job, None)

    def _send(self, packet: bytes, descriptor: int | None = None) -> None:
        if self._sock is not None:
            with contextlib.suppress(OSError):  # its end is seen where we read, a full socket by the clock
                socket.send_fds(self._sock, [packet], [] if descriptor is None else [descriptor])

    def _on_reply(self) -> None:
        assert self._sock is not None
        try:
            number, kind, payload = exchange.parse_reply(self._sock.recv(exchange.MAX_REPLY_BYTES))
        except BlockingIOError:
            return
        except (OSError, Broken):
            self._on_gone()
            return
        job = self._jobs.get(number)
        if job is not None and kind is Kind.STARTED:
            self._started(job)
        elif job is not None:
            del self._jobs[number]
            self._ended(job, exchange.reply(job.request_id, kind, payload))

    def _on_gone(self) -> None:
        self._close()
        lost, self._jobs = self._jobs, {}
        for job in lost.values():
            self.pass_on(job)

    def _close(self) -> None:
        assert self._sock is not None
        self._selector.unregister(self._sock)
        self._sock.close()
        self._sock = None
