"""The next small files of a sweep, judged several at a time by workers that they may share.

Only a verdict that nothing is done about is kept (docs/decisions/0015), and only for the very version of
the file that it is about. The story of each file is told as ever; it finds this part of it done.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from agent.examiner import MOST_TOGETHER, Asked
from agent.lease import WriteLease
from agent.opening import CannotOpen, OpenedFile, RootFolder, open_untrusted
from agent.protocol import Identity, Unseen, UnseenAnswer
from agent.watcher import FileEvent
from detectors.engine.exchange import MOST_SHARED_BYTES, harmless
from detectors.engine.verdict import Verdict

Examine = Callable[[Sequence[Asked]], list[Verdict]]
AskUnseen = Callable[[Unseen], UnseenAnswer]


class Foresight:
    """What is known ahead about files of one root."""

    def __init__(self, examine: Examine, unseen: AskUnseen) -> None:
        self._examine = examine
        self._unseen = unseen
        self._known: dict[Identity, Verdict] = {}

    def look(self, root: RootFolder, events: Sequence[FileEvent]) -> None:
        """Judge the small files among the next `events`; what was known before is forgotten."""
        self._known.clear()
        with ExitStack() as stack:
            files = []
            for event in events[:MOST_TOGETHER]:
                with suppress(CannotOpen):  # told when it is its turn
                    files.append(stack.enter_context(open_untrusted(root, event.relpath)))
            files = [file for file in files if 0 < file.status.st_size <= MOST_SHARED_BYTES]
            if len(files) < 2:
                return
            unseen = self._unseen(Unseen([file.identity() for file in files])).indexes
            self._judge([files[index] for index in unseen], stack)

    def recall(self, identity: Identity) -> Verdict | None:
        """What was found out about this version of a file, once."""
        return self._known.pop(identity, None)

    def knows(self, identity: Identity) -> bool:
        return identity in self._known

    def forget(self) -> None:
        self._known.clear()

    def _judge(self, files: Sequence[OpenedFile], stack: ExitStack) -> None:
        quiet, asked = [], []
        for file in files:
            with WriteLease(file.fd) as lease:
                if lease.in_use:
                    continue
            with suppress(OSError):
                descriptor = file.second_descriptor()
                stack.callback(os.close, descriptor)
                quiet.append(file)
                asked.append(Asked(descriptor, file.status.st_size))
        if not asked:
            return
        for file, verdict in zip(quiet, self._examine(asked), strict=True):
            if harmless(verdict) and file.unchanged():
                self._known[file.identity()] = verdict
