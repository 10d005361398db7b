"""One request at a template: its worker, its clock, its memory, its fate."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from detectors.engine import exchange, worker
from detectors.engine.exchange import Kind
from detectors.engine.spare import Spare, fork_worker
from detectors.engine.verdict import MAX_WIRE_BYTES, Reason

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_STATM_BYTES = 256
LINGER_SECONDS = 0.5
STUCK_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class Job:
    """A file to examine. `descriptor` is closed as soon as the job ends.

    `fate` is set when the template itself ends the worker; it then speaks instead of the answer.
    """

    peer: int
    request_id: int
    descriptor: int
    size: int
    pid: int = 0
    pidfd: int = -1
    pipe: int = -1
    begun: float = 0.0
    deadline: float = 0.0
    answer: bytearray = field(default_factory=bytearray)
    closed: bool = False
    killed: bool = False
    unwanted: bool = False
    fate: Reason | None = None
    said: bool = False
    """Its answer was handed on before its death."""
    tries: int = 0
    shareable: bool = False

    @property
    def parts(self) -> Sequence[Job]:
        """The requests that this worker is for."""
        return (self,)

    @property
    def forsaken(self) -> bool:
        """Whether nobody waits for any of them."""
        return all(part.unwanted for part in self.parts)

    @property
    def most_bytes(self) -> int:
        """As much as the worker may say."""
        return MAX_WIRE_BYTES + 1

    def start(self, duty: worker.Duty, seconds: float, spare: Spare | None = None) -> None:
        """Have `spare` do it, or fork a worker. Raises `OSError` when the machine has no process to give."""
        files = [(part.descriptor, part.size) for part in self.parts]
        if spare is not None and spare.give(files, seconds):
            self.pid, self.pidfd, self.pipe = spare.pid, spare.pidfd, spare.pipe
        else:
            parent = os.getpid()
            self.pid, self.pipe = fork_worker(lambda to: worker.work(files, to, parent, duty, seconds))
            self.pidfd = os.pidfd_open(self.pid)
        self.begun = time.monotonic()
        self.deadline = self.begun + seconds

    def drain(self) -> None:
        """Take what the worker has written so far; more than an answer may hold ends it."""
        while not self.closed:
            try:
                chunk = os.read(self.pipe, 65536)
            except BlockingIOError:
                return
            self.answer += chunk
            if not chunk:
                self.closed = True
                self.deadline = min(self.deadline, time.monotonic() + LINGER_SECONDS)
            if len(self.answer) > self.most_bytes:
                self.kill(Reason.BAD_ANSWER)
                return

    def kill(self, fate: Reason | None) -> None:
        """End the worker. The first fate given stays."""
        if not self.killed:
            self.killed = True
            self.fate = fate
            self.deadline = time.monotonic() + STUCK_SECONDS
            self.descriptor = _closed(self.descriptor)
            if self.pidfd >= 0:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def watch(self, now: float, most_memory_bytes: int) -> None:
        """Kill the worker when its time is up or it holds too much memory."""
        if self.killed:
            return
        if now >= self.deadline:
            self.kill(None if self.closed else Reason.TIMEOUT)
        elif resident_bytes(self.pid) > most_memory_bytes:
            self.kill(Reason.LIMIT_MEMORY)

    def reap(self) -> bool:
        """Collect the dead worker. False while it lives."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return False
        if not self.killed:
            self.drain()
        self.fate = self.fate or self._cause(os.waitstatus_to_exitcode(status))
        self.release()
        return True

    def _cause(self, code: int) -> Reason | None:
        """Why a worker that was not condemned gave no answer; None when it gave one."""
        if self.answer and (code == 0 or (self.closed and self.killed)):
            return None
        if code == -signal.SIGXCPU:
            return Reason.TIMEOUT
        by_code = {
            worker.EXIT_WALLS_MISSING: Reason.WORKER_UNAVAILABLE,
            worker.EXIT_INTERNAL: Reason.INTERNAL,
            worker.EXIT_MEMORY: Reason.LIMIT_MEMORY,
        }
        return by_code.get(code, Reason.CRASHED)

    def release(self) -> None:
        """Close all descriptors of this job but the file, which a second try may need."""
        self.pipe, self.pidfd = _closed(self.pipe), _closed(self.pidfd)

    def close(self) -> None:
        self.release()
        self.descriptor = _closed(self.descriptor)

    def hand_on(self) -> bytes | None:
        """The whole answer of a worker that has hung up, as a packet; it is killed and does nothing more."""
        if self.killed or not self.closed or self.answer[:1] != worker.ANSWER:
            return None
        self.said = True
        self.kill(None)
        return exchange.reply(self.request_id, Kind.SAID, bytes(self.answer[1:]))

    @property
    def needs_heavy(self) -> bool:
        return self.fate is None and bytes(self.answer) == worker.NEEDS_HEAVY

    def reply(self) -> bytes:
        """The packet that ends this request."""
        if self.said:
            return exchange.reply(self.request_id, Kind.ENDED)
        if self.fate is None and self.answer[:1] == worker.ANSWER:
            return exchange.reply(self.request_id, Kind.VERDICT, bytes(self.answer[1:]))
        return exchange.reply(self.request_id, Kind.FAULT, (self.fate or Reason.BAD_ANSWER).value.encode())


def resident_bytes(pid: int) -> int:
    """Memory that a process holds, shared pages included; 0 when it cannot be known."""
    return _statm(pid, 1)


def data_bytes(pid: int) -> int:
    """What RLIMIT_DATA counts of a process."""
    return _statm(pid, 5)


def _statm(pid: int, column: int) -> int:
    try:
        file = os.open(f"/proc/{pid}/statm", os.O_RDONLY)  # asked often
        try:
            return int(os.read(file, _STATM_BYTES).split()[column]) * PAGE_BYTES
        finally:
            os.close(file)
    except (OSError, ValueError, IndexError):
        return 0


def _closed(descriptor: int) -> int:
    if descriptor >= 0:
        os.close(descriptor)
    return -1
