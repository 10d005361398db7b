"""How long the file at hand is still left alone: a program that goes on with it shall be noticed by then.

The look at a file begins at once. What is found may be told when the file has settled, and not before; what
is taken may be read and encrypted meanwhile, if that moment is short.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.opening import OpenedFile
from agent.watcher import FileEvent

MEANWHILE_SECONDS = 0.05
"""As long a moment at most passes in custody: what waits to write waits for a glance, not for the moment."""
_GLANCE_SECONDS = 0.001


class Settling:
    """One file's at a time."""

    def __init__(self) -> None:
        self._at = 0.0
        self.is_short = False
        """Whether custody may begin meanwhile."""

    def begin(self, event: FileEvent, seconds: float) -> None:
        """`seconds` after its event, whatever the clock says. What a sweep finds has settled long ago."""
        left = event.observed_at + seconds - time.time() if event.origin == "event" else 0.0
        self._at = time.monotonic() + min(max(left, 0.0), seconds)
        self.is_short = seconds <= MEANWHILE_SECONDS

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._at

    def wait(self, glance: Callable[[], None] | None = None) -> None:
        """Until it is over; what `glance` raises, a thousand times a second, ends the wait."""
        while (left := self._at - time.monotonic()) > 0:
            time.sleep(min(left, _GLANCE_SECONDS) if glance else left)
            if glance:
                glance()

    def ends_well(self, opened: OpenedFile, glance: Callable[[], None] | None = None) -> bool:
        """Wait, and say whether the file is still as it was opened, if there was anything to wait for."""
        if self.over:
            return True
        self.wait(glance)
        return opened.unchanged()
