"""Overwriting what a removed original held, as far as a program can.

An unlink leaves the blocks as they were, and any undelete program reads them. They are overwritten once
with zeros, through the descriptor that is still open. That reaches the same blocks on file systems that
write in place (FAT, exFAT, NTFS, ext4, XFS), as an undelete program sees them. It does not reach what
flash has set aside, journals, snapshots and copies; on file systems that write elsewhere (btrfs) it
reaches nothing, and harms nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

BLOCK_BYTES = 1 << 20
_ZEROS = bytes(BLOCK_BYTES)


def erase(fd: int, size: int, while_working: Callable[[], None] = lambda: None) -> bool:
    """Overwrite the first `size` bytes of a file that has no name any more; whether that was done.

    The caller knows that no other name shares its blocks. `while_working` is called for each block;
    what it raises ends the work.
    """
    try:
        writer = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        before, now = os.fstat(fd), os.fstat(writer)
        if not (stat.S_ISREG(now.st_mode) and os.path.samestat(before, now) and now.st_nlink <= 1):
            return False
        for offset in range(0, min(size, now.st_size), BLOCK_BYTES):
            while_working()
            _write_all(writer, memoryview(_ZEROS)[: size - offset], offset)
        os.fdatasync(writer)
        return True
    except OSError:
        return False
    finally:
        os.close(writer)


def _write_all(fd: int, block: memoryview, offset: int) -> None:
    while block:
        written = os.pwrite(fd, block, offset)
        block, offset = block[written:], offset + written
