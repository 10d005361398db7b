"""Opening files of a root by descriptor only: never a path again, never through a link.

`RootFolder` is the root itself: a private clone of its mount where the privilege allows, so that
the user's `umount` never fails because of us, else a plain descriptor. Everything else is opened
beneath it by `openat2`, or one component at a time where the kernel has no `openat2`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from agent.protocol import Identity
from detectors.engine.verdict import Reason

_SYS_OPEN_TREE = 428  # the same number on every architecture, as for all calls newer than 5.0
_SYS_OPENAT2 = 437
_OPEN_TREE_CLONE = 1
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1

_RESOLVE_NO_XDEV = 0x01
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_BENEATH = _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_XDEV

_PLACE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_GROUP_BYTES = 3000  # of a path in one call; the kernel takes 4095

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.EXDEV, errno.ENAMETOOLONG})
"""EXDEV: another mount covers the place, so the file is not of this root, which is counted apart."""
_DENIED = frozenset({errno.EACCES, errno.EPERM})

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _OpenHow(ctypes.Structure):
    """`struct open_how` of openat2(2)."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class CannotOpen(Exception):
    """A file that was not opened, and why; `stat` is what the name led to, when that is known."""

    def __init__(self, reason: Reason, status: os.stat_result | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.status = status


class RootUnavailable(Exception):
    """The root is gone, is another device than the registered one, or may not be read."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def reason_of(error: OSError) -> Reason:
    """The reason code for a failed system call on a medium."""
    if error.errno == errno.ELOOP:
        return Reason.LINK
    if error.errno in _GONE:
        return Reason.GONE
    if error.errno in _DENIED:
        return Reason.NO_ACCESS
    return Reason.IO_ERROR


def _call(call: Callable[..., int], *arguments: object) -> int:
    """The result of a C function that gives a negative one and sets errno; tried again when a signal came
    between, as Python does it for its own calls."""
    while (result := call(*arguments)) < 0:
        code = ctypes.get_errno()
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code))
    return result


def openat2(folder: int, path: str, flags: int) -> int:
    """A descriptor beneath `folder`: no link, no magic link, no other mount. Raises `OSError`."""
    if flags & os.O_DIRECTORY:
        flags &= ~os.O_NOFOLLOW  # or else a link is ENOTDIR, as if it were a file
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _BENEATH)
    call = (ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(folder), os.fsencode(path), ctypes.byref(how))
    return _call(_libc.syscall, *call, ctypes.c_size_t(ctypes.sizeof(how)))


def rename_no_replace(from_folder: int, name: str, to_folder: int, new_name: str) -> None:
    """`renameat2(RENAME_NOREPLACE)`: raises `FileExistsError` rather than overwrite."""
    old, new = os.fsencode(name), os.fsencode(new_name)
    _call(_libc.renameat2, from_folder, old, to_folder, new, ctypes.c_uint(_RENAME_NOREPLACE))


def _clone_mount(folder: int, name: str) -> int:
    """open_tree(OPEN_TREE_CLONE): a detached mount of our own, gone when its last descriptor is."""
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | 0x100  # AT_SYMLINK_NOFOLLOW
    call = (ctypes.c_long(_SYS_OPEN_TREE), ctypes.c_int(folder), os.fsencode(name))
    return _call(_libc.syscall, *call, ctypes.c_uint(flags))


def _mount_id(fd: int) -> int:
    with open(f"/proc/self/fdinfo/{fd}", "rb") as lines:
        return next(int(line[7:]) for line in lines if line.startswith(b"mnt_id:"))


def _step(folder: int, name: str, flags: int) -> int:
    """One component without `openat2`, refusing links and other mounts alike."""
    try:
        fd = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except NotADirectoryError:
        # O_NOFOLLOW | O_DIRECTORY says ENOTDIR of a symlink; openat2 says ELOOP.
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise
    try:
        if _mount_id(fd) != _mount_id(folder):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    except BaseException:
        os.close(fd)
        raise
    return fd


def _groups(parts: tuple[str, ...], whole: bool) -> Iterator[str]:
    """The path in pieces for one call each: as long as the kernel takes, or single components."""
    group: list[str] = []
    length = 0
    for part in parts:
        length += len(os.fsencode(part)) + 1
        if group and (not whole or length > _GROUP_BYTES):
            yield "/".join(group)
            group, length = [], len(os.fsencode(part)) + 1
        group.append(part)
    yield "/".join(group)


def split(relpath: str) -> tuple[str, ...]:
    """The components of a path below a root; raises `ValueError` for anything that leads elsewhere."""
    parts = tuple(relpath.split("/"))
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise ValueError("not a path below the root")
    return parts


class RootFolder:
    """A root, opened. Hold it only while there is work: a plain descriptor keeps a medium busy."""

    def __init__(self, fd: int, *, private: bool, whole: bool) -> None:
        self.fd = fd
        self.private = private
        """Whether `fd` is a detached mount of our own (needs CAP_SYS_ADMIN)."""
        self.whole = whole
        """Whether the kernel has `openat2`."""
        status = os.fstat(fd)
        self.device, self.inode = status.st_dev, status.st_ino

    @classmethod
    def open(cls, path: str, device: int) -> Self:
        """The root at an absolute path without links in it; raises `RootUnavailable`.

        `device` is the `st_dev` that it must have.
        """
        try:
            fd, private = _open_root(path)
        except (OSError, ValueError) as error:
            raise RootUnavailable(reason_of(error) if isinstance(error, OSError) else Reason.GONE) from None
        try:
            root = cls(fd, private=private, whole=_has_openat2(fd))
        except OSError as error:
            os.close(fd)
            raise RootUnavailable(reason_of(error)) from None
        if root.device != device:
            root.close()
            raise RootUnavailable(Reason.GONE)
        return root

    def beneath(self, relpath: str, flags: int) -> int:
        """A descriptor of a path below the root. Raises `OSError`; `ValueError` for a bad path."""
        if not relpath:
            return os.open(".", flags | os.O_CLOEXEC, dir_fd=self.fd)
        groups = list(_groups(split(relpath), self.whole))
        reach = openat2 if self.whole else _step
        at = self.fd
        try:
            for group in groups[:-1]:
                onward = reach(at, group, _PLACE | os.O_DIRECTORY)
                if at != self.fd:
                    os.close(at)
                at = onward
            return reach(at, groups[-1], flags)
        finally:
            if at != self.fd:
                os.close(at)

    def folder(self, relpath: str) -> int:
        """A readable descriptor of a folder; raises `CannotOpen`."""
        try:
            return self.beneath(relpath, os.O_RDONLY | os.O_NONBLOCK | _FOLDER)
        except (OSError, ValueError) as error:
            raise CannotOpen(reason_of(error) if isinstance(error, OSError) else Reason.GONE) from None

    def close(self) -> None:
        """Let go of the medium. A second call does nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open_root(path: str) -> tuple[int, bool]:
    """(descriptor, whether it is a private clone). No component of `path` may be a link."""
    pure = PurePosixPath(path)
    if not pure.is_absolute() or ".." in pure.parts:
        raise ValueError("not an absolute path")
    # By the parent, one component at a time: the root's own mount is never held, not for a moment.
    at = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in pure.parts[1:-1]:
            onward = os.open(part, _PLACE | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at = onward
        name = pure.name or "."
        try:
            fd = _clone_mount(at, name)
        except OSError:
            return os.open(name, _PLACE | os.O_DIRECTORY, dir_fd=at), False
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            os.close(fd)
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return fd, True
    finally:
        os.close(at)


def _has_openat2(folder: int) -> bool:
    try:
        os.close(openat2(folder, ".", os.O_PATH | os.O_DIRECTORY))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM):  # EPERM: an old container's system call filter
            return False
        raise
    return True


@dataclass(slots=True)
class OpenedFile:
    """A regular file that was opened: what is judged, vaulted and removed is this descriptor."""

    relpath: str
    name: str
    fd: int
    parent: int
    """O_PATH descriptor of the folder that held `name`."""
    status: os.stat_result
    """As it was when opened."""

    def identity(self) -> Identity:
        """Which file this is, as it was when opened."""
        return identity_of(self.relpath, self.status)

    def unchanged(self) -> bool:
        """Whether size and times are still those of the opening; False also if they cannot be told."""
        try:
            now = os.fstat(self.fd)
        except OSError:
            return False
        return same_content(self.status, now) and now.st_ctime_ns == self.status.st_ctime_ns

    def second_descriptor(self) -> int:
        """The same open file with an offset of its own, for a worker. The caller closes it."""
        return reopen(self.fd)

    def close_file(self) -> None:
        """Let go of the file, not of its folder."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        self.close_file()
        if self.parent >= 0:
            os.close(self.parent)
        self.parent = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def identity_of(relpath: str, status: os.stat_result) -> Identity:
    """An identity out of a stat result."""
    return Identity(
        relpath, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def same_content(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether both are one regular file with one content, as far as `stat` can tell without ctime,
    which a rename changes too."""
    return stat.S_ISREG(other.st_mode) and all(
        getattr(one, key) == getattr(other, key) for key in ("st_dev", "st_ino", "st_size", "st_mtime_ns")
    )


def reopen(fd: int) -> int:
    """The file behind `fd`, opened for reading with its own offset, access time untouched."""
    path = f"/proc/self/fd/{fd}"
    try:
        return os.open(path, _READ | os.O_NOATIME)
    except PermissionError:  # O_NOATIME is for the owner and root
        return os.open(path, _READ)


def open_untrusted(root: RootFolder, relpath: str) -> OpenedFile:
    """The regular file at `relpath` below the root; raises `CannotOpen`.

    The name is first opened as a place only: a FIFO or a device is recognised without being touched.
    """
    folder, _, name = relpath.rpartition("/")
    parent = place = -1
    status = None
    try:
        split(relpath)
        parent = root.beneath(folder, _PLACE | os.O_DIRECTORY)
        place = (openat2 if root.whole else _step)(parent, name, _PLACE)
        status = os.fstat(place)
        if not stat.S_ISREG(status.st_mode):
            raise CannotOpen(Reason.LINK if stat.S_ISLNK(status.st_mode) else Reason.NOT_REGULAR, status)
        fd = reopen(place)
        opened = OpenedFile(relpath, name, fd, parent, os.fstat(fd))
        parent = -1
        return opened
    except ValueError:
        raise CannotOpen(Reason.GONE) from None
    except OSError as error:
        raise CannotOpen(reason_of(error), status) from None
    finally:
        for fd in (parent, place):
            if fd >= 0:
                os.close(fd)
