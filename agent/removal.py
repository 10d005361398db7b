"""Taking an original away once it is in custody: only the very file that was vaulted.

Linux cannot unlink by descriptor. So the name is first moved aside, without replacing anything, into a
fresh private folder where nobody else can reach it; what came out is compared with the open descriptor;
then it is unlinked, or put back. Each step can be taken up again after a crash (`agent.finishing`).

What a file system can do is not asked beforehand: the call itself is tried, and its answer counts.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from agent.lease import WriteLease
from agent.opening import (
    OpenedFile,
    RootFolder,
    rename_no_replace,
    same_content,
)
from agent.streams import holds

MAX_NAME_BYTES = 255
INSIDE = "original"
_TIDY_SECONDS = (0.0, 0.01, 0.05, 0.2)
_LOOK_INTO = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP, errno.EACCES, errno.EPERM})
"""A medium that has no such thing as a durable folder."""
_NO_SUCH_FLAG = frozenset({errno.EINVAL, errno.ENOSYS})


class MediumLost(Exception):
    """The name is gone, but the medium did not say that this is on it: pulled in that moment, it may come
    back with the file. Nothing is concluded; whoever looks next (`agent.finishing`) ends it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a removal ended; `reason` is None for a plain success."""

    result: Literal["quarantined", "not_removed"]
    reason: str | None = None


@dataclass(slots=True)
class Place:
    """A name in an open folder; `folder` is closed by whoever made this."""

    folder: int
    name: str

    def status(self) -> os.stat_result:
        return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)


@dataclass(frozen=True, slots=True)
class Content:
    """What was vaulted, for where a file cannot be known by its number; `while_working` as it is read."""

    sha256: str
    while_working: Callable[[], None] = lambda: None

    def is_in(self, place: Place, size: int) -> bool:
        """Whether a regular file with this content, `size` bytes, has that name."""
        try:
            fd = os.open(place.name, _LOOK_INTO, dir_fd=place.folder)
        except OSError:
            return False
        try:
            return stat.S_ISREG(os.fstat(fd).st_mode) and holds(fd, size, self.sha256, self.while_working)
        finally:
            os.close(fd)


def take_away(
    root: RootFolder,
    opened: OpenedFile,
    aside: str,
    may_unlink: Callable[[], bool],
    lease: WriteLease,
    vaulted: Content,
) -> Ending:
    """Remove the opened file's name from its root; `aside` is a name that nobody else uses.

    `may_unlink` is asked last; after a False, as after any doubt, the file is back at its place. A server
    (FUSE, a share) may number its files anew at any time: what came out is then known by its content.
    """
    if lease.wanted():
        return Ending("not_removed", "in_use")
    if not opened.unchanged():
        return Ending("not_removed", "changed")
    try:
        place = _set_aside(root, opened, aside)
    except OSError as error:
        return Ending("not_removed", _why(error))
    try:
        doubt = doubt_about(place, opened)
        remark = "other_names" if _has_other_names(opened) else None
        if doubt == "changed" and not lease.kept_here and vaulted.is_in(place, opened.status.st_size):
            doubt, remark = None, "renumbered"
        doubt = doubt or unlink_durably(place, may_unlink, lease)
        if doubt is not None:
            back = put_back(place, root, opened.parent, opened.name)
            return Ending("not_removed", doubt if back else f"{doubt}_left_aside")
    finally:
        os.close(place.folder)
    return Ending("quarantined", remark)


def _has_other_names(opened: OpenedFile) -> bool:
    """Whether hard links to the content lie elsewhere on the file system. Asked before the unlink: what
    is open then gets a hidden name under FUSE, until it is closed."""
    try:
        return os.fstat(opened.fd).st_nlink > 1
    except OSError:
        return False


def tidy(root: RootFolder, aside: str) -> None:
    """Remove the private folder; kept until the outcome is durable, because it is evidence.

    Under FUSE an unlinked file has a hidden name in it for as long as it is open, and a little longer.
    """
    for pause in _TIDY_SECONDS:
        time.sleep(pause)
        try:
            os.rmdir(aside, dir_fd=root.fd)
        except OSError as error:
            if error.errno == errno.ENOTEMPTY:
                continue
        return


def _set_aside(root: RootFolder, opened: OpenedFile, aside: str) -> Place:
    folder = -1
    try:
        os.mkdir(aside, 0o700, dir_fd=root.fd)
        folder = root.beneath(aside, OPEN_FOLDER)
        if os.fstat(folder).st_uid != os.geteuid() and _has_owners(folder):
            raise PermissionError(errno.EPERM, "not the folder that was made")
        _take(Place(opened.parent, opened.name), Place(folder, INSIDE))
        return Place(folder, INSIDE)
    except OSError as error:
        if folder >= 0:
            os.close(folder)
            tidy(root, aside)
        if error.errno in (errno.EROFS, errno.ENOENT):
            raise
    # No folder can be made here, or not on this file system: a name in the same folder will do.
    place = Place(os.open(".", OPEN_FOLDER | os.O_CLOEXEC, dir_fd=opened.parent), aside)
    try:
        _take(Place(opened.parent, opened.name), place)
    except BaseException:
        os.close(place.folder)
        raise
    return place


def _has_owners(folder: int) -> bool:
    """Whether what we make belongs to us there; on FAT and its like all belongs to whoever mounted it."""
    name = f"{INSIDE}-{secrets.token_hex(8)}"
    fd = os.open(
        name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder
    )
    try:
        os.unlink(name, dir_fd=folder)
        return os.fstat(fd).st_uid == os.geteuid()
    finally:
        os.close(fd)


def _take(source: Place, target: Place) -> None:
    """Rename to a name that nobody else uses. Raises `OSError`.

    Where renames cannot be told not to replace (sshfs, exfat-fuse, ntfs-3g, NFS) a plain one will do: what
    it could replace would lie under that very name, in a folder that we have just made.
    """
    try:
        rename_no_replace(source.folder, source.name, target.folder, target.name)
    except OSError as error:
        if error.errno not in _NO_SUCH_FLAG:
            raise
        os.rename(source.name, target.name, src_dir_fd=source.folder, dst_dir_fd=target.folder)


def _give(source: Place, target: Place, *, unused: bool) -> None:
    """Rename out of our own place, over nobody's file. Raises `OSError`, `FileExistsError` among them.

    `unused` says that the target's name is a random one, so that a plain rename replaces nothing.
    """
    try:
        rename_no_replace(source.folder, source.name, target.folder, target.name)
        return
    except OSError as error:
        if error.errno not in _NO_SUCH_FLAG:
            raise
    try:  # a link never replaces either, where there are links
        os.link(
            source.name, target.name,
            src_dir_fd=source.folder, dst_dir_fd=target.folder, follow_symlinks=False,
        )  # fmt: skip
    except FileExistsError:
        raise
    except OSError:
        if not unused:
            raise
        os.rename(source.name, target.name, src_dir_fd=source.folder, dst_dir_fd=target.folder)
    else:
        os.unlink(source.name, dir_fd=source.folder)


def doubt_about(place: Place, opened: OpenedFile) -> str | None:
    """Why what came out is not the very file that was vaulted, or None."""
    try:
        if same_content(opened.status, place.status()) and same_content(opened.status, os.fstat(opened.fd)):
            return None
    except OSError as error:
        return _why(error)
    return "changed"


def unlink_durably(place: Place, may_unlink: Callable[[], bool], lease: WriteLease) -> str | None:
    """Unlink, durably; the reason if it was not to be."""
    if not may_unlink():
        return "revoked"
    if lease.wanted():  # the waiting writer shall find the file where it was
        return "in_use"
    try:
        os.unlink(place.name, dir_fd=place.folder)
    except OSError as error:
        return _why(error)
    try:
        os.fsync(place.folder)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise MediumLost from None
    return None


def put_back(place: Place, root: RootFolder, parent: int, name: str) -> bool:
    """Give a file its name again, or one beside it if that was taken; never over another. Durable:
    once the ledger says that it is back, nobody looks aside any more."""
    beside = beside_name(name, f".put-back-{secrets.token_hex(8)}")
    for target in (Place(parent, name), Place(parent, beside), Place(root.fd, beside)):
        try:
            _give(place, target, unused=target.name == beside)
        except OSError:
            continue
        make_durable(target.folder)
        make_durable(place.folder)
        return True
    return False


def make_durable(folder: int) -> None:
    """Have the names in an open folder on the disk, as far as the medium can; also of an O_PATH one."""
    with suppress(OSError):
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def beside_name(name: str, ending: str, room: int = MAX_NAME_BYTES) -> str:
    """`name + ending`, shortened within the name so that it has at most `room` bytes."""
    raw = os.fsencode(name)
    while len(raw) > room - len(ending.encode()):
        name = name[:-1]
        raw = os.fsencode(name)
    return name + ending


def _why(error: OSError) -> str:
    if error.errno == errno.EROFS:
        return "read_only"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "no_access"
    if error.errno in (errno.ENOENT, errno.ESTALE):
        return "gone"
    return "io_error"
