"""The kernel's fanotify(7), as far as we need it: one mark on a whole file system, three ways to be told.

*Names*: an event tells the folder (as a file handle) and the name in it, moves included, and holds nothing
of the medium while it waits to be read. Offered by ext4, xfs, btrfs, tmpfs and the like.
*Descriptors*: an event carries an open descriptor of what was closed after writing. Offered by every file
system, FUSE and cifs among them; but each event that waits keeps the user's mount busy, so it must be
read at once, and nothing is told of moves.
*Questions*: the kernel asks before anybody opens a file, and whoever opens it waits for the answer. When the
group is closed, be it by the death of its process, all that wait are let through.

A file-system mark sees what is written through any mount, also from outside our mount namespace; a
mount mark (`FAN_MARK_MOUNT`) made from a hardened unit sees nothing. Needs CAP_SYS_ADMIN, and for handles
CAP_DAC_READ_SEARCH. The numbers are those of <linux/fanotify.h>, the same on every architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

CLOSE_WRITE = 0x08
MOVED_TO = 0x80
CREATE = 0x100
Q_OVERFLOW = 0x4000
OPEN_PERM = 0x1_0000
ONDIR = 0x4000_0000

_CLOEXEC, _NONBLOCK, _UNLIMITED_QUEUE = 0x1, 0x2, 0x10
_CLASS_CONTENT, _REPORT_DIR_FID, _REPORT_NAME = 0x4, 0x400, 0x800
_ALLOW, _DENY = 1, 2
_MARK_ADD, _MARK_FILESYSTEM = 0x1, 0x100
_INFO_DFID_NAME = 2
_EVENT_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOATIME | 0o100000  # O_LARGEFILE
_META = struct.Struct("=IBBHQii")  # struct fanotify_event_metadata
_ANSWER = struct.Struct("=iI")  # struct fanotify_response
_INFO = struct.Struct("=BBH8sIi")  # fanotify_event_info_fid with the head of its file_handle
_READ_BYTES = 64 * 1024

Way = Literal["names", "descriptors", "questions"]

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class KernelEvent:
    """One event. With names, `folder` is a handle and `name` a name in it; with descriptors, `fd` is an
    open descriptor that the reader must close (-1 if the kernel could not open it)."""

    mask: int
    pid: int
    """Who did it; 0 if they are not of our pid namespace."""
    folder: bytes = b""
    name: bytes = b""
    fd: int = -1

    @property
    def overflow(self) -> bool:
        return bool(self.mask & Q_OVERFLOW)


class Group:
    """One fanotify group with one mark on the file system that `root` (any descriptor in it) lies on.

    Raises `OSError`: EPERM without the privilege; EOPNOTSUPP, ENODEV, EXDEV or EINVAL where the file
    system does not offer this way. `queue` may be limited for tests; else it takes what comes.
    """

    def __init__(self, root: int, way: Way, *, unlimited: bool = True) -> None:
        self.way = way
        flags = _CLOEXEC | _NONBLOCK | (_UNLIMITED_QUEUE if unlimited else 0)
        mask = CLOSE_WRITE
        if way == "names":
            flags |= _REPORT_DIR_FID | _REPORT_NAME
            mask |= MOVED_TO | CREATE | ONDIR
        elif way == "questions":
            flags |= _CLASS_CONTENT
            mask = OPEN_PERM
        self._fd = _check(_libc.fanotify_init(ctypes.c_uint(flags), ctypes.c_uint(_EVENT_FLAGS)))
        try:
            where = (ctypes.c_int(root), b".")
            how = (ctypes.c_uint(_MARK_ADD | _MARK_FILESYSTEM), ctypes.c_uint64(mask))
            _check(_libc.fanotify_mark(self._fd, *how, *where))
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        return self._fd

    def read(self) -> list[KernelEvent]:
        """What waits, in order; [] if nothing does.

        Raises `OSError` when the kernel could not open what an event is about: with ENOENT or ESTALE
        the file was gone already. That one event is lost, and reading goes on.
        """
        try:
            buffer = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return []
        events = []
        at = 0
        while at + _META.size <= len(buffer):
            length, _, _, head, mask, fd, pid = _META.unpack_from(buffer, at)
            folder, name = _folder_and_name(buffer, at + head, at + length)
            events.append(KernelEvent(mask, pid, folder, name, fd))
            at += length
        return events

    def answer(self, fd: int, *, allow: bool) -> None:
        """Let the opener that the question `fd` is about go on, or refuse it with EPERM, and close `fd`:
        before the opener wakes, because an open descriptor of ours keeps its mount busy."""
        os.close(fd)  # the kernel knows the question by the number alone
        with suppress(FileNotFoundError):  # who waited was killed
            os.write(self._fd, _ANSWER.pack(fd, _ALLOW if allow else _DENY))

    def marked(self) -> bool:
        """Whether the mark is still there: it goes with its file system, and nothing tells."""
        try:
            with open(f"/proc/self/fdinfo/{self._fd}", "rb") as lines:
                return any(line.startswith(b"fanotify sdev:") for line in lines)
        except OSError:
            return False  # closed meanwhile

    def close(self) -> None:
        """Let go of the mark as well. A second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _folder_and_name(buffer: bytes, at: int, end: int) -> tuple[bytes, bytes]:
    """The folder's `struct file_handle` and the name in it; empty if the event has none."""
    while at + _INFO.size <= end:
        kind, _, length, _, handle_bytes, _ = _INFO.unpack_from(buffer, at)
        if kind == _INFO_DFID_NAME:
            handle = at + _INFO.size - 8
            name = handle + 8 + handle_bytes
            return buffer[handle:name], buffer[name : at + length].split(b"\0", 1)[0]
        at += max(length, 1)
    return b"", b""


def open_handle(medium: int, handle: bytes) -> int:
    """A place descriptor of what a handle means; `medium` is a real (no O_PATH) descriptor on its file
    system. Raises `OSError`: ESTALE when it is gone."""
    buffer = ctypes.create_string_buffer(handle, len(handle))
    return _check(_libc.open_by_handle_at(ctypes.c_int(medium), buffer, os.O_PATH | os.O_CLOEXEC))


def handles_can_be_opened(folder: int) -> bool:
    """Whether handles lead back to files here: newer kernels give out some that do not."""
    buffer = ctypes.create_string_buffer(8 + 128)
    ctypes.c_uint.from_buffer(buffer).value = 128
    mount_id = ctypes.c_int()
    told = _libc.name_to_handle_at(ctypes.c_int(folder), b"", buffer, ctypes.byref(mount_id), 0x1000)
    if told < 0:
        return False
    length = 8 + ctypes.c_uint.from_buffer(buffer).value
    try:
        os.close(open_handle(folder, buffer.raw[:length]))
    except OSError:
        return False
    return True


def passing(error: OSError) -> bool:
    """Whether a failed read only means that a file was gone before its event was read."""
    return error.errno in (errno.ENOENT, errno.ESTALE, errno.ENXIO)


def _check(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
