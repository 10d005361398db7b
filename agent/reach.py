"""A path to a root that leads there only while somebody needs it: how watchers touch a medium."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agent.opening import RootFolder


class Reach:
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
