"""The privileged side of the sandbox: starts templates, asks them, believes nothing they say.

`Template` runs the light template, and the heavy one when a file needs it, each as a process of its
own that imports the parsers; this side imports none. `Examiner` is one asker's end. A template that
dies is replaced and its peers keep their sockets; what was under way is `worker_unavailable`.
"""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.errors import Misconfigured, Problem, Unprotected, WorkerUnavailable
from agent.examiner import Examiner
from config.settings import Protection, Settings
from detectors.engine import exchange
from detectors.engine.exchange import Broken

__all__ = ["Examiner", "Ready", "Template"]

HEAVY_IDLE_SECONDS = 60.0
START_SECONDS = 60.0
SPARE_SECONDS = 0.2
"""A template at rest for so long forks the next worker ahead. Sooner, it would work beside the custody of the
file before; a sweep's next file comes long before it were ready."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What a started template offers. `missing` maps a protection to why it is not there."""

    vocabulary: frozenset[str]
    """Every code that may occur in a verdict, media types among them."""
    digest: str
    protections: tuple[str, ...]
    missing: dict[str, str]


class _Process:
    """One template process and the control socket to it."""

    def __init__(self, settings: Settings, heavy_idle_seconds: float | None = None) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.popen = subprocess.Popen(
                [sys.executable, "-I", "-m", "detectors.engine.template", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **_THREADS_OFF},
            )
        with contextlib.suppress(Broken):  # it died at once: seen where we read
            exchange.send_control(self.control, template_settings(settings, heavy_idle_seconds))

    def end(self) -> None:
        """Close the control socket, at which the template ends; kill it if it does not."""
        self.control.close()
        try:
            self.popen.wait(2.0)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


_THREADS_OFF = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
}
"""For the heavy parsers: a forked worker cannot use threads that its template had."""


