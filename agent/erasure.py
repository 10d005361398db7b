"""Overwriting what a removed original held, as far as a program can.

An unlink leaves the blocks as they were, and any undelete program reads them. They are overwritten once
with zeros, through a descriptor that is still open. That reaches the same blocks on file systems that
write in place (FAT, exFAT, NTFS, ext4, XFS), as an undelete program sees them. It does not reach what
flash has set aside, journals, snapshots and copies; on file systems that write elsewhere (btrfs) it
reaches nothing, and harms nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from agent.lease import is_kept_here

BLOCK_BYTES = 1 << 20
SLICE_BYTES = 64 * BLOCK_BYTES
"""What is overwritten in one go; new files wait that long at most."""
_ZEROS = bytes(BLOCK_BYTES)


class CannotErase(Exception):
    """What the file held stays where it is."""


class Overwriting:
    """One file that has no name any more, overwritten a slice at a time.

    `fd` stays the caller's. Raises `CannotErase`, at once and from `work`: for what is no regular file,
    has another name, or cannot be written.
    """

    def __init__(self, fd: int, size: int) -> None:
        try:
            self._fd = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            raise CannotErase from None
        self._offset = 0
        self.may_wait = is_kept_here(self._fd)
        """Whether its name is gone already: under FUSE a file that is open keeps a hidden one."""
        before, now = os.fstat(fd), os.fstat(self._fd)
        self.size = min(size, now.st_size)
        nameless = now.st_nlink <= (0 if self.may_wait else 1)
        if not (stat.S_ISREG(now.st_mode) and os.path.samestat(before, now) and nameless):
            self.close()
            raise CannotErase

    def work(self, while_working: Callable[[], None] = lambda: None) -> bool:
        """Overwrite the next slice, durably; whether that was the last one.

        `while_working` is called for each block; what it raises ends the work.
        """
        end = min(self._offset + SLICE_BYTES, self.size)
        try:
            while self._offset < end:
                while_working()
                block = memoryview(_ZEROS)[: end - self._offset]
                self._offset += os.pwrite(self._fd, block, self._offset)
            os.fdatasync(self._fd)
        except OSError:
            raise CannotErase from None
        return self._offset == self.size

    def finish(self, while_working: Callable[[], None]) -> bool:
        """Overwrite all that is left, and let go of the file; whether that was done."""
        try:
            while not self.work(while_working):
                pass
        except CannotErase:
            return False
        finally:
            self.close()
        return True

    def close(self) -> None:
        """Let go of the file. A second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
