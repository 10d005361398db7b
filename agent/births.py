"""Beginning a process of ours: forked by the nursery where that is possible, else started anew."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

READY_SECONDS = 10.0
ANSWER_SECONDS = 5.0
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_SECONDS = 0.005


class Process(Protocol):
    """A child of this process, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


class Begin(Protocol):
    """Begin `python -I -m MODULE DESCRIPTOR... ARGUMENT...`; raises `OSError`. The caller keeps, and closes,
    its own descriptors."""

    def __call__(self, module: str, descriptors: Sequence[int], *arguments: str) -> Process: ...


def begin_anew(module: str, descriptors: Sequence[int], *arguments: str) -> Process:
    """By starting an interpreter."""
    return subprocess.Popen(
        [sys.executable, "-I", "-m", module, *map(str, descriptors), *arguments],
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        cwd="/",
    )


class Adopted:
    """A child that another process forked for us."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 0
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if timeout is not None and until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(_LOOK_SECONDS)
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class Births:
    """The nursery, if there is one: `begin` never waits for one that is not ready."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._sock: socket.socket | None = None
        self._ready = False

    def start(self) -> None:
        """Have a nursery load; until it has, processes are started anew."""
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = begin_anew("agent.nursery", [theirs.fileno()])
            except OSError:
                ours.close()
                return
        self._sock = ours

    def wait(self, seconds: float = READY_SECONDS) -> bool:
        """Whether there is a nursery that has loaded, after so many seconds at most."""
        if not self._ready and self._sock is not None:
            self._ready = bool(self._hear(seconds))
        return self._ready

    def begin(self, module: str, descriptors: Sequence[int], *arguments: str) -> Process:
        """See `Begin`. A nursery that was asked and gave no answer is an `OSError`: it may have forked, so
        these descriptors must not be given to another; a new nursery is begun."""
        if not self.wait(0.0):
            return begin_anew(module, descriptors, *arguments)
        assert self._sock is not None
        wanted = json.dumps({"module": module, "arguments": list(arguments)}).encode()
        _adopt_orphans(True)
        try:
            socket.send_fds(self._sock, [wanted], list(descriptors))
            pid = int(self._hear(ANSWER_SECONDS).get("pid", 0))
        except OSError:  # it is dead, and was not asked
            self.start()
            return begin_anew(module, descriptors, *arguments)
        finally:
            _adopt_orphans(False)
        if not pid:
            self.start()
            raise OSError(errno.EAGAIN, "the nursery did not answer")
        return Adopted(pid)

    def _hear(self, seconds: float) -> dict[str, int]:
        assert self._sock is not None
        self._sock.settimeout(seconds)
        try:
            told: dict[str, int] = json.loads(self._sock.recv(4096) or b"{}")
        except OSError:
            return {}
        return told

    def close(self) -> None:
        """Without the nursery; what it has forked stays."""
        sock, self._sock, self._ready = self._sock, None, False
        process, self._process = self._process, None
        if sock is not None:
            sock.close()
        if process is not None:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(2.0)


def _adopt_orphans(yes: bool) -> None:
    """Whether what is orphaned below us becomes our child. Only for a moment: nobody waits for others."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0)
