"""Which process wrote a file, as far as can be told a moment later."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

MOST_CHARS = 512


@dataclass(frozen=True, slots=True)
class Writer:
    """The process that closed or moved a file. Names are that process's own words: escape them."""

    pid: int
    uid: int = -1
    """Its effective user; -1 if it was gone already."""
    name: str = ""
    program: str = ""
    """The path of its executable; "" if it was gone, or is of another mount namespace."""

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """What /proc tells now; None for a process that is not of our pid namespace."""
        if pid <= 0:
            return None
        try:
            place = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return cls(pid)
        try:
            uid = os.fstat(place).st_uid
            return cls(pid, uid, _read(place, "comm"), _link(place, "exe"))
        except OSError:
            return cls(pid)
        finally:
            os.close(place)


def _read(place: int, name: str) -> str:
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=place)
    try:
        return os.fsdecode(os.read(fd, MOST_CHARS)).rstrip("\n")
    finally:
        os.close(fd)


def _link(place: int, name: str) -> str:
    try:
        return os.readlink(name, dir_fd=place)[:MOST_CHARS]
    except OSError:
        return ""
