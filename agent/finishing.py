"""Taking up a removal that was under way when somebody died; any number of times.

found after a crash                                   done
the vaulted content lies aside                        ask again; unlink it, or put it back
something else lies aside                             put it back: not_removed, changed
nothing aside, the very file at its place             begin again
nothing aside, our folder there                       it was unlinked: quarantined
neither                                               not_removed, gone
it cannot be told now                                 try later
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from agent.lease import WriteLease
from agent.opening import CannotOpen, OpenedFile, RootFolder, open_untrusted
from agent.protocol import Unfinished
from agent.removal import (
    INSIDE,
    OPEN_FOLDER,
    Content,
    Ending,
    Place,
    doubt_about,
    put_back,
    take_away,
    tidy,
    unlink_durably,
)
from agent.streams import holds
from detectors.engine.verdict import Reason

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EXDEV})
"""EXDEV: another mount lies over it, so it cannot be reached."""


def finish(
    root: RootFolder,
    unfinished: Unfinished,
    may_unlink: Callable[[], bool],
    while_working: Callable[[], None] = lambda: None,
) -> Ending | None:
    """Take up a removal that was under way; any number of times. None: not possible now, try later."""
    folder = unfinished.identity.relpath.rpartition("/")[0]
    inside = (f"{unfinished.aside}/{INSIDE}", f"{folder}/{unfinished.aside}".lstrip("/"))
    for relpath in inside:
        opened = _open_again(root, relpath)
        if opened in (Reason.LINK, Reason.NOT_REGULAR) or (
            opened is Reason.GONE and is_absent(root, relpath)
        ):
            continue
        if not isinstance(opened, OpenedFile):
            return None
        with opened:
            if not (opened.relpath == inside[0] or _was_vaulted(opened, unfinished, while_working)):
                continue
            return _finish_aside(root, opened, unfinished, may_unlink, while_working)
    relpath = unfinished.identity.relpath
    opened = _open_again(root, relpath)
    if isinstance(opened, OpenedFile):
        with opened:
            if _was_vaulted(opened, unfinished, while_working):
                tidy(root, unfinished.aside)
                vaulted = Content(unfinished.sha256, while_working)
                with WriteLease(opened.fd) as lease:
                    return take_away(root, opened, unfinished.aside, may_unlink, lease, vaulted)
    elif opened not in (Reason.LINK, Reason.NOT_REGULAR) and not is_absent(root, relpath):
        return None
    try:
        os.stat(unfinished.aside, dir_fd=root.fd, follow_symlinks=False)
    except FileNotFoundError:
        return Ending("not_removed", "gone")
    except OSError:
        return None
    return Ending("quarantined")


def _open_again(root: RootFolder, relpath: str) -> OpenedFile | Reason:
    try:
        return open_untrusted(root, relpath)
    except CannotOpen as refusal:
        return refusal.reason


def is_absent(root: RootFolder, relpath: str) -> bool:
    """Whether there is surely nothing of this root: a fault that may pass (ESTALE, EIO) is no answer."""
    try:
        os.close(root.beneath(relpath, os.O_PATH | os.O_NOFOLLOW))
    except OSError as error:
        return error.errno in _ABSENT
    except ValueError:  # no path at all
        return False
    return False


def _finish_aside(
    root: RootFolder,
    opened: OpenedFile,
    unfinished: Unfinished,
    may_unlink: Callable[[], bool],
    while_working: Callable[[], None],
) -> Ending:
    folder, _, name = unfinished.identity.relpath.rpartition("/")
    try:
        home = root.beneath(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        home = os.dup(root.fd)  # its folder is gone: put back, if need be, at the top
    place = Place(os.open(".", OPEN_FOLDER | os.O_CLOEXEC, dir_fd=opened.parent), opened.name)
    try:
        with WriteLease(opened.fd) as lease:
            doubt = None if _was_vaulted(opened, unfinished, while_working) else "changed"
            doubt = doubt or doubt_about(place, opened) or unlink_durably(place, may_unlink, lease)
        if doubt is None:
            return Ending("quarantined")
        back = put_back(place, root, home, name)
        return Ending("not_removed", doubt if back else f"{doubt}_left_aside")
    finally:
        os.close(home)
        os.close(place.folder)


def _was_vaulted(opened: OpenedFile, unfinished: Unfinished, while_working: Callable[[], None]) -> bool:
    """By content, not by number: device and inode numbers may change when a medium comes back."""
    return holds(opened.fd, unfinished.identity.size, unfinished.sha256, while_working)
