"""When the courier asks the console for its bundle of papers, and what it brought.

Asked at the start and from then on at the pace of the heartbeat, with the serial that is held already, so
that nothing is sent while nothing is new. What was taken is asked for once more soon: so the console
learns of it. The courier may be anybody's by now: what it brings is read only out of sealed memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.carried import Carried
from agent.memory_file import content_of
from agent.paper_bundle import MOST_BYTES, BadBundle

SINK = "console"
EVERY_SECONDS = 3600.0
"""Where heartbeats are switched off."""
CONFIRM_SECONDS = 5.0
PATIENCE_SECONDS = 600.0
"""After so long without an answer it is asked again."""


class Fetching:
    """For one courier's console."""

    def __init__(
        self,
        carried: Carried,
        every_seconds: float,
        delay: Callable[[int], float],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`delay`: seconds to wait after so many failures in a row."""
        self._carried, self._say, self._clock = carried, say, clock
        self._every_seconds, self._delay = every_seconds or EVERY_SECONDS, delay
        self._next_at = 0.0
        self._failures = 0
        self._is_asked = False

    def order(self) -> dict[str, Any] | None:
        """What the courier shall fetch now, if anything."""
        now = self._clock()
        if now < self._next_at or self._carried.is_busy:
            return None
        self._next_at = now + PATIENCE_SECONDS
        if not self._carried.key:
            self._next_at = now + self._every_seconds
            return None
        self._is_asked = True
        return {
            "do": "fetch", "sink": SINK, "agent": self._carried.host_id, "after": self._carried.serial,
            "most": MOST_BYTES + 1,
        }  # fmt: skip

    def hurry(self) -> None:
        """Ask at once."""
        self._next_at = 0.0

    def answered(self, told: Mapping[str, Any], fds: Sequence[int]) -> None:
        """The courier has tried: `fds` holds the bundle, if any. What nobody asked for is let be."""
        if not self._is_asked:
            return
        self._is_asked = False
        self._next_at = self._clock() + self._every_seconds
        if not told.get("ok"):
            self._carried.fault = str(told.get("code"))[:40]
            soon = self._delay(self._failures)
            self._next_at = min(self._next_at, self._clock() + soon)
            self._failures += 1
            return
        self._failures = 0
        if not fds:
            self._carried.unchanged()
            return
        before = self._carried.serial
        try:
            self._carried.take(content_of(fds[0], MOST_BYTES) or b"", "console")
        except BadBundle as bad:
            self._say(f"the console's bundle of papers is refused, the last good one stays: {bad}")
        if self._carried.is_busy or self._carried.serial != before:
            self._next_at = self._clock() + min(CONFIRM_SECONDS, self._every_seconds)
