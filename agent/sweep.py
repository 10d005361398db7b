"""A walk of a root, or of one folder in it: the truth behind the events.

By descriptors beneath the root, through no link and into no other mount. It goes in small steps, so
that whoever drives it can do something more urgent between any two, or stop and let go of the medium.

`Sweep` goes through all folders and tells a digest of each, over the names, inodes, sizes and times of
what is in it. A folder whose digest the ledger knows holds nothing that was not judged; into the others
`Look` looks file by file.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from agent.crew import Fate
from agent.opening import CannotOpen, RootFolder, identity_of, reason_of
from agent.protocol import MAX_FOLDERS, MAX_UNSEEN, Identity
from detectors.engine.verdict import Reason

MAX_RELPATH_CHARS = 30_000
"""As JSON. What lies deeper cannot be reported in one packet; it is counted as `limit_depth`."""
STEP_ENTRIES = 2000
"""Entries of one step, a few milliseconds."""
_MOST_CHARS = 120_000  # of paths in one batch
_BREATH = 15  # entries between two breaths, as a mask
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look came across: a regular file, or something else that has a name."""

    identity: Identity
    regular: bool


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A folder with something in it besides folders, and the digest of that."""

    relpath: str
    digest: str


class _Listing:
    """One folder, open, and how far it was listed."""

    def __init__(self, root: RootFolder, relpath: str) -> None:
        """Raises `CannotOpen`."""
        self.relpath = relpath
        self.files = 0
        self.whole = True
        """Whether every entry could be looked at."""
        self._prefix = f"{relpath}/" if relpath else ""
        # six characters of JSON for one of a name at most, and its end
        self._roomy = len(json.dumps(relpath)) + 6 * 255 + 8 <= MAX_RELPATH_CHARS
        self._fd = root.folder(relpath)
        try:
            self.entries = os.scandir(self._fd)
        except OSError as error:
            os.close(self._fd)
            raise CannotOpen(reason_of(error)) from None
        self._digest = blake2b(str(root.device).encode(), digest_size=_DIGEST_BYTES)
        self._facts: list[str] = []

    def path_of(self, name: str) -> str | None:
        """The path of an entry below the root; None if it is too long to be told."""
        relpath = self._prefix + name
        return relpath if self._roomy or len(json.dumps(relpath)) <= MAX_RELPATH_CHARS else None

    def note(self, name: str, status: os.stat_result) -> None:
        """One more entry that is no folder."""
        self.files += 1
        facts = f"{name}/{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}/"
        self._facts.append(facts)

    def fold(self) -> str:
        """The digest of what was noted so far."""
        self._digest.update("".join(self._facts).encode("utf-8", "surrogateescape"))
        self._facts.clear()
        return self._digest.hexdigest()

    def close(self) -> None:
        self.entries.close()
        os.close(self._fd)


class Sweep:
    """One walk below `start` (a path below the root, "" the root itself); `done` says when it is over.

    With `resume`, a folder where an earlier one was cut off, it begins there and ends with what lies
    before it. Folders go in the order of their names, so that `cursor` says how far it has come.
    A `shallow` one ends with its first folder, and tells in `below` which folders lie in that.
    """

    def __init__(
        self, started_at: float, start: str = "", resume: str = "", *, shallow: bool = False
    ) -> None:
        self.started_at = started_at
        self.start = start
        self.cursor = start
        self.files = 0
        self.folders = 0
        self.judged = 0
        self.not_examined: Counter[str] = Counter()
        self._ahead = deque([start])
        self._resume = resume
        self._shallow = shallow
        self.below: list[str] = []
        self._listing: _Listing | None = None
        self._below: list[str] = []

    @property
    def done(self) -> bool:
        return self._listing is None and not self._ahead

    def step(self, root: RootFolder, while_working: Callable[[], None]) -> list[Surveyed]:
        """The next few folders that have anything in them; [] does not mean the end."""
        surveyed: list[Surveyed] = []
        left = STEP_ENTRIES
        while left > 0 and len(surveyed) < MAX_FOLDERS and not self.done:
            while_working()
            left -= 1
            if self._listing is None:
                self._enter(root)
                continue
            listed = self._list(self._listing, left, while_working)
            if listed < left:
                surveyed += self._leave(self._listing)
            left -= listed
        if self._listing is not None:
            self._listing.fold()  # what it has noted does not pile up
        return surveyed

    def count(self, fate: Fate) -> None:
        """What became of a file that was found: judged, or not examined for a reason."""
        self.judged += fate.step == "done"
        if fate.reason is not None:
            self.not_examined[fate.reason.value] += 1

    def close(self) -> None:
        """Let go of the folder at hand; the walk cannot go on."""
        if self._listing is not None:
            self._listing.close()
            self._listing = None

    def _enter(self, root: RootFolder) -> None:
        self.cursor = self._ahead.pop()
        self._below = []
        try:
            self._listing = _Listing(root, self.cursor)
        except CannotOpen as refusal:
            self._count_folder(refusal.reason)
        else:
            self.folders += 1

    def _list(self, listing: _Listing, most: int, while_working: Callable[[], None]) -> int:
        """Go on with a folder; fewer than `most` entries mean its end."""
        count = 0
        try:
            for entry in listing.entries:
                count += 1
                if not count & _BREATH:
                    while_working()
                self._meet(listing, entry)
                if count >= most:
                    break
        except OSError as error:
            self._count_folder(reason_of(error))
            listing.whole = False
        return count if listing.whole else 0

    def _meet(self, listing: _Listing, entry: os.DirEntry[str]) -> None:
        try:
            if entry.is_dir(follow_symlinks=False):
                self._below.append(entry.name)
                return
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            self.files += 1
            self.not_examined[reason_of(error).value] += 1
            listing.whole = False
            return
        self.files += 1
        if listing.path_of(entry.name) is None:
            self.not_examined[Reason.LIMIT_DEPTH.value] += 1
        else:
            listing.note(entry.name, status)

    def _leave(self, listing: _Listing) -> list[Surveyed]:
        """At a folder's end those in it come next, but what lies before `resume` at the very end."""
        self._listing = None
        listing.close()
        at = self._next_on_the_way(listing.relpath)
        told = {name: listing.path_of(name) for name in sorted(self._below)}
        paths = [(name, relpath) for name, relpath in told.items() if relpath is not None]
        if len(paths) < len(told):
            self.not_examined[Reason.LIMIT_DEPTH.value] += len(told) - len(paths)
        if self._shallow:
            self.below = [relpath for _, relpath in paths]
            paths = []
        self._ahead.extendleft(relpath for name, relpath in paths if at is not None and name < at)
        self._ahead.extend(relpath for name, relpath in reversed(paths) if at is None or name >= at)
        if not listing.files:
            return []
        return [Surveyed(listing.relpath, listing.fold() if listing.whole else "")]

    def _next_on_the_way(self, relpath: str) -> str | None:
        """The next component of `resume`, if this folder lies on the way there."""
        prefix = f"{relpath}/" if relpath else ""
        if not self._resume.startswith(prefix) or self._resume == relpath:
            return None
        return self._resume[len(prefix) :].split("/", 1)[0]

    def _count_folder(self, reason: Reason) -> None:
        if reason is not Reason.GONE:
            self.not_examined[reason.value] += 1


