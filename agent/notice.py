"""The notice that is left where a file was: what happened, why, and how to get it back."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress

from agent.escape import escape
from agent.removal import MAX_NAME_BYTES, beside_name

ENDING = ".quarantined.txt"
_MOST_NOTICES = 50  # of one name in one folder
_MOST_BYTES = 64 * 1024
_ROOMS = (MAX_NAME_BYTES, 143)
"""How long a name may be: nearly everywhere, and where names are encrypted (eCryptfs)."""


def text(template: str, name: str, entry_id: str) -> str:
    """The notice's words. Nothing in them comes out of the file; its name is escaped."""
    known = {"file": escape(name), "reference": entry_id}
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], found[0]), template)


def leave(parent: int, name: str, words: str, reference: str, owner: tuple[int, int]) -> bool:
    """Write a notice for `name` into the open folder `parent`; False if there is no room or no right.

    Never over another file and never through a link. If one with this `reference` is there already,
    that one will do. `owner` (uid, gid) may then delete it as their own.
    """
    for target in _targets(name):
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(target, flags, 0o644, dir_fd=parent)
        except FileExistsError:
            if _speaks_of(parent, target, reference):
                return True
            fd = _begun(parent, target, owner[0])
            if fd < 0:
                continue
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # some file systems have less room for a name
                continue
            return False
        return _write(fd, parent, target, words.encode(), owner)
    return False


def _begun(parent: int, target: str, owner: int) -> int:
    """A descriptor of a notice that was begun and never written, because we died; -1 if it is none: it
    must be empty, ours or the owner's, and have this name alone."""
    try:
        fd = os.open(target, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except OSError:
        return -1
    status = os.fstat(fd)
    if (
        stat.S_ISREG(status.st_mode)
        and (status.st_size, status.st_nlink) == (0, 1)
        and status.st_uid in (os.geteuid(), owner)
    ):
        return fd
    os.close(fd)
    return -1


def take_away(parent: int, name: str, reference: str) -> bool:
    """Remove the notice for `name` that speaks of `reference` from the open folder `parent`, if any."""
    for target in _targets(name):
        if _speaks_of(parent, target, reference):
            with suppress(OSError):
                os.unlink(target, dir_fd=parent)
                return True
    return False


def _targets(name: str) -> Iterator[str]:
    """The names a notice for `name` may have, in the order in which they are tried."""
    for room in _ROOMS if len(os.fsencode(name)) + len(ENDING) > _ROOMS[-1] else _ROOMS[:1]:
        for number in range(1, _MOST_NOTICES + 1):
            yield beside_name(name, ENDING if number == 1 else f".quarantined-{number}.txt", room)


def _write(fd: int, parent: int, target: str, words: bytes, owner: tuple[int, int]) -> bool:
    try:
        with suppress(OSError):  # a medium without owners
            os.fchown(fd, *owner)
        try:
            if os.write(fd, words) != len(words):
                raise OSError
            os.fsync(fd)  # a power cut must not leave an empty one
        except OSError:
            os.unlink(target, dir_fd=parent)
            return False
        return True
    except OSError:
        return False
    finally:
        os.close(fd)


def _speaks_of(parent: int, target: str, reference: str) -> bool:
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(target, flags, dir_fd=parent)
    except OSError:
        return False
    try:
        return reference.encode() in os.read(fd, _MOST_BYTES)
    except OSError:
        return False
    finally:
        os.close(fd)
