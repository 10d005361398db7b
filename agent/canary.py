"""Proof that a root is watched: an empty hidden file is written there, and the watcher must tell of it.

What a watcher says of itself proves nothing: queues and threads die silently. The file stays until its
event came or its time is up, because some file systems tell nothing of what is gone already; then it is
removed, if it is still that very file and empty. No other name is ever passed over because of this: only
the one that is out now, which nobody could know before it was there.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import Literal

from agent.opening import RootFolder
from agent.watcher import FileEvent

PREFIX = ".rw-canary-"
PATIENCE_SECONDS = 10.0
AGAIN_SECONDS = 15.0
"""After one that was not seen, when the next one goes out at the latest."""
_MOST_ENTRIES = 10_000

Proof = Literal["off", "waiting", "seen", "missed", "unwritable"]


class Canary:
    """One root's; `seconds` from one to the next, 0 for none. Times are `time.monotonic()`."""

    def __init__(self, seconds: float, patience: float = PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._patience = patience
        self.proof: Proof = "waiting" if seconds else "off"
        self.seen_at = 0.0
        """When one was last seen, in seconds since the epoch."""
        self._next_at = 0.0
        self._out = ""
        self._number = (0, 0)
        self._until = 0.0
        self._met = False
        self._last = ""
        self._tidy = True

    @property
    def due(self) -> float | None:
        """When `work` has something to do."""
        if not self._seconds:
            return None
        if not self._out:
            return self._next_at
        return 0.0 if self._met else self._until

    def is_out(self, relpath: str) -> bool:
        """Whether this very name is under way: nobody needs to judge it."""
        return bool(self._out) and relpath == self._out

    def met(self, event: FileEvent) -> bool:
        """Whether an event is about our own file, and proof that events come."""
        if not event.relpath or event.relpath not in (self._out, self._last):
            return False
        if event.relpath == self._out and event.origin == "event":
            self._met = True
        return True

    def work(self, root: RootFolder, now: float) -> bool:
        """Send one out, or take it in again. False if it was not seen: the watch is deaf."""
        if not self._out:
            self._send(root, now)
            return True
        self._take_in(root)
        self._last, self._out = self._out, ""
        if self._met:
            self.proof, self.seen_at = "seen", time.time()
            self._next_at = now + self._seconds
            return True
        self.proof = "missed"
        self._next_at = now + min(self._seconds, AGAIN_SECONDS)
        return False

    def _send(self, root: RootFolder, now: float) -> None:
        if self._tidy:
            self._tidy = False
            _tidy(root)
        name = PREFIX + os.urandom(16).hex()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._out, self._met, self._until = name, False, now + self._patience
        try:
            fd = os.open(name, flags, 0o600, dir_fd=root.fd)
        except OSError:
            self._out, self.proof, self._next_at = "", "unwritable", now + self._seconds
            return
        try:
            status = os.fstat(fd)
            self._number = (status.st_dev, status.st_ino)
        except OSError:
            self._number = (0, 0)
        finally:
            with suppress(OSError):
                os.close(fd)

    def _take_in(self, root: RootFolder) -> None:
        with suppress(OSError):
            status = os.stat(self._out, dir_fd=root.fd, follow_symlinks=False)
            same = stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) == self._number
            if same and not status.st_size:
                os.unlink(self._out, dir_fd=root.fd)
            else:
                self._out = ""  # somebody else's now: it is judged as any other


def _tidy(root: RootFolder) -> None:
    """Remove what a keeper that died has left: empty files of ours by such a name."""
    with suppress(OSError):
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root.fd)
        try:
            with os.scandir(fd) as entries:
                for _, entry in zip(range(_MOST_ENTRIES), entries, strict=False):
                    if not entry.name.startswith(PREFIX):
                        continue
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode) and not status.st_size and status.st_uid == os.geteuid():
                        os.unlink(entry.name, dir_fd=fd)
        finally:
            os.close(fd)
