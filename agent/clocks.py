"""Noticing that time did not pass as usual: the machine slept, or somebody set the clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.watcher import Cause

SLEPT_SECONDS = 2.0
"""CLOCK_BOOTTIME counts on while the machine sleeps, CLOCK_MONOTONIC does not."""
SET_SECONDS = 30.0
"""A clock that is merely kept in step moves by less."""


class Clocks:
    """Compares three clocks each time it is asked. `boot` and `wall` give seconds."""

    def __init__(
        self,
        boot: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._boot, self._wall = boot, wall
        self._slept: float | None = None
        self._set: float | None = None

    def look(self, monotonic: float) -> set[Cause]:
        """What has happened since the last look; `monotonic` is `time.monotonic()` now."""
        boot = self._boot()
        slept, offset = boot - monotonic, self._wall() - boot
        news: set[Cause] = set()
        if self._slept is not None and abs(slept - self._slept) > SLEPT_SECONDS:
            news.add("resumed")
        if self._set is not None and abs(offset - self._set) > SET_SECONDS:
            news.add("clock")
        self._slept, self._set = slept, offset
        return news
