"""Alerts as JSON Lines in a file.

The supervisor opens the file and passes the descriptor (append only), because the courier may open
nothing; after a rotation it passes a new one. A line is on the disk before it counts as delivered,
and a line that could be written only in part is taken back.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from agent.sinks.sink import DeliveryError, OneByOne, Record, one_line

FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_file(path: Path) -> int:
    """For the supervisor: the descriptor to pass. Raises `OSError`; a link or a FIFO is refused."""
    fd = os.open(path, FLAGS, 0o640)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(f"{path} is not a regular file")
    return fd


class FileSink(OneByOne):
    """Writes to the descriptor that it was given, and owns it."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._using = threading.Lock()

    def replace(self, fd: int) -> None:
        """The file was rotated: go on with this descriptor."""
        with self._using:
            os.close(self._fd)
            self._fd = fd

    def deliver_one(self, record: Record) -> None:
        line = one_line(record).encode("ascii") + b"\n"
        with self._using:
            try:
                self._append(line)
            except OSError as error:
                raise DeliveryError.of(error) from error

    def _append(self, line: bytes) -> None:
        before = os.fstat(self._fd).st_size
        if os.write(self._fd, line) != len(line):
            os.ftruncate(self._fd, before)
            raise DeliveryError("ENOSPC")
        os.fdatasync(self._fd)

    def close(self) -> None:
        os.close(self._fd)