class Template:
    """Runs the templates. `poll` must be called when `fileno` is readable and about once a second.

    Safe to use from several threads; none of its methods but `start`, `reload` and `stop` waits.
    """

    def __init__(self, settings: Settings, *, heavy_idle_seconds: float = HEAVY_IDLE_SECONDS) -> None:
        self._settings = settings
        self._idle = heavy_idle_seconds
        self._lock = threading.RLock()
        self._light: _Process | None = None
        self._heavy: _Process | None = None
        self._ends: dict[int, socket.socket] = {}
        self._last_end = 0
        self._links = 0
        self._not_before = 0.0
        self._wakeup = select.epoll()
        self.ready: Ready | None = None

    def start(self) -> Ready:
        """Start the light template and wait until it is ready.

        Raises `Misconfigured` for a wrong detector stanza, `Unprotected` when a compulsory protection
        is missing, `WorkerUnavailable` when it does not start at all.
        """
        with self._lock:
            process, self.ready = _started(self._settings)
            self._adopt(process)
            return self.ready

    def reload(self, settings: Settings) -> Ready:
        """Replace the templates by ones with other settings; on an error the old ones stay."""
        with self._lock:
            process, ready = _started(settings)
            self._settings, self.ready = settings, ready
            self._end_light()
            self._end_heavy()
            self._adopt(process)
            return ready

    def attach(self) -> socket.socket:
        """A new end for one asker; hand it to `Examiner`, here or in another process."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with self._lock:
            self._last_end += 1
            self._ends[self._last_end] = theirs
            self._hand_over(self._last_end, again=False)
        return ours

    def examiner(self) -> Examiner:
        """An asker in this process; while it waits it looks after the template."""
        if self.ready is None:
            raise RuntimeError("the template was not started")
        return Examiner(self.attach(), self.ready.vocabulary, self.ready.digest, self.poll)

    def fileno(self) -> int:
        """Readable when `poll` has something to do."""
        return self._wakeup.fileno()

    @property
    def pids(self) -> list[int]:
        """The templates that run now."""
        return [p.popen.pid for p in (self._light, self._heavy) if p is not None]

    def poll(self) -> None:
        """Answer the templates, and replace one that died (after `service.restart_seconds`)."""
        with self._lock:
            while self._light is not None and self._hear(self._light, self._on_light):
                pass
            while self._heavy is not None and self._hear(self._heavy, lambda _: None):
                pass
            if self._light is None and self.ready is not None and time.monotonic() >= self._not_before:
                self._restart()

    def stop(self) -> None:
        """End the templates and their workers."""
        with self._lock:
            self.ready = None
            self._end_light()
            self._end_heavy()
            for end in self._ends.values():
                end.close()
            self._ends.clear()
            self._wakeup.close()

    def _adopt(self, process: _Process) -> None:
        process.control.setblocking(False)
        self._wakeup.register(process.control, select.EPOLLIN)
        self._light = process
        for number in self._ends:
            self._hand_over(number, again=True)

    def _hand_over(self, number: int, again: bool) -> None:
        if self._light is None:
            return
        message = {"attach": number, "again": True} if again else {"attach": number}
        with contextlib.suppress(Broken):  # it is dead: the next one gets this end
            exchange.send_control(self._light.control, message, self._ends[number].fileno())

    def _hear(self, process: _Process, act: Callable[[dict[str, Any]], None]) -> bool:
        """Take one message, if there is one; a closed socket means that the process is gone."""
        try:
            message, _ = exchange.receive_control(process.control)
        except BlockingIOError:
            return False
        except Broken:
            if process is self._light:
                self._end_light()
            else:
                self._end_heavy()
            return False
        process.control.setblocking(False)
        act(message)
        return True

    def _on_light(self, message: dict[str, Any]) -> None:
        if message.get("need") == "heavy":
            self._give_heavy()
        elif isinstance(message.get("gone"), int):
            end = self._ends.pop(message["gone"], None)
            if end is not None:
                end.close()

    def _give_heavy(self) -> None:
        if self._heavy is not None and self._heavy.popen.poll() is not None:
            self._end_heavy()
        if self._heavy is None:
            self._heavy = _Process(self._settings, self._idle)
            self._heavy.control.setblocking(False)
            self._wakeup.register(self._heavy.control, select.EPOLLIN)
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with near, far, contextlib.suppress(Broken):
            self._links += 1
            exchange.send_control(self._heavy.control, {"attach": self._links}, far.fileno())
            if self._light is not None:
                exchange.send_control(self._light.control, {"heavy": True}, near.fileno())

    def _restart(self) -> None:
        self._not_before = time.monotonic() + self._settings.service.restart_seconds
        self._adopt(_Process(self._settings))

    def _end_light(self) -> None:
        process, self._light = self._light, None
        if process is not None:
            self._wakeup.unregister(process.control)
            process.end()

    def _end_heavy(self) -> None:
        process, self._heavy = self._heavy, None
        if process is not None:
            self._wakeup.unregister(process.control)
            process.end()


def _started(settings: Settings) -> tuple[_Process, Ready]:
    """A light template that is ready and has all protections that are compulsory."""
    process = _Process(settings)
    try:
        process.control.settimeout(START_SECONDS)
        try:
            message, _ = exchange.receive_control(process.control)
        except (Broken, BlockingIOError):
            raise WorkerUnavailable(
                "the template process does not start",
                "try `recordwarden detectors test`, which loads the same parts",
            ) from None
        if "ready" not in message:
            raise _refusal(message.get("refused") or {})
        ready = _ready(message["ready"])
    except BaseException:
        process.end()
        raise
    return process, ready


def _ready(said: dict[str, Any]) -> Ready:
    report: dict[str, str] = {k: v for k, v in said["report"].items() if k in set(Protection)}
    return Ready(
        vocabulary=frozenset(said["vocabulary"]),
        digest=said["digest"],
        protections=tuple(sorted(p for p, why in report.items() if not why)),
        missing={p: why for p, why in sorted(report.items()) if why},
    )


def _refusal(refused: dict[str, Any]) -> Problem:
    message, hint = str(refused.get("message", "no reason given")), str(refused.get("hint") or "")
    if refused.get("protection"):
        return Unprotected(
            f"service.require: {refused['protection']} is missing: {message}",
            "give the service this protection, or take it out of service.require",
        )
    if refused.get("key"):
        return Misconfigured(str(refused["key"]), message, hint)
    return WorkerUnavailable(f"the template process does not start: {message}", hint)


def template_settings(settings: Settings, heavy_idle_seconds: float | None = None) -> dict[str, Any]:
    """What a template is told: its first control message."""
    limits = settings.limits
    return {
        "heavy": heavy_idle_seconds is not None,
        "idle_seconds": heavy_idle_seconds,
        "spare_seconds": SPARE_SECONDS if heavy_idle_seconds is None else None,
        "worker_user": settings.service.worker_user,
        "examine_seconds": limits.examine_seconds,
        "examine_seconds_per_gb": limits.examine_seconds_per_gb,
        "worker_memory_bytes": limits.worker_memory_mb * 1024**2,
        "workers": limits.workers,
        "require": [p.value for p in settings.service.require],
        "stanzas": settings.detectors,
        "read_limits": {
            "max_input_bytes": limits.max_input_bytes,
            "max_expanded_bytes": limits.max_expanded_bytes,
            "max_entries": limits.max_entries,
            "max_depth": limits.max_depth,
            "max_columns": limits.max_columns,
            "max_cell_chars": limits.max_cell_chars,
            "max_line_bytes": limits.max_line_bytes,
        },
    }
