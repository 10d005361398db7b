"""A worker forked ahead: it waits for its one job, and has seen nothing of any file until then."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, Self

from detectors.engine import worker


@dataclass(frozen=True, slots=True)
class Spare:
    """One such worker: its process, the pipe it will answer on, and the socket it waits at."""

    pid: int
    pidfd: int
    pipe: int
    channel: socket.socket

    @classmethod
    def fork(cls, duty: worker.Duty) -> Self:
        """Raises `OSError` when the machine has no process to give."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        with theirs:
            try:
                pid, pipe = fork_worker(
                    lambda answer: worker.work_later(theirs.fileno(), answer, parent, duty)
                )
            except OSError:
                ours.close()
                raise
        return cls(pid, os.pidfd_open(pid), pipe, ours)

    def is_ready(self) -> bool:
        """Whether it waits by now, or has died; it says so once."""
        try:
            self.channel.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            pass  # `give` will find out
        return True

    def give(self, files: Sequence[tuple[int, int]], seconds: float) -> bool:
        """Have it examine `files` (descriptor, size) and hang up; False if it is dead, and reaped then."""
        try:
            with self.channel:
                told = worker.job([size for _, size in files], seconds)
                socket.send_fds(self.channel, [told], [descriptor for descriptor, _ in files])
        except OSError:
            self.end()
            return False
        return True

    def end(self) -> None:
        """It is not needed."""
        self.channel.close()
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        os.close(self.pipe)


class Ahead:
    """One spare at a time, forked when its template has had nothing to do for `seconds`; with None, never."""

    def __init__(self, duty: worker.Duty, seconds: float | None) -> None:
        self._duty, self._seconds = duty, seconds
        self._spare: Spare | None = None
        self._wanted = seconds is not None

    def patience(self, rested: float, otherwise: float | None) -> float | None:
        """How many more seconds of rest until `rest` has something to do; if it has not, `otherwise`."""
        return max(0.0, self._seconds - rested) if self._wanted and self._seconds is not None else otherwise

    def rest(self, rested: float) -> None:
        """There has been nothing to do for so many seconds. One that dies while it waits is not replaced."""
        if self.patience(rested, None) == 0.0:
            self._wanted = False
            with suppress(OSError):
                self._spare = Spare.fork(self._duty)

    def take(self) -> Spare | None:
        """The spare, if there is one that is ready; the next is forked after this one's time."""
        if self._spare is not None and not self._spare.is_ready():
            return None  # a file that waited for it would wait longer than for a fork
        spare, self._spare = self._spare, None
        self._wanted = self._seconds is not None
        return spare

    def end(self) -> None:
        """Nothing more will come."""
        if self._spare is not None:
            self._spare.end()


def fork_worker(work: Callable[[int], NoReturn]) -> tuple[int, int]:
    """A process that does `work` with the pipe it answers on: (its id, our end). Raises `OSError`."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(ours, False)
    try:
        pid = os.fork()
        if pid == 0:
            work(theirs)
    except OSError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return pid, ours
