"""The kernel's read lease: proof that nobody has a file open for writing, now and until released."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import signal
from contextlib import suppress
from typing import Self

_NO_TRUE_LEASES = frozenset({0x6969, 0xFF534D42, 0xFE534D42, 0x517B, 0x5346414F})
"""`f_type` of NFS, CIFS, SMB2, SMB, AFS: there EAGAIN means that the server gave no delegation."""
_KEPT_HERE = frozenset(
    {0xEF53, 0x58465342, 0x9123683E, 0xF2F52010, 0x4D44, 0x2011BAB0, 0x7366746E, 0x01021994}
)
"""`f_type` of ext2 to 4, XFS, Btrfs, F2FS, FAT, exFAT, NTFS3, tmpfs: this kernel alone decides what a file
holds. Elsewhere (FUSE, shares) a server may answer each reading differently, whoever has the file open."""

_libc = ctypes.CDLL(None, use_errno=True)


class WriteLease:
    """A read lease on `fd`: while it holds, nobody can open the file for writing.

    Whoever tries meanwhile waits for us, so hold it for as short as can be and let go when `wanted`.
    Where the file system has no leases, neither `held` nor `in_use` is set.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.held = False
        self.in_use = False
        """Somebody had the file open for writing already; nothing is held."""
        # The kernel tells of a waiting writer by a signal whose default is death.
        with suppress(ValueError):  # not the main thread: the process has seen to it
            signal.signal(signal.SIGIO, signal.SIG_IGN)
        self.kept_here = is_kept_here(fd)
        """This kernel alone decides what the file holds and which number it has."""
        if _file_system(fd) in _NO_TRUE_LEASES:
            return
        try:
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            self.held = True
        except OSError as error:
            self.in_use = error.errno in (errno.EAGAIN, errno.EBUSY)

    def wanted(self) -> bool:
        """Whether somebody writes, or waits to, or the kernel has taken the lease from us."""
        return self.in_use or (self.held and fcntl.fcntl(self._fd, fcntl.F_GETLEASE) != fcntl.F_RDLCK)

    def proves_unchanged(self) -> bool:
        """Whether nobody can have changed what the file holds since this was made."""
        return self.held and self.kept_here and not self.wanted()

    def release(self) -> None:
        """Let the waiting writer go on. A second call does nothing."""
        if self.held:
            with suppress(OSError):
                fcntl.fcntl(self._fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            self.held = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def is_kept_here(fd: int) -> bool:
    """Whether this kernel alone decides what the file holds, and whether it has a name."""
    return _file_system(fd) in _KEPT_HERE


def _file_system(fd: int) -> int:
    """`f_type` of fstatfs(2), the first word of its answer on every Linux architecture; 0 if unknown."""
    buffer = ctypes.create_string_buffer(256)
    if _libc.fstatfs(fd, buffer):
        return 0
    return ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF
