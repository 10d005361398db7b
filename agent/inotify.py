"""watchdog's inotify observer, fit for media that come and go: it holds nothing, and tells what it missed.

One watch for each folder, for file systems whose fanotify gives no names (`agent.fan_observer`), and for
a service without privileges.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)
from watchdog.observers.inotify_move_event_grouper import GroupedInotifyEvent, PathedInotifyEvent

from agent.opening import RootUnavailable
from agent.reach import Reach

PAIR_SECONDS = 0.01
"""How long the two halves of a move may be apart to be told as one."""


class Emitter(InotifyEmitter):
    """watchdog's emitter; it lists folders that were moved in, and tells each half of a move."""

    reach: Reach

    def on_thread_start(self) -> None:
        super().on_thread_start()
        if self._inotify is not None:
            # A file that was moved away holds up all events behind it while its other half is waited for.
            self._inotify._move_event_grouper._queue.delay = PAIR_SECONDS

    def build_and_queue_event(self, event: GroupedInotifyEvent, *, full_events: bool = True) -> None:
        one = event if isinstance(event, PathedInotifyEvent) else event[1]
        with suppress(RootUnavailable):
            if one.ev.is_directory:
                with self.reach.open():
                    super().build_and_queue_event(event, full_events=True)
                return
        super().build_and_queue_event(event, full_events=True)


class Descriptors(InotifyFD):
    """watchdog's inotify descriptor; it sets watches on new folders, and tells what it could not do."""

    def __init__(self, reach: Reach, doubt: Callable[[Any], None], hole: Callable[[], None]) -> None:
        super().__init__()
        self._reach, self._doubt, self._hole = reach, doubt, hole
        self._confused = False

    @property
    def watching(self) -> bool:
        """Whether there is any watch, and all that happened was understood."""
        return bool(self._watch_for_wd) and not self._confused

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        try:
            return super().add_callback(path, mask, callback, id_)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):  # the limit of watches, above all
                self._hole()
            raise

    def _add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        # without watchdog's warning for a folder that is watched already: that one has all its books in it,
        # the names of all folders, megabytes at a time, and goes into the log
        watch = self._get_or_create_watch(path, mask)
        watch.callbacks[id_] = callback
        return watch.wd

    def handle_event(self, event: InotifyEvent) -> None:
        if event.is_queue_overflow:
            self._doubt("overflow")
        try:
            if event.is_directory or event.is_queue_overflow:
                with self._reach.open():
                    super().handle_event(event)
            else:
                super().handle_event(event)
        except RootUnavailable:
            self._doubt("unread")
        except KeyError:  # watchdog's books disagree when a folder is remade under its old name
            self._confused = True
            self._doubt("confused")


class InotifyObserver(BaseObserver):
    """watchdog's inotify observer with the descriptor and the emitter above."""

    def __init__(self, reach: Reach, doubt: Callable[[Any], None], hole: Callable[[], None]) -> None:
        self._descriptors = Descriptors(reach, doubt, hole)
        self._descriptors.start()
        emitter = type("ReachingEmitter", (Emitter,), {"reach": reach})
        super().__init__(emitter, inotify_fd=self._descriptors)

    def healthy(self) -> bool:
        """Whether every thread lives and something is watched at all."""
        threads = (self, self._descriptors, *self.emitters)
        return bool(self.emitters) and all(t.is_alive() for t in threads) and self._descriptors.watching

    def on_thread_stop(self) -> None:
        super().on_thread_stop()
        self._descriptors.stop()
