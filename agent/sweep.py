"""A walk of a root, or of one folder in it: the truth behind the events.

By descriptors beneath the root, through no link and into no other mount. It goes in small steps, so
that whoever drives it can do something more urgent between any two, or stop and let go of the medium.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from agent.crew import Fate
from agent.opening import CannotOpen, RootFolder, identity_of, reason_of
from agent.protocol import MAX_UNSEEN, Identity
from detectors.engine.verdict import Reason

MAX_RELPATH_CHARS = 30_000
"""As JSON. What lies deeper cannot be reported in one packet; it is counted as `limit_depth`."""
_MOST_CHARS = 120_000  # of paths in one batch


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a sweep came across: a regular file, or something else that has a name."""

    identity: Identity
    regular: bool


class Sweep:
    """One walk below `start` (a path below the root, "" the root itself); `done` says when it is over."""

    def __init__(self, started_at: float, start: str = "") -> None:
        self.started_at = started_at
        self.start = start
        self.files = 0
        self.folders = 0
        self.judged = 0
        self.not_examined: Counter[str] = Counter()
        self.done = False
        self._ahead = [start]
        self._folder = ""
        self._fd = -1
        self._entries: os._ScandirIterator[str] | None = None

    def step(self, root: RootFolder, while_working: Callable[[], None]) -> list[Sighting]:
        """The next few files, as `lstat` sees them; [] does not mean the end."""
        batch: list[Sighting] = []
        chars = 0
        while len(batch) < MAX_UNSEEN and chars < _MOST_CHARS:
            while_working()
            entry = self._next(root)
            if entry is None:
                break
            sighting = self._look(entry)
            if sighting is not None:
                batch.append(sighting)
                chars += len(json.dumps(sighting.identity.relpath))
        return batch

    def count(self, fate: Fate) -> None:
        """What became of a file that was found: judged, or not examined for a reason."""
        self.judged += fate.step == "done"
        if fate.reason is not None:
            self.not_examined[fate.reason.value] += 1

    def close(self) -> None:
        """Let go of the folder at hand; the walk cannot go on."""
        if self._entries is not None:
            self._entries.close()
            self._entries = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _next(self, root: RootFolder) -> os.DirEntry[str] | None:
        """The next entry, or None after a folder's end (and at the very end)."""
        if self._entries is None and not self._enter(root):
            return None
        try:
            assert self._entries is not None
            return next(self._entries)
        except StopIteration:
            self.close()
        except OSError as error:
            self._count_folder(reason_of(error))
            self.close()
        self.done = not self._ahead
        return None

    def _enter(self, root: RootFolder) -> bool:
        if not self._ahead:
            self.done = True
            return False
        self._folder = self._ahead.pop()
        try:
            self._fd = root.folder(self._folder)
            self._entries = os.scandir(self._fd)
        except CannotOpen as refusal:
            self._count_folder(refusal.reason)
        except OSError as error:
            self.close()
            self._count_folder(reason_of(error))
        else:
            self.folders += 1
            return True
        self.done = not self._ahead
        return False

    def _count_folder(self, reason: Reason) -> None:
        if reason is not Reason.GONE:
            self.not_examined[reason.value] += 1

    def _look(self, entry: os.DirEntry[str]) -> Sighting | None:
        relpath = f"{self._folder}/{entry.name}" if self._folder else entry.name
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.files += 1
            self.not_examined[reason_of(error).value] += 1
            return None
        if len(json.dumps(relpath)) > MAX_RELPATH_CHARS:
            self.not_examined[Reason.LIMIT_DEPTH.value] += 1
            return None
        if stat.S_ISDIR(status.st_mode):
            self._ahead.append(relpath)
            return None
        self.files += 1
        return Sighting(identity_of(relpath, status), stat.S_ISREG(status.st_mode))
