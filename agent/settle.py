"""When is a file worth a look? Events in, ready files out; no clock and no disk in here.

A file is ready almost at once after it was closed or moved to its name, a moment later if that happens to
it again and again, or after it has been quiet for long enough if nobody closed it; but nothing that keeps
changing is put off for ever. Ready to be looked at: whoever would take it lets the moment pass first.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

from agent.watcher import Change, FileEvent

FIRST_SECONDS = 0.001
"""From a close to the rename with which most programs end a save: the old name needs no look."""
LIVELY_SECONDS = 1.0
"""What was closed so long ago, and is closed again, is being written in pieces."""
_MOST_LIVELY = 10_000
PATIENCE = 30
"""How many quiet times a file that never rests is waited for."""


@dataclass(slots=True)
class _Wait:
    event: FileEvent
    since: float
    due: float


class Settle:
    """Bounded: past `most` names new ones are dropped and `overflowed` is set; a sweep will find them."""

    def __init__(self, settle_seconds: float, quiet_seconds: float, most: int = 50_000) -> None:
        self._settle = settle_seconds
        self._quiet = quiet_seconds
        self._most = most
        self._waits: dict[tuple[str, bool], _Wait] = {}
        self._queue: list[tuple[float, tuple[str, bool]]] = []
        self._closed: dict[tuple[str, bool], float] = {}
        self.overflowed = False

    def __len__(self) -> int:
        return len(self._waits)

    def note(self, event: FileEvent, now: float) -> None:
        """Something happened. `now` is any clock that only goes forward, in seconds."""
        key = (event.relpath, event.change is Change.FOLDER)
        if event.change is Change.GONE:
            self._waits.pop((event.relpath, False), None)
            self._waits.pop((event.relpath, True), None)
            return
        known = self._waits.get(key)
        if known is not None and event.writer is None:
            event = replace(event, writer=known.event.writer)
        rest = self._quiet if event.change is Change.CHANGED else self._moment(key, now)
        since = known.since if known else now
        self._put(key, _Wait(event, since, min(now + rest, max(since + PATIENCE * self._quiet, now))))

    def _moment(self, key: tuple[str, bool], now: float) -> float:
        """How long a file rests that was closed just now."""
        lively = now - self._closed.pop(key, -LIVELY_SECONDS) < LIVELY_SECONDS
        self._closed[key] = now
        if len(self._closed) > _MOST_LIVELY:
            del self._closed[next(iter(self._closed))]
        return self._settle if lively else min(self._settle, FIRST_SECONDS)

    def postpone(self, event: FileEvent, due: float) -> None:
        """Look again at `due`, unless something happens to the file before."""
        key = (event.relpath, event.change is Change.FOLDER)
        if key not in self._waits:
            self._put(key, _Wait(event, due, due))

    def _put(self, key: tuple[str, bool], wait: _Wait) -> None:
        if key not in self._waits and len(self._waits) >= self._most:
            self.overflowed = True
            return
        self._waits[key] = wait
        heapq.heappush(self._queue, (wait.due, key))
        if len(self._queue) > 4 * len(self._waits) + 64:  # mostly outdated: rebuild
            self._queue = [(w.due, k) for k, w in self._waits.items()]
            heapq.heapify(self._queue)

    def due(self) -> float | None:
        """When the next file will be ready; None if none waits."""
        while self._queue:
            due, key = self._queue[0]
            wait = self._waits.get(key)
            if wait is not None and wait.due == due:
                return due
            heapq.heappop(self._queue)
        return None

    def ready(self, now: float) -> FileEvent | None:
        """The next ready file or folder, which is then forgotten here; None if all must still wait."""
        due = self.due()
        if due is None or due > now:
            return None
        _, key = heapq.heappop(self._queue)
        return self._waits.pop(key).event
