"""Those who ask a template, and what may come from them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import stat
from collections import deque

NEXT_SECONDS = 0.005


class Peer:
    """One who asks. Replies that do not fit its socket wait here."""

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number, self.sock = number, sock
        self.waiting: deque[bytes] = deque()
        self.asked = 0

    def await_next(self) -> None:
        """Wait for its next request, if that follows at once: those that come together share a worker."""
        select.select([self.sock], [], [], NEXT_SECONDS)

    def flush(self) -> None:
        """Send what waits, as far as it goes; raises `OSError` when the peer is gone."""
        with contextlib.suppress(BlockingIOError):
            while self.waiting:
                self.sock.send(self.waiting[0])
                self.waiting.popleft()


def may_be_read(descriptor: int) -> bool:
    """Only a regular file that was opened for reading alone may reach a worker."""
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    except OSError:
        return False
    return regular and flags & os.O_ACCMODE == os.O_RDONLY and not flags & os.O_PATH
