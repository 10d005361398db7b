"""Seeing that something changed below a root: watchdog, supervised, behind a small interface.

Events are hints. Whatever makes them doubtful (a full queue, a dead thread, a watch that could not be
set) only raises `doubt`, and the keeper answers it with a sweep.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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

from agent.opening import RootFolder, RootUnavailable

MOST_EVENTS = 200_000
PAIR_SECONDS = 0.01
"""How long the two halves of a move may be apart to be told as one."""
State = Literal["native", "polling", "degraded", "no_access"]
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


class Watcher:
    """Watches one root. Threads of its own fill a bounded queue and call `wake`; `take` empties it."""

    def __init__(self, path: str, device: int, wake: Callable[[], None]) -> None:
        self._reach = _Reach(path, device)
        self._wake = wake
        self._events: deque[FileEvent] = deque()
        self._doubt = False
        self._lock = threading.Lock()
        self._observer: _Observer | None = None
        self._starting: threading.Thread | None = None
        self._failed = False
        self._holes = False
        # watchdog reports through its logger what it then forgets; each such line is a doubt of ours.
        log = logging.getLogger("watchdog")
        log.handlers = [_Doubts(self._raise_doubt)]
        log.propagate = False

    @property
    def state(self) -> State:
        """`native`: all is seen. `degraded`: starting, or parts cannot be watched. `polling`: sweeps only."""
        if self._failed:
            return "polling"
        return "native" if self._observer is not None and not self._holes else "degraded"

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

    def take(self) -> tuple[list[FileEvent], bool]:
        """(the events since the last call, whether more may have been missed)."""
        with self._lock:
            events, doubt = list(self._events), self._doubt
            self._events.clear()
            self._doubt = False
        return events, doubt

    def check(self) -> None:
        """Start again whatever has died. Cheap; to be called every few seconds."""
        if self._starting is not None and self._starting.is_alive():
            return
        if self._observer is None or not self._observer.healthy():
            self.restart()

    def restart(self) -> None:
        """Watch anew, as when the root has become another folder."""
        self._raise_doubt()
        self.stop()
        self.start()

    def stop(self) -> None:
        """End all threads, without waiting for them and without touching the medium."""
        observer, self._observer = self._observer, None
        if observer is not None:
            threading.Thread(target=_stop, args=(observer,), name="watch-end", daemon=True).start()

    def _start(self) -> None:
        self._holes = False
        observer = None
        try:
            observer = _Observer(self._reach, self._raise_doubt, self._raise_hole)
            observer.start()
            with self._reach.open():
                observer.schedule(_Door(self), self._reach.path, recursive=True, event_filter=_WANTED)
            self._observer = observer
            self._failed = False
        except (OSError, RootUnavailable, RuntimeError):
            self._failed = True
            if observer is not None:
                _stop(observer)
        self._raise_doubt()  # whatever came before the watch stood was not seen

    def _raise_hole(self) -> None:
        self._holes = True
        self._raise_doubt()

    def _raise_doubt(self) -> None:
        self._doubt = True
        self._wake()

    def put(self, path: str | bytes, change: Change) -> None:
        """One event from watchdog, with the path as watchdog knows it."""
        relpath = os.fsdecode(path)[len(self._reach.path) + 1 :]
        with self._lock:
            if len(self._events) >= MOST_EVENTS:
                self._events.clear()
                self._doubt = True
            self._events.append(FileEvent(relpath, change, "event", time()))
        self._wake()


class _Door(FileSystemEventHandler):
    """Where watchdog's events become ours."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, FileMovedEvent | DirMovedEvent):
            if event.src_path:
                self._watcher.put(event.src_path, Change.GONE)
            if event.dest_path:
                self._watcher.put(event.dest_path, Change.FOLDER if event.is_directory else Change.ARRIVED)
        elif isinstance(event, DirCreatedEvent):
            self._watcher.put(event.src_path, Change.FOLDER)
        elif isinstance(event, FileDeletedEvent):
            self._watcher.put(event.src_path, Change.GONE)
        else:
            closed = isinstance(event, FileClosedEvent)
            self._watcher.put(event.src_path, Change.CLOSED if closed else Change.CHANGED)


class _Doubts(logging.Handler):
    def __init__(self, raise_doubt: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._raise_doubt = raise_doubt

    def emit(self, _record: logging.LogRecord) -> None:
        self._raise_doubt()


class _Reach:
    """A path to the root that holds its mount only while a folder is being listed.

    watchdog walks by path. Walking the user's own mount would make their `umount` fail just then, so it
    is given `/proc/self/fd/N/.`, and N leads to a private clone of the mount only within `open()`.
    """

    def __init__(self, path: str, device: int) -> None:
        self._root = (path, device)
        self._nowhere = os.open(os.devnull, os.O_PATH | os.O_CLOEXEC)
        self._fd = os.dup(self._nowhere)
        self._lock = threading.Lock()
        self._users = 0
        self.path = f"/proc/self/fd/{self._fd}/."

    def __del__(self) -> None:
        for fd in (self._fd, self._nowhere):
            os.close(fd)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Make `path` lead to the root; raises `RootUnavailable`."""
        with self._lock:
            if self._users == 0:
                with RootFolder.open(*self._root) as root:
                    os.dup2(root.fd, self._fd, inheritable=False)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    os.dup2(self._nowhere, self._fd, inheritable=False)


class _Emitter(InotifyEmitter):
    """watchdog's emitter; it lists folders that were moved in, and tells each half of a move."""

    reach: _Reach

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


class _Descriptors(InotifyFD):
    """watchdog's inotify descriptor; it sets watches on new folders, and tells what it could not do."""

    def __init__(self, reach: _Reach, doubt: Callable[[], None], hole: Callable[[], None]) -> None:
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

    def handle_event(self, event: InotifyEvent) -> None:
        if event.is_queue_overflow:
            self._doubt()
        try:
            if event.is_directory or event.is_queue_overflow:
                with self._reach.open():
                    super().handle_event(event)
            else:
                super().handle_event(event)
        except RootUnavailable:
            self._doubt()
        except KeyError:  # watchdog's books disagree when a folder is remade under its old name
            self._confused = True
            self._doubt()


class _Observer(BaseObserver):
    """watchdog's inotify observer with the descriptor and the emitter above."""

    def __init__(self, reach: _Reach, doubt: Callable[[], None], hole: Callable[[], None]) -> None:
        self._descriptors = _Descriptors(reach, doubt, hole)
        self._descriptors.start()
        emitter = type("_ReachingEmitter", (_Emitter,), {"reach": reach})
        super().__init__(emitter, inotify_fd=self._descriptors)

    def healthy(self) -> bool:
        """Whether every thread lives and something is watched at all."""
        threads = (self, self._descriptors, *self.emitters)
        return bool(self.emitters) and all(t.is_alive() for t in threads) and self._descriptors.watching

    def on_thread_stop(self) -> None:
        super().on_thread_stop()
        self._descriptors.stop()


def _stop(observer: _Observer) -> None:
    with suppress(OSError, RuntimeError, KeyError):
        observer.stop()
