"""Sweeps, a small piece of work at a time: new folders first, then the whole root."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from agent.crew import Ask, Fate
from agent.examiner import MOST_TOGETHER
from agent.opening import RootFolder
from agent.protocol import (
    MAX_FOLDERS,
    Cursor,
    Done,
    Folders,
    FoldersAnswer,
    FoldersKnown,
    Swept,
    Unseen,
    UnseenAnswer,
    folder_key,
)
from agent.settle import Settle
from agent.sweep import MAX_RELPATH_CHARS, Look, Sighting, Sweep
from agent.watcher import Change, FileEvent

CALM_SECONDS = 2.0
"""Least time from one sweep to the next that nobody asked for by name; at least as long as the last took."""
MARK_SECONDS = 10.0
"""How often a sweep of the whole root notes how far it has come."""
_MOST_FOLDERS = 1000


@dataclass(slots=True)
class _Lane:
    """A sweep under way, and what it has found and nobody has looked at yet, the most urgent last."""

    sweep: Sweep | None = None
    unknown: deque[str] = field(default_factory=deque)
    """Folders in which there may be something new."""
    look: Look | None = None
    quiet: bool = True
    """Whether all that this look came across was judged before."""
    known: list[tuple[str, str]] = field(default_factory=list)
    """Folders that were quiet, to be told to the ledger."""
    found: deque[FileEvent] = field(default_factory=deque)
    foreseen: int = 0
    """How many of `found` were told to `foresee` and wait for their turn."""
    following: int = 0
    """How many behind these were told to come next."""

    @property
    def busy(self) -> bool:
        return bool(self.sweep or self.look or self.unknown or self.found)

    def let_go(self) -> None:
        """Close what is open."""
        for walk in (self.sweep, self.look):
            if walk is not None:
                walk.close()


class Rounds:
    """Which sweeps are wanted, those under way, and what they have found.

    `judge` looks at one file; files that are fresh go to `settle` instead, as somebody may still be
    writing them. `foresee` is told which files come now and which behind these, and gives the paths of
    those that are done with by that. `ask` is the line to the supervisor, `cursor` where the last whole sweep
    was cut off. Times are `time.monotonic()`.
    """

    def __init__(
        self,
        settle: Settle,
        ask: Ask,
        judge: Callable[[FileEvent], Fate],
        quiet_seconds: float,
        cursor: str = "",
        foresee: Callable[[Sequence[FileEvent], Sequence[FileEvent]], set[str]] = lambda now, next: set(),
    ) -> None:
        self._settle = settle
        self._ask = ask
        self._judge = judge
        self._foresee = foresee
        self._quiet_seconds = quiet_seconds
        self._cursor = cursor
        self._marked = bool(cursor)
        self._mark_at = 0.0
        self._folders: deque[str] = deque()
        self._folder = _Lane()
        self._whole = _Lane()
        self._wanted_at: float | None = None
        self._insisted = False
        self.paused = False
        """Routine sweeps of the whole root wait; nothing else does."""
        self._calm_until = 0.0
        self._began_at = 0.0
        self.ended_at = 0.0

    def want(self, now: float, *, at_once: bool = False, routine: bool = False) -> None:
        """The whole root shall be swept, from its beginning; `routine` may be put off by a pause."""
        self._insisted = self._insisted or not routine
        at = now if at_once else max(now, self._calm_until)
        self._wanted_at = at if self._wanted_at is None else min(at, self._wanted_at)

    def want_folder(self, relpath: str, now: float) -> None:
        """One folder shall be swept, with all that is in it."""
        if len(self._folders) >= _MOST_FOLDERS:
            self._folders.clear()
            self.want(now)
        elif not any(relpath == f or relpath.startswith(f + "/") for f in self._folders):
            self._folders.append(relpath)

    def want_look(self, relpath: str) -> None:
        """The files of one folder shall be looked at, without those below it."""
        self._folder.unknown.append(relpath)

    @property
    def backlog(self) -> int:
        """Files that were found and not yet looked at."""
        return len(self._folder.found) + len(self._whole.found)

    @property
    def under_way(self) -> bool:
        """Whether there is something to do at once."""
        return self._folder.busy or (self._whole.busy and not self._waits) or bool(self._folders)

    @property
    def _waits(self) -> bool:
        return self.paused and not self._insisted

    def due(self) -> float | None:
        """When the next sweep of the whole root shall begin, if one is wanted."""
        return None if self._whole.busy or self._waits else self._wanted_at

    def work(self, root: RootFolder, breathe: Callable[[], None], now: float) -> bool:
        """Do one piece of work; False if there was none."""
        if self._folder.busy:
            self._advance(self._folder, root, breathe)
        elif self._folders:
            self._folder.sweep = Sweep(time.time(), self._folders.popleft())
        elif self._waits:
            return False
        elif self._whole.busy:
            self._advance(self._whole, root, breathe)
        elif self._wanted_at is not None and self._wanted_at <= now:
            self._wanted_at, self._began_at = None, now
            self._whole.sweep = Sweep(time.time(), resume=self._cursor)
            self._cursor, self._mark_at = "", now + MARK_SECONDS
        else:
            return False
        return True

    def stop(self, now: float) -> None:
        """The root was lost: what was under way is wanted again, and reported as incomplete."""
        if self.under_way:
            self.want(now)
        whole = self._whole.sweep
        self.let_go()
        self._folders.clear()
        self._folder, self._whole = _Lane(), _Lane()
        if whole is not None:
            self._cursor = whole.cursor
            self._report(whole, complete=False)

    def let_go(self) -> None:
        """Close what is open, and say nothing."""
        for lane in (self._folder, self._whole):
            lane.let_go()

    def _advance(self, lane: _Lane, root: RootFolder, breathe: Callable[[], None]) -> None:
        """The most urgent piece of a sweep: the folder at hand if few files are known, a file, the next
        folders."""
        is_short = len(lane.found) < 2 * MOST_TOGETHER
        if is_short and lane.look is not None:
            self._go_on_looking(lane, lane.look, root, breathe)
        elif is_short and lane.unknown:
            lane.look, lane.quiet = Look(lane.unknown.popleft()), True
        elif lane.foreseen:
            lane.foreseen -= 1
            fate = self._judge(lane.found.popleft())
            if lane.sweep is not None and fate.step != "later":
                lane.sweep.count(fate)
        elif lane.found:
            self._look_ahead(lane)
        elif lane.sweep is not None and not lane.sweep.done:
            self._survey(lane, lane.sweep, root, breathe)
        elif lane.sweep is not None:
            self._tell_known(lane)
            sweep, lane.sweep = lane.sweep, None
            if lane is self._whole:
                self._report(sweep, complete=True)

    def _look_ahead(self, lane: _Lane) -> None:
        """Have the next files judged together, as far as may be; the others of them come one by one."""
        now = list(islice(lane.found, lane.following or MOST_TOGETHER))
        following = list(islice(lane.found, len(now), len(now) + MOST_TOGETHER))
        lane.following = len(following)
        over = self._foresee(now, following)
        left = [event for event in now if event.relpath not in over]
        for _ in now:
            lane.found.popleft()
        lane.found.extendleft(reversed(left))
        lane.foreseen = len(left)
        if lane.sweep is not None:
            lane.sweep.judged += len(now) - len(left)

    def _survey(self, lane: _Lane, sweep: Sweep, root: RootFolder, breathe: Callable[[], None]) -> None:
        surveyed = sweep.step(root, breathe)
        if surveyed:
            pairs = [(folder_key(folder.relpath), folder.digest) for folder in surveyed]
            answer = self._ask(Folders(pairs), FoldersAnswer)
            lane.unknown.extend(surveyed[index].relpath for index in answer.unknown)
        if lane is self._whole and time.monotonic() >= self._mark_at:
            self._mark(sweep.cursor)

    def _go_on_looking(self, lane: _Lane, look: Look, root: RootFolder, breathe: Callable[[], None]) -> None:
        batch = look.step(root, breathe)
        if batch:
            answer = self._ask(Unseen([sighting.identity for sighting in batch]), UnseenAnswer)
            lane.quiet = lane.quiet and answer.quiet
            for index in answer.indexes:
                self._take_on(lane, batch[index])
        if look.done:
            lane.look = None
            if lane.quiet and look.digest:
                lane.known.append((folder_key(look.relpath), look.digest))
                if lane.sweep is None or len(lane.known) >= MAX_FOLDERS:
                    self._tell_known(lane)

    def _tell_known(self, lane: _Lane) -> None:
        if lane.known:
            self._ask(FoldersKnown(lane.known), Done)
            lane.known = []

    def _mark(self, cursor: str) -> None:
        """Remember how far we are, for whoever goes on when we do not."""
        self._mark_at = time.monotonic() + MARK_SECONDS
        self._marked = bool(cursor)
        self._ask(Cursor(cursor if len(json.dumps(cursor)) < MAX_RELPATH_CHARS else ""), Done)

    def _take_on(self, lane: _Lane, sighting: Sighting) -> None:
        wall = time.time()
        event = FileEvent(sighting.identity.relpath, Change.CHANGED, "sweep", wall)
        age = wall - sighting.identity.mtime_ns / 1e9
        if sighting.regular and 0 <= age < self._quiet_seconds:
            self._settle.note(event, time.monotonic())
        else:
            lane.found.append(event)

    def _report(self, sweep: Sweep, complete: bool) -> None:
        self.ended_at = time.monotonic()
        self._insisted = self._insisted and self._wanted_at is not None
        self._calm_until = self.ended_at + max(CALM_SECONDS, self.ended_at - self._began_at)
        counts = dict(sweep.not_examined)
        if complete and self._marked:
            self._mark("")
        self._ask(Swept(sweep.started_at, sweep.files, sweep.folders, sweep.judged, counts, complete), Done)
