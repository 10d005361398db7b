"""Sweeps, one after the other, a small piece of work at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from agent.crew import Ask, Fate
from agent.opening import RootFolder
from agent.protocol import Done, Swept, Unseen, UnseenAnswer
from agent.settle import Settle
from agent.sweep import Sighting, Sweep
from agent.watcher import Change, FileEvent

CALM_SECONDS = 2.0
"""Between the beginnings of two sweeps that nobody asked for by name."""
_MOST_FOLDERS = 1000


class Rounds:
    """Which sweeps are wanted, the one under way, and what it has found.

    `judge` looks at one file; files that are fresh go to `settle` instead, as somebody may still be
    writing them. `ask` is the line to the supervisor.
    """

    def __init__(
        self, settle: Settle, ask: Ask, judge: Callable[[FileEvent], Fate], quiet_seconds: float
    ) -> None:
        self._settle = settle
        self._ask = ask
        self._judge = judge
        self._quiet_seconds = quiet_seconds
        self._folders: deque[str] = deque()
        self._found: deque[FileEvent] = deque()
        self._sweep: Sweep | None = None
        self._wanted_at: float | None = None
        self._began_at = -CALM_SECONDS
        self.ended_at = 0.0

    def want(self, now: float, *, at_once: bool = False) -> None:
        """The whole root shall be swept, from its beginning."""
        at = now if at_once else max(now, self._began_at + CALM_SECONDS)
        self._wanted_at = at if self._wanted_at is None else min(at, self._wanted_at)

    def want_folder(self, relpath: str, now: float) -> None:
        """One folder shall be swept, with all that is in it."""
        if len(self._folders) >= _MOST_FOLDERS:
            self._folders.clear()
            self.want(now)
        elif not any(relpath == f or relpath.startswith(f + "/") for f in self._folders):
            self._folders.append(relpath)

    @property
    def backlog(self) -> int:
        """Files that were found and not yet looked at."""
        return len(self._found)

    @property
    def under_way(self) -> bool:
        """Whether there is something to do at once."""
        return self._sweep is not None or bool(self._found or self._folders)

    def due(self) -> float | None:
        """When the next sweep shall begin, if one is wanted and none is under way."""
        return self._wanted_at

    def work(self, root: RootFolder, breathe: Callable[[], None], now: float) -> bool:
        """Do one piece of work; False if there was none."""
        if self._found:
            self._look()
        elif self._sweep is not None:
            self._walk(self._sweep, root, breathe)
        elif self._wanted_at is not None and self._wanted_at <= now:
            self._wanted_at, self._began_at = None, now
            self._folders.clear()  # they are part of it
            self._sweep = Sweep(time.time())
        elif self._folders:
            self._sweep = Sweep(time.time(), self._folders.popleft())
        else:
            return False
        return True

    def stop(self, now: float) -> None:
        """The root was lost: what was under way is wanted again, and reported as incomplete."""
        if self._sweep is not None:
            self._sweep.close()
            self._report(self._sweep, complete=False)
            self._sweep = None
            self.want(now)
        self._found.clear()

    def let_go(self) -> None:
        """Close what is open, and say nothing: the end."""
        if self._sweep is not None:
            self._sweep.close()

    def _look(self) -> None:
        fate = self._judge(self._found.popleft())
        if self._sweep is not None and fate.step != "later":
            self._sweep.count(fate.reason)

    def _walk(self, sweep: Sweep, root: RootFolder, breathe: Callable[[], None]) -> None:
        if sweep.done:
            self._sweep = None
            self._report(sweep, complete=True)
            return
        batch = sweep.step(root, breathe)
        if batch:
            answer = self._ask(Unseen([sighting.identity for sighting in batch]), UnseenAnswer)
            for index in answer.indexes:
                self._take_on(batch[index])

    def _take_on(self, sighting: Sighting) -> None:
        wall = time.time()
        event = FileEvent(sighting.identity.relpath, Change.CHANGED, "sweep", wall)
        age = wall - sighting.identity.mtime_ns / 1e9
        if sighting.regular and 0 <= age < self._quiet_seconds:
            self._settle.note(event, time.monotonic())
        else:
            self._found.append(event)

    def _report(self, sweep: Sweep, complete: bool) -> None:
        if sweep.start:
            return
        self.ended_at = time.monotonic()
        counts = dict(sweep.not_examined)
        self._ask(Swept(sweep.started_at, sweep.files, sweep.folders, sweep.judged, counts, complete), Done)
