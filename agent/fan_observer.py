"""fanotify as an observer of watchdog's kind: one mark, whatever the size of the tree.

`NamesEmitter` is told folders as handles and looks each one up once, through a private clone of the
mount that is let go at once. `DescriptorsEmitter` closes what it is given before anything else, because
it keeps the user's mount busy. Both see the whole file system and drop what lies outside the root.
"""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from watchdog.events import DirMovedEvent, FileClosedEvent, FileCreatedEvent, FileMovedEvent, FileSystemEvent
from watchdog.observers.api import BaseObserver, EventEmitter

from agent import notice
from agent.fanotify import (
    CLOSE_WRITE,
    MOVED_TO,
    ONDIR,
    Group,
    KernelEvent,
    Way,
    handles_can_be_opened,
    open_handle,
    passing,
)  # fmt: skip
from agent.opening import RootUnavailable
from agent.reach import Reach
from agent.writer import Writer

MOST_FOLDERS = 20_000
"""Folders whose place is remembered; when there are more, all are looked up anew."""
LOOK_MS, SUSPECT_SECONDS = 100, 1.0
"""After a change of the mount table, how often and how long to look whether our mark is still there: a
file system goes a little later than its mount."""
_DELETED = " (deleted)"


class ClosedBy(FileClosedEvent):
    """A file closed after writing, and by whom."""

    writer: Writer | None = None


class ArrivedBy(FileMovedEvent):
    """A file that was moved to its name, and by whom. Where from is not told."""

    writer: Writer | None = None


class _FanEmitter(EventEmitter):
    """What both ways share. `doubt` is called when something may have been missed, `hole` when something
    will always be. Notices and the like by `own_pid`, ours, are not told; a sweep sees them in time."""

    way: Way

    def __init__(
        self,
        *arguments: Any,
        reach: Reach,
        doubt: Callable[[Any], None],
        hole: Callable[[], None],
        own_pid: int,
        **more: Any,
    ) -> None:
        super().__init__(*arguments, **more)
        self._reach, self._doubt, self._hole = reach, doubt, hole
        self._own_pid = own_pid
        self._suspect_until = 0.0
        self._stopper = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._links = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._mounts = os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
        with reach.open():
            fd = os.open(reach.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._prepare(fd)
                self._group = Group(fd, self.way)
            finally:
                os.close(fd)
        self._poll = select.poll()
        self._poll.register(self._group, select.POLLIN)
        self._poll.register(self._stopper, select.POLLIN)
        self._poll.register(self._mounts, select.POLLPRI)

    def _prepare(self, root: int) -> None:
        """Look at the root once, while it is open; raises `OSError` if this way will not do."""

    def queue_events(self, timeout: float) -> None:
        """Wait for events, for ever: `stop` wakes us, and so does a change of the mount table."""
        suspicious = time.monotonic() < self._suspect_until
        ready = {fd for fd, _ in self._poll.poll(LOOK_MS if suspicious else None)}
        if self._mounts in ready:
            self._suspect_until = time.monotonic() + SUSPECT_SECONDS
        if (self._mounts in ready or (suspicious and not ready)) and not self.marked():
            # Its file system is gone, and one that comes back may look just the same: watch anew.
            self.stopped_event.set()
            self._doubt("unmounted")
        if not self.should_keep_running():
            return
        try:
            events = self._group.read()
        except OSError as error:
            if not passing(error):
                self._doubt("unread")
            return
        self._take(events)

    def marked(self) -> bool:
        """Whether the kernel still has our mark on the file system."""
        return self._group.marked()

    def _take(self, events: list[KernelEvent]) -> None:
        raise NotImplementedError

    def on_thread_stop(self) -> None:
        with suppress(OSError):
            os.eventfd_write(self._stopper, 1)

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._group.close()

    def __del__(self) -> None:
        for fd in (self._stopper, self._links, self._mounts):
            os.close(fd)

    def _tell(self, event: FileSystemEvent, writer: Writer | None = None) -> None:
        if writer is not None:
            event.writer = writer  # type: ignore[attr-defined]
        self.queue_event(event)


class NamesEmitter(_FanEmitter):
    """Closes, new names and moves, folders moved in among them, each with its place."""

    way: Way = "names"

    def _prepare(self, root: int) -> None:
        if not handles_can_be_opened(root):
            raise OSError(errno.EOPNOTSUPP, "handles cannot be opened here")
        status = os.fstat(root)
        self._root = (status.st_dev, status.st_ino)
        self._folders: dict[bytes, str | None] = {}

    def _take(self, events: list[KernelEvent]) -> None:
        writers: dict[int, Writer | None] = {}
        with ExitStack() as held:
            medium: list[int] = []

            def reach() -> int:
                if not medium:
                    held.enter_context(self._reach.open())
                    medium.append(os.open(self._reach.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                    held.callback(os.close, medium[0])
                return medium[0]

            for event in events:
                self._take_one(event, reach, writers)

    def _take_one(
        self, event: KernelEvent, reach: Callable[[], int], writers: dict[int, Writer | None]
    ) -> None:
        if event.overflow:
            self._folders.clear()
            self._doubt("overflow")
            return
        if event.mask & ONDIR and event.mask & MOVED_TO:
            self._folders.clear()  # what lies below it has moved along
        try:
            folder = self._folder(event.folder, reach)
        except RootUnavailable:
            self._doubt("unread")
            return
        if folder is None:
            return
        path = os.path.join(folder, os.fsdecode(event.name))
        if event.mask & ONDIR:
            if event.mask & MOVED_TO:
                self._tell(DirMovedEvent("", path))
            return  # what happens in a new folder is told by itself
        if event.pid == self._own_pid and _is_ours(path):
            return
        if event.pid not in writers:
            writers[event.pid] = Writer.of(event.pid)
        if event.mask & CLOSE_WRITE:
            self._tell(ClosedBy(path), writers[event.pid])
        elif event.mask & MOVED_TO:
            self._tell(ArrivedBy("", path), writers[event.pid])
        else:
            self._tell(FileCreatedEvent(path))

    def _folder(self, handle: bytes, reach: Callable[[], int]) -> str | None:
        """The folder's path as watchdog would tell it; None if it is not below the root."""
        if handle in self._folders:
            return self._folders[handle]
        path = self._look_up(handle, reach())
        if len(self._folders) >= MOST_FOLDERS:
            self._folders.clear()
        self._folders[handle] = path
        return path

    def _look_up(self, handle: bytes, medium: int) -> str | None:
        try:
            fd = open_handle(medium, handle)
        except OSError as error:
            if error.errno != errno.ESTALE:
                self._doubt("unread")
            return None
        try:
            # The clone's mount ends at the root: a path within it begins there, and what lies outside
            # (also a folder that was deleted) shows as "/", like the root itself.
            within = os.readlink(str(fd), dir_fd=self._links)
            if within != "/":
                return self._reach.path + within
            status = os.fstat(fd)
            return self._reach.path if (status.st_dev, status.st_ino) == self._root else None
        except OSError:  # a path longer than the kernel tells
            self._hole()
            return None
        finally:
            os.close(fd)


class DescriptorsEmitter(_FanEmitter):
    """Closes only. `root` and `mount_point` are paths as this process sees them."""

    way: Way = "descriptors"
    root: str
    mount_point: str

    def _take(self, events: list[KernelEvent]) -> None:
        links = []
        for event in events:
            if event.fd < 0:
                links.append((event, ""))
                continue
            try:
                links.append((event, os.readlink(str(event.fd), dir_fd=self._links)))
            except OSError:
                links.append((event, ""))
            finally:
                os.close(event.fd)
        writers: dict[int, Writer | None] = {}
        for event, link in links:
            if event.overflow or not link:
                self._doubt("overflow" if event.overflow else "unread")
            elif event.pid != self._own_pid:  # we go through a mount of our own; inotify tells it
                self._take_one(event, link, writers)

    def _take_one(self, event: KernelEvent, link: str, writers: dict[int, Writer | None]) -> None:
        if not link.startswith(self.root + "/"):
            if not link.startswith(self.mount_point + "/"):
                self._doubt("unread")  # through another mount of the same file system: a sweep finds it
            return
        if event.pid not in writers:
            writers[event.pid] = Writer.of(event.pid)
        within = link[len(self.root) :]
        self._tell(ClosedBy(self._reach.path + within), writers[event.pid])
        if within.endswith(_DELETED):  # some FUSE servers show every file so
            self._tell(ClosedBy(self._reach.path + within.removesuffix(_DELETED)), writers[event.pid])


def _is_ours(path: str) -> bool:
    """Whether a name is one that a removal makes. Only for what the kernel says that we did ourselves."""
    return path.endswith(notice.ENDING) or "/.recordwarden-" in path


class FanObserver(BaseObserver):
    """An observer with one of the emitters above; raises `OSError`, `RootUnavailable` in `schedule`."""

    def __init__(
        self,
        emitter: type[_FanEmitter],
        reach: Reach,
        doubt: Callable[[Any], None],
        hole: Callable[[], None],
        own_pid: int,
    ) -> None:
        more = {"reach": reach, "doubt": doubt, "hole": hole, "own_pid": own_pid}
        super().__init__(emitter, timeout=3600.0, **more)

    def healthy(self) -> bool:
        """Whether every thread lives and the file system still carries our mark."""
        alive = bool(self.emitters) and all(t.is_alive() for t in (self, *self.emitters))
        return alive and all(e.marked() for e in self.emitters if isinstance(e, _FanEmitter))
