"""Looking after a network share, whose server tells nobody what others write, folder by folder.

A folder in which something changed is looked at again soon, one in which nothing does less and less
often, but each within `seconds`, unless that would be more than a tenth of the time: then all of them
wait. No disk and no clock in here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

EAGERNESS = 8
"""How many times as often a folder is looked at in which something has just changed."""
PAUSE = 9
"""A look is followed by a rest so many times as long as it took."""
MOST_FOLDERS = 50_000


@dataclass(slots=True)
class _Beat:
    due: float
    interval: float
    known: tuple[str, frozenset[str]] | None = None
    """Digest of the files and the names of the folders, as last seen."""


class Patrol:
    """The folders of one share. Bounded: what is beyond `most` is left to the sweeps, see `complete`."""

    def __init__(self, seconds: float, most: int = MOST_FOLDERS) -> None:
        self._seconds = seconds
        self._most = most
        self._beats: dict[str, _Beat] = {}
        self._queue: list[tuple[float, str]] = []
        self._rest_until = 0.0
        self.complete = True
        """Whether every folder is looked after."""

    def __len__(self) -> int:
        return len(self._beats)

    def begin(self, now: float) -> None:
        """From the top, as when the share was lost."""
        self._beats.clear()
        self._queue.clear()
        self.complete = True
        self._add("", now)

    def due(self) -> float | None:
        """When the next look is due; None before `begin`."""
        while self._queue:
            at, relpath = self._queue[0]
            beat = self._beats.get(relpath)
            if beat is not None and beat.due == at:
                return max(at, self._rest_until)
            heapq.heappop(self._queue)
        return None

    def next(self, now: float) -> str | None:
        """The folder to look at now; it must be reported by `looked` or `gone`."""
        due = self.due()
        return self._queue[0][1] if due is not None and due <= now else None

    def looked(self, relpath: str, digest: str, below: Iterable[str], took: float, now: float) -> bool:
        """A folder was seen with these files and these folders in it (paths below the root); whether
        its files may have changed. The first look at a folder is a change."""
        self._rest_until = now + PAUSE * took
        beat = self._beats[relpath]
        folders = frozenset(below)
        before, beat.known = beat.known, (digest, folders)
        changed = before is None or not digest or digest != before[0]
        active = before is not None and beat.known != before
        shortest = self._seconds / EAGERNESS
        beat.interval = shortest if active else min(self._seconds, 2 * beat.interval)
        beat.due = now + beat.interval
        heapq.heappush(self._queue, (beat.due, relpath))
        for gone in before[1] - folders if before else ():
            self.gone(gone)
        for new in folders - before[1] if before else folders:
            self._add(new, now)
        return changed

    def gone(self, relpath: str) -> None:
        """A folder is no more; what was below it shows by itself."""
        beat = self._beats.pop(relpath, None)
        if beat is not None and beat.known is not None:
            for below in beat.known[1]:
                self.gone(below)

    def _add(self, relpath: str, now: float) -> None:
        if relpath in self._beats:
            return
        if len(self._beats) >= self._most:
            self.complete = False
            return
        self._beats[relpath] = _Beat(now, self._seconds / EAGERNESS)
        heapq.heappush(self._queue, (now, relpath))
