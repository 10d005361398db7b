"""A holder: has the kernel ask before a file of one drive is opened, and answers in time whatever happens.

A process of its own, so that a keeper which hangs or dies keeps nobody waiting. It opens nothing on the
medium but its root, once, before the first question; it reads nothing. What it knows of a file comes from
the descriptor in the kernel's question. Answers are given out of order. `agent.hold` is the other end.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import select
import socket
import stat
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.fanotify import Group, KernelEvent
from agent.opening import RootFolder, RootUnavailable
from agent.protocol import MAX_PACKET_BYTES

ASK_SECONDS = 0.01
BEATS = 8
"""So many beats in the time that an opener may wait."""
MOST_WAITING = 512
"""Questions that wait at a time; what comes beyond is answered as if its time had passed."""
GIVEN_UP_SECONDS = 60.0
"""After an opener was let through to a file that nobody could judge in time, the next ones do not wait."""
_MOST_KNOWN = 20_000
_ASKED_BYTES, _ASKED_MOST = 60_000, 50

Version = tuple[int, int, int, int, int]
"""dev, ino, size, mtime_ns, ctime_ns"""


@dataclass(slots=True)
class _Waiting:
    fd: int
    pid: int
    relpath: str
    until: float


@dataclass(slots=True)
class _Known:
    """What needs no question, the newest last."""

    keys: dict[Any, float] = field(default_factory=dict)

    def add(self, key: Any, until: float = float("inf")) -> None:
        self.keys.pop(key, None)
        self.keys[key] = until
        if len(self.keys) > _MOST_KNOWN:
            del self.keys[next(iter(self.keys))]

    def __contains__(self, key: Any) -> bool:
        return self.keys.get(key, 0.0) > time.monotonic()


class Holder:
    """Runs until its line to the supervisor is closed; raises `OSError` where questions cannot be had."""

    def __init__(self, line: socket.socket, order: dict[str, Any]) -> None:
        self._line = line
        self._prefix: str = order["path"].rstrip("/") + "/"
        self._seconds: float = order["seconds"]
        self._open_after: bool = order["open_after"]
        self._own: int = order["own"]
        self._waiting: dict[int, _Waiting] = {}
        self._asked: list[tuple[str, Version]] | None = None
        self._ask_at = 0.0
        self._judged, self._openers, self._given_up = _Known(), _Known(), _Known()
        self._beat_at = 0.0
        self._links = os.open("/proc/self/fd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        with RootFolder.open(order["path"], order["device"]) as root:
            fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root.fd)
        try:
            self._group = Group(fd, "questions")
        finally:
            os.close(fd)

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._group, select.POLLIN)
        poll.register(self._line, select.POLLIN)
        while True:
            for fd, _ in poll.poll(max(self._due() - time.monotonic(), 0.0) * 1000):
                if fd == self._line.fileno():
                    packet = self._line.recv(MAX_PACKET_BYTES)
                    if not packet:
                        return
                    self._told(json.loads(packet)["standings"])
                else:
                    self._take()
            now = time.monotonic()
            self._expire(now)
            if self._waiting and self._asked is None and now >= self._ask_at:
                self._ask()
            if now >= self._beat_at:
                self._beat_at = now + self._seconds / BEATS
                self._say({"say": "beat"})

    def _due(self) -> float:
        due = [self._beat_at, *(one.until for one in self._waiting.values())]
        if self._waiting and self._asked is None:
            due.append(self._ask_at)
        return min(due)

    def _say(self, what: dict[str, Any]) -> bool:
        try:
            self._line.send(json.dumps(what, separators=(",", ":")).encode(), socket.MSG_DONTWAIT)
        except BlockingIOError:  # it does not listen now; whoever waits does so no longer than allowed
            return False
        return True

    # -- questions

    def _take(self) -> None:
        try:
            events = self._group.read()
        except OSError:
            return  # the kernel could not open it, and has refused the opener
        for event in events:
            if event.fd >= 0:
                self._take_one(event)

    def _take_one(self, event: KernelEvent) -> None:
        try:
            status = os.fstat(event.fd)
            link = os.readlink(str(event.fd), dir_fd=self._links)
        except OSError:
            self._group.answer(event.fd, allow=True)
            return
        version = _version(status)
        file = version[:2]
        if not stat.S_ISREG(status.st_mode) or not link.startswith(self._prefix) or version in self._judged:
            allow = True
        elif status.st_size == 0 or (*file, event.pid) in self._openers:
            # who makes a file, or had it open once, could have gone on reading it all the same
            self._openers.add((*file, event.pid))
            allow = True
        else:
            allow = file in self._given_up or self._is_own(event.pid)
        if allow:
            self._group.answer(event.fd, allow=True)
        elif len(self._waiting) >= MOST_WAITING:
            self._group.answer(event.fd, allow=self._open_after)
        else:
            until = time.monotonic() + self._seconds
            one = _Waiting(event.fd, event.pid, link[len(self._prefix) :], until)
            self._waiting[event.fd] = one

    def _is_own(self, pid: int) -> bool:
        """Whether it is a process of the service: the supervisor, or below it."""
        for _ in range(4):
            if pid == self._own:
                return True
            try:
                with open(f"/proc/{pid}/stat", "rb") as file:
                    pid = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                return False
        return False

    def _answer(self, one: _Waiting, *, allow: bool) -> None:
        del self._waiting[one.fd]
        self._group.answer(one.fd, allow=allow)

    def _expire(self, now: float) -> None:
        for one in [w for w in self._waiting.values() if w.until <= now]:
            if self._open_after:
                with suppress(OSError):
                    self._given_up.add(_version(os.fstat(one.fd))[:2], now + GIVEN_UP_SECONDS)
            self._answer(one, allow=self._open_after)

    # -- what the supervisor knows

    def _ask(self) -> None:
        """Ask about files that are waited for, those first that were not asked about the longest."""
        wanted: dict[tuple[str, Version], None] = {}
        room = _ASKED_BYTES
        for one in list(self._waiting.values()):
            try:
                status = os.fstat(one.fd)
            except OSError:
                continue
            # taken meanwhile, or deleted; or nobody waits any more, and our descriptor keeps the mount busy
            if status.st_nlink == 0 or (one.pid and not Path(f"/proc/{one.pid}").exists()):
                self._answer(one, allow=False)
                continue
            room -= len(json.dumps(one.relpath))
            if room < 0 or len(wanted) >= _ASKED_MOST:
                break
            wanted[one.relpath, _version(status)] = None
            self._waiting[one.fd] = self._waiting.pop(one.fd)
        files = [[relpath, *version] for relpath, version in wanted]
        if files and self._say({"say": "look", "files": files}):
            self._asked = list(wanted)
        self._ask_at = time.monotonic() + ASK_SECONDS

    def _told(self, standings: list[str]) -> None:
        asked, self._asked = dict(zip(self._asked or (), standings, strict=False)), None
        self._ask_at = time.monotonic() + ASK_SECONDS
        for one in list(self._waiting.values()):
            try:
                version = _version(os.fstat(one.fd))
            except OSError:
                continue
            standing = asked.get((one.relpath, version))
            if standing == "open":
                self._judged.add(version)
                self._openers.add((*version[:2], one.pid))
            if standing in ("open", "taken"):
                self._answer(one, allow=standing == "open")


def _version(status: os.stat_result) -> Version:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def main(arguments: list[str]) -> int:
    """Hold one drive, on an inherited descriptor."""
    line = socket.socket(fileno=int(arguments[0]))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    packet = line.recv(MAX_PACKET_BYTES)
    if not packet:
        return 0
    fault = ""
    try:
        holder = Holder(line, json.loads(packet))
    except RootUnavailable as error:
        fault = f"the drive cannot be opened ({error.reason.value})"
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "EIO")
        fault = f"its file system or this kernel does not ask before files are opened ({name})"
    line.send(json.dumps({"say": "ready", "fault": fault}).encode())
    if fault:
        return 0
    with suppress(ConnectionError):
        holder.run()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    os._exit(code)
