"""Two workstations watch one share: telling that the other one took a file which we were about to take.

Both may judge and vault a file, but only one rename can move it aside. Whoever comes second looks for
the notice of the first. Its own copy stays in custody and its alert is recorded, not sent: so there is one
alert, and nothing that somebody puts into a share can make a file vanish without a trace.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable

from agent import notice
from agent.removal import beside_name

TAKEN_BY_ANOTHER = "taken_by_another"
PATIENCE_SECONDS = 3.0
"""From moving a file aside to its notice, on a slow share."""
ASIDE_SECONDS = 60.0
"""What another workstation has moved aside is its business for so long."""
ASIDE_LOOK_SECONDS = 0.5
"""How often we see whether it is still there."""
_ASIDE = re.compile(r"(.*/)?\.recordwarden-[0-9a-f]{32}(/original)?")
_REFERENCE = re.compile(rb"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_LOOK_SECONDS = 0.02


def is_aside(relpath: str) -> bool:
    """Whether this is where a removal under way keeps an original."""
    return _ASIDE.fullmatch(relpath) is not None


def was_taken(parent: int, name: str, while_waiting: Callable[[], None]) -> bool:
    """Whether `name` is gone from the open folder `parent` and a notice stands there for it."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not _is_there(parent, name):
        if _has_notice(parent, beside_name(name, notice.ENDING)):
            return True
        if time.monotonic() >= until:
            return False
        while_waiting()
        time.sleep(_LOOK_SECONDS)
    return False


def _is_there(parent: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _has_notice(parent: int, name: str) -> bool:
    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(name, flags, dir_fd=parent)
    except OSError:
        return False
    try:
        return _REFERENCE.search(os.read(fd, 8192)) is not None
    except OSError:
        return False
    finally:
        os.close(fd)
