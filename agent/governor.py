"""So that the service is not felt: when sweeps pause, and how low its work ranks.

Only routine sweeps of what stays in place ever pause: fresh files, sweeps that answer a doubt or were asked
for, and all work on removable drives go on. Whatever the reason, a pause ends after `longest_pause_seconds`
for as long as `TURN_SECONDS`, because a place that is never swept is not covered.

What our keepers and workers use counts as `nice` with the kernel, so that the service does not pause for
its own load.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

import psutil

from agent.database import Event
from agent.post import Post
from agent.volumes import is_drive
from config.settings import GovernorSettings, IoClass

CHECK_SECONDS = 10.0
TURN_SECONDS = 3600.0
_CALMER = 0.8
"""Under which part of a threshold a pause ends, so that it does not come and go."""
_IO = {IoClass.BEST_EFFORT: psutil.IOPRIO_CLASS_BE, IoClass.IDLE: psutil.IOPRIO_CLASS_IDLE}


class Machine(Protocol):
    """What is asked of the machine."""

    def busy_percent(self) -> float:
        """Of all processors since the last call, without what ran nicely."""

    def memory_percent(self) -> float: ...

    def on_battery(self) -> bool: ...


class ThisMachine:
    """Asked through psutil."""

    def __init__(self) -> None:
        self._last = psutil.cpu_times()

    def busy_percent(self) -> float:
        before, now = self._last, psutil.cpu_times()
        self._last = now
        spent = {name: getattr(now, name) - getattr(before, name) for name in now._fields[:8]}
        total = sum(spent.values())
        return 100 * (total - spent["idle"] - spent["iowait"] - spent["nice"]) / total if total > 0 else 0.0

    def memory_percent(self) -> float:
        return float(psutil.virtual_memory().percent)

    def on_battery(self) -> bool:
        battery = psutil.sensors_battery()
        return battery is not None and battery.power_plugged is False


class Governor:
    """`govern` about once a second. `clock` is wall time in seconds, by which quiet hours go."""

    def __init__(self, machine: Machine | None = None, clock: Callable[[], float] = time.time) -> None:
        self._machine = machine or ThisMachine()
        self._clock = clock
        self._next_at = 0.0
        self._turn_until = 0.0
        self._ranked: set[int] = set()
        self.why = ""
        """`quiet_hours`, `battery`, `memory` or `cpu`; "" while sweeps may run."""
        self.since = clock()

    @property
    def paused(self) -> bool:
        return bool(self.why)

    def govern(
        self, settings: GovernorSettings, posts: Iterable[Post], templates: Iterable[int]
    ) -> list[Event]:
        """Rank new templates low, and have the keepers of what stays in place pause, or go on; what to
        put on record."""
        for pid in set(templates) - self._ranked:
            rank_low(pid, settings)
        self._ranked = set(templates)
        if not self.look(settings):
            return []
        for post in posts:
            if not is_drive(post.root):
                post.pause(self.paused)
        return [{"event": "sweeps_paused" if self.paused else "sweeps_resumed", "why": self.why}]

    def look(self, settings: GovernorSettings) -> bool:
        """Whether sweeps pause now and did not before, or the other way round."""
        now = self._clock()
        if self._next_at - CHECK_SECONDS <= now < self._next_at:
            return False
        self._next_at = now + CHECK_SECONDS
        why = self._reason(settings, now)
        if why and self.why and now - self.since >= settings.longest_pause_seconds:
            self._turn_until, why = now + TURN_SECONDS, ""
        elif now < self._turn_until:
            why = ""
        changed = bool(why) != bool(self.why)
        if changed:
            self.since = now
        self.why = why
        return changed

    def _reason(self, settings: GovernorSettings, now: float) -> str:
        busy = self._machine.busy_percent()
        at = datetime.fromtimestamp(now).astimezone()
        minute = at.hour * 60 + at.minute
        if any(_within(minute, *span) for span in settings.quiet_minutes):
            return "quiet_hours"
        if settings.pause_on_battery and self._machine.on_battery():
            return "battery"
        if self._is_above(settings.pause_above_memory_percent, "memory", self._machine.memory_percent()):
            return "memory"
        return "cpu" if self._is_above(settings.pause_above_cpu_percent, "cpu", busy) else ""

    def _is_above(self, threshold: float, why: str, percent: float) -> bool:
        return threshold < 100 and percent > (threshold * _CALMER if self.why == why else threshold)

    def to_json(self, settings: GovernorSettings) -> dict[str, Any]:
        """For `status`."""
        return {
            "paused": self.paused,
            "why": self.why,
            "since": self.since,
            "nice": settings.nice,
            "io_class": settings.io_class.value,
        }


def _within(minute: int, start: int, end: int) -> bool:
    return start <= minute < end if start <= end else minute >= start or minute < end


def rank_low(pid: int, settings: GovernorSettings) -> None:
    """Let a process of ours, and what it will start, wait for others. Where that may not be, it does not."""
    with suppress(OSError, psutil.Error):
        if settings.nice:
            os.setpriority(os.PRIO_PROCESS, pid, settings.nice)
        io_class = _IO.get(settings.io_class)
        if io_class is not None:
            best_effort = settings.io_class is IoClass.BEST_EFFORT
            psutil.Process(pid).ionice(io_class, settings.io_level if best_effort else None)
