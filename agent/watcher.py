"""Seeing that something changed below a root: watchdog's observers, supervised, behind a small interface.

Events are hints. Whatever makes them doubtful (a full queue, a dead thread, a watch that could not be
set) only raises `doubt`, and the keeper answers it with a sweep.

With the privilege, fanotify tells names: one mark, and moves are told. Where a file system offers no
names (FUSE, exfat, cifs), and without the privilege, inotify sets a watch on each folder. On network shares
fanotify's descriptors tell beside it of what is closed in folders that have no watch yet, and by whom; not on
drives, because each event that waits to be read would make the user's `umount` fail.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from time import time
from typing import Literal

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from agent.fan_observer import DescriptorsEmitter, FanObserver, NamesEmitter
from agent.inotify import InotifyObserver
from agent.opening import RootUnavailable
from agent.platform.linux import MountTable, mount_of
from agent.reach import Reach
from agent.writer import Writer

MOST_EVENTS = 200_000
State = Literal["native", "polling", "degraded", "no_access"]
Observer = FanObserver | InotifyObserver
Cause = Literal[
    "started", "restarted", "overflow", "unwatched", "unread", "unmounted", "confused", "resumed", "clock"
]
"""Why events may have been missed: the watch has just begun, or begun anew; a queue was full; a folder
cannot be watched; an event could not be read; the file system went; watchdog's books disagree; the
machine slept; the clock was set."""
_WANTED: list[type[FileSystemEvent]] = [
    FileClosedEvent, FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent,
    DirCreatedEvent, DirMovedEvent,
]  # fmt: skip


class Change(Enum):
    """What happened to a name."""

    CLOSED = "closed"
    """Closed after writing."""
    ARRIVED = "arrived"
    """Moved to this name, as in a save by rename."""
    CHANGED = "changed"
    """Created or written to, not (yet) closed."""
    GONE = "gone"
    FOLDER = "folder"
    """A folder came, perhaps with files in it that were never seen coming."""


@dataclass(frozen=True, slots=True)
class FileEvent:
    """A hint that a file, or a folder, wants looking at. `relpath` is below the root, "" the root itself."""

    relpath: str
    change: Change
    origin: Literal["event", "sweep"]
    observed_at: float
    """Seconds since the epoch."""
    writer: Writer | None = None
    """Who did it, where the kernel tells."""


class Watcher:
    """Watches one root. Threads of its own fill a bounded queue and call `wake`; `take` empties it."""

    def __init__(
        self,
        path: str,
        device: int,
        wake: Callable[[], None],
        own_pid: int = 0,
        *,
        fanotify: bool = True,
        share: bool = False,
    ) -> None:
        self._path = path
        self._reach = Reach(path, device)
        self._wake = wake
        self._own_pid = own_pid
        self._fanotify = fanotify
        self._share = share
        self._events: deque[FileEvent] = deque()
        self._doubts: set[Cause] = set()
        self._lock = threading.Lock()
        self._observers: list[Observer] = []
        self._starting: threading.Thread | None = None
        self._failed = False
        self._holes = False
        self._whole = False
        # watchdog reports through its logger what it then forgets; each such line is a doubt of ours.
        log = logging.getLogger("watchdog")
        log.handlers = [_Doubts(self._raise_doubt)]
        log.propagate = False

    @property
    def state(self) -> State:
        """`native`: all is seen. `degraded`: starting, or parts cannot be watched. `polling`: sweeps only."""
        if self._failed:
            return "polling"
        return "native" if self._whole and not self._holes else "degraded"

    def start(self) -> None:
        """Begin in the background: setting a watch on each folder of a large tree takes its time."""
        if self._starting is None or not self._starting.is_alive():
            self._starting = threading.Thread(target=self._start, name="watch-setup", daemon=True)
            self._starting.start()

    def wait_started(self, seconds: float) -> bool:
        """Whether the watch stands, or has failed, within that time."""
        if self._starting is not None:
            self._starting.join(seconds)
            return not self._starting.is_alive()
        return False

    def take(self) -> tuple[list[FileEvent], set[Cause]]:
        """(the events since the last call, why more may have been missed)."""
        with self._lock:
            events, doubts = list(self._events), self._doubts
            self._events.clear()
            self._doubts = set()
        return events, doubts

    def check(self) -> None:
        """Start again whatever has died. Cheap; to be called every few seconds."""
        if self._starting is not None and self._starting.is_alive():
            return
        if not self._whole or not all(observer.healthy() for observer in self._observers):
            self.restart()

    def restart(self) -> None:
        """Watch anew, as when the root has become another folder."""
        self._raise_doubt("restarted")
        self.stop()
        self.start()

    def stop(self) -> None:
        """End all threads, without waiting for them and without touching the medium."""
        observers, self._observers = self._observers, []
        self._whole = False
        for observer in observers:
            threading.Thread(target=_stop, args=(observer,), name="watch-end", daemon=True).start()

    def _start(self) -> None:
        self._holes = self._failed = False
        if self._fanotify and self._begin(self._names):
            self._whole = True
        else:
            if self._fanotify and self._share:
                self._begin(self._descriptors)
            self._whole = self._begin(self._inotify)
            self._failed = not self._whole
        self._raise_doubt("started")  # whatever came before the watch stood was not seen

    def _begin(self, make: Callable[[], Observer]) -> bool:
        """Have one more observer at work; False if it is not to be had here."""
        observer = None
        try:
            observer = make()
            observer.start()
            with self._reach.open():
                observer.schedule(_Door(self), self._reach.path, recursive=True, event_filter=_WANTED)
        except (OSError, RootUnavailable, RuntimeError):
            if observer is not None:
                _stop(observer)
            return False
        self._observers.append(observer)
        return True

    def _names(self) -> Observer:
        return FanObserver(NamesEmitter, self._reach, self._raise_doubt, self._raise_hole, self._own_pid)

    def _descriptors(self) -> Observer:
        table = MountTable()
        try:
            mount = mount_of(self._path, table.read())
        finally:
            table.close()
        places = {
            "root": self._path.rstrip("/"),
            "mount_point": mount.mount_point.rstrip("/") if mount else "",
        }
        emitter = type("RootedEmitter", (DescriptorsEmitter,), places)
        return FanObserver(emitter, self._reach, self._raise_doubt, self._raise_hole, self._own_pid)

    def _inotify(self) -> Observer:
        return InotifyObserver(self._reach, self._raise_doubt, self._raise_hole)

    def _raise_hole(self) -> None:
        self._holes = True
        self._raise_doubt("unwatched")

    def _raise_doubt(self, cause: Cause) -> None:
        with self._lock:
            self._doubts.add(cause)
        self._wake()

    def put(self, path: str | bytes, change: Change, writer: Writer | None = None) -> None:
        """One event from watchdog, with the path as watchdog knows it."""
        relpath = os.fsdecode(path)[len(self._reach.path) + 1 :]
        with self._lock:
            if len(self._events) >= MOST_EVENTS:
                self._events.clear()
                self._doubts.add("overflow")
            self._events.append(FileEvent(relpath, change, "event", time(), writer))
        self._wake()


class _Door(FileSystemEventHandler):
    """Where watchdog's events become ours."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def on_any_event(self, event: FileSystemEvent) -> None:
        who = getattr(event, "writer", None)
        if isinstance(event, FileMovedEvent | DirMovedEvent):
            if event.src_path:
                self._watcher.put(event.src_path, Change.GONE)
            if event.dest_path:
                self._watcher.put(
                    event.dest_path, Change.FOLDER if event.is_directory else Change.ARRIVED, who
                )
        elif isinstance(event, DirCreatedEvent):
            self._watcher.put(event.src_path, Change.FOLDER)
        elif isinstance(event, FileDeletedEvent):
            self._watcher.put(event.src_path, Change.GONE)
        else:
            closed = isinstance(event, FileClosedEvent)
            self._watcher.put(event.src_path, Change.CLOSED if closed else Change.CHANGED, who)


class _Doubts(logging.Handler):
    def __init__(self, raise_doubt: Callable[[Cause], None]) -> None:
        super().__init__(logging.WARNING)
        self._raise_doubt = raise_doubt

    def emit(self, record: logging.LogRecord) -> None:
        self._raise_doubt("overflow" if "overflow" in record.msg else "confused")


def _stop(observer: Observer) -> None:
    with suppress(OSError, RuntimeError, KeyError):
        observer.stop()