class Look:
    """One folder, file by file, without those below it. `digest` is that of all, once it is `done`."""

    def __init__(self, relpath: str) -> None:
        self.relpath = relpath
        self.digest = ""
        self.done = False
        self._listing: _Listing | None = None

    def step(self, root: RootFolder, while_working: Callable[[], None]) -> list[Sighting]:
        """The next few files, as `lstat` sees them; [] does not mean the end."""
        batch: list[Sighting] = []
        chars = 0
        try:
            if self._listing is None:
                self._listing = _Listing(root, self.relpath)
            while len(batch) < MAX_UNSEEN and chars < _MOST_CHARS:
                while_working()
                entry = next(self._listing.entries, None)
                if entry is None:
                    self._end(self._listing)
                    break
                if (sighting := self._meet(self._listing, entry)) is not None:
                    batch.append(sighting)
                    chars += len(json.dumps(sighting.identity.relpath))
        except (OSError, CannotOpen):  # the sweep has counted it
            self.close()
            self.done = True
        return batch

    def close(self) -> None:
        """Let go of the folder; the look cannot go on."""
        if self._listing is not None:
            self._listing.close()
            self._listing = None

    def _end(self, listing: _Listing) -> None:
        self.digest = listing.fold() if listing.whole else ""
        self.close()
        self.done = True

    @staticmethod
    def _meet(listing: _Listing, entry: os.DirEntry[str]) -> Sighting | None:
        try:
            if entry.is_dir(follow_symlinks=False):
                return None
            status = entry.stat(follow_symlinks=False)
        except OSError:
            listing.whole = False
            return None
        relpath = listing.path_of(entry.name)
        if relpath is None:
            return None
        listing.note(entry.name, status)
        return Sighting(identity_of(relpath, status), stat.S_ISREG(status.st_mode))
