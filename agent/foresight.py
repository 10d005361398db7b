"""The next small files of a sweep, judged several at a time by workers that they may share.

While one round of them is waited for, the next is asked about already. What is found to be harmless
(docs/decisions/0015) is told to the supervisor for all of a round at once, and with that the story of these
files is over. What a worker of its own said of a file is kept for its turn, unless something would be
done about it: then it is judged when it is its turn. All holds for the very version of a file only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from agent.examiner import MOST_TOGETHER, Asked, Round
from agent.lease import WriteLease
from agent.opening import CannotOpen, OpenedFile, RootFolder, open_untrusted
from agent.others import is_aside
from agent.protocol import Identity, Judged, Unseen, UnseenAnswer
from agent.watcher import FileEvent
from detectors.engine.exchange import MOST_SHARED_BYTES, harmless
from detectors.engine.verdict import PASSING_FAULTS, Verdict

_MOST_CHARS = 60_000
"""Of the paths of one round, as JSON: all are told in one packet."""


class Asks(Protocol):
    """The sandbox, as far as several files may be asked about together."""

    def ask_together(self, files: Sequence[Asked]) -> Round: ...

    def give_up(self, asked: Round) -> None: ...


@dataclass(slots=True)
class _UnderWay:
    """Files that were asked about: `events` are all that were looked at, `files` those that are judged."""

    events: Sequence[FileEvent]
    files: list[tuple[FileEvent, OpenedFile]]
    asked: Round | None

    def close(self) -> None:
        for _, file in self.files:
            file.close()
        for one in self.asked.files if self.asked else ():
            os.close(one.fd)


class Foresight:
    """What is known ahead about files of one root.

    `hear` waits for the verdicts of what was asked; `unseen` asks the supervisor which files need a
    judgement, `tell` tells it of several at once.
    """

    def __init__(
        self,
        sandbox: Asks,
        hear: Callable[[Round], list[Verdict]],
        unseen: Callable[[Unseen], UnseenAnswer],
        tell: Callable[[Sequence[Judged]], object],
    ) -> None:
        self._sandbox, self._hear, self._unseen, self._tell = sandbox, hear, unseen, tell
        self._known: dict[Identity, Verdict] = {}
        self._next: _UnderWay | None = None

    def look(
        self,
        root: RootFolder,
        events: Sequence[FileEvent],
        following: Sequence[FileEvent] = (),
        apart: Container[str] = (),
    ) -> set[str]:
        """Judge the small files among `events`; what was known before is forgotten. Gives the paths of
        those whose story is over. `following` come next time; those `apart` are left for their turn.
        """
        self._known.clear()
        if self._next is None or self._next.events != events:
            self._give_up()
            self._next = self._begin(root, events, apart)
        now, self._next = self._next, None
        try:
            if following:
                self._next = self._begin(root, following, apart)
            return self._end(now)
        finally:
            now.close()

    def recall(self, identity: Identity) -> Verdict | None:
        """What was found out about this version of a file, once."""
        return self._known.pop(identity, None)

    def knows(self, identity: Identity) -> bool:
        return identity in self._known

    def forget(self) -> None:
        self._known.clear()
        self._give_up()

    def _give_up(self) -> None:
        if self._next is not None:
            if self._next.asked is not None:
                self._sandbox.give_up(self._next.asked)
            self._next.close()
            self._next = None

    def _begin(self, root: RootFolder, events: Sequence[FileEvent], apart: Container[str]) -> _UnderWay:
        begun = _UnderWay(events, [], None)
        try:
            room = _MOST_CHARS
            for event in events[:MOST_TOGETHER]:
                room -= len(json.dumps(event.relpath))
                if room < 0:
                    break
                if event.relpath in apart or is_aside(event.relpath):
                    continue
                with suppress(CannotOpen):  # told when it is its turn
                    begun.files.append((event, open_untrusted(root, event.relpath)))
            self._keep(begun, [0 < file.status.st_size <= MOST_SHARED_BYTES for _, file in begun.files])
            if len(begun.files) < 2:
                self._keep(begun, [False] * len(begun.files))
                return begun
            unseen = set(self._unseen(Unseen([file.identity() for _, file in begun.files])).indexes)
            self._keep(begun, [index in unseen for index in range(len(begun.files))])
            self._keep(begun, [_is_quiet(file) for _, file in begun.files])
            asked = [_asked(file) for _, file in begun.files]
            self._keep(begun, [one is not None for one in asked])
            if begun.files:
                begun.asked = self._sandbox.ask_together([one for one in asked if one is not None])
        except BaseException:
            begun.close()
            raise
        return begun

    @staticmethod
    def _keep(begun: _UnderWay, wanted: Sequence[bool]) -> None:
        """Those files alone; let go of the others."""
        for (_, file), is_wanted in zip(begun.files, wanted, strict=True):
            if not is_wanted:
                file.close()
        begun.files = [one for one, is_wanted in zip(begun.files, wanted, strict=True) if is_wanted]

    def _end(self, begun: _UnderWay) -> set[str]:
        if begun.asked is None:
            return set()
        over: list[Judged] = []
        for (event, file), verdict in zip(begun.files, self._hear(begun.asked), strict=True):
            if not file.unchanged():
                continue
            if harmless(verdict) and not verdict.advisories:
                owner, mode = file.status.st_uid, file.status.st_mode
                told = verdict.to_json(), event.origin, event.observed_at, owner, mode
                over.append(Judged(file.identity(), *told))
            elif not verdict.flagged and verdict.reason not in PASSING_FAULTS:
                self._known[file.identity()] = verdict
        if over:
            self._tell(over)
        return {one.identity.relpath for one in over}


def _asked(file: OpenedFile) -> Asked | None:
    try:
        return Asked(file.second_descriptor(), file.status.st_size)
    except OSError:
        return None


def _is_quiet(file: OpenedFile) -> bool:
    with WriteLease(file.fd) as lease:
        return not lease.in_use
