"""The supervisor's one loop: descriptors that became readable, timers, signals. No threads."""

from __future__ import annotations

import heapq
import itertools
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class HasFileno(Protocol):
    def fileno(self) -> int: ...


Callback = Callable[[], None]


@dataclass(order=True, slots=True)
class Timer:
    """A call that is due at a `time.monotonic()` instant."""

    at: float
    number: int
    call: Callback = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """Runs until `stop`. What a callback raises ends it and is raised by `run`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._running = False
        self._signals: dict[int, Callback] = {}
        self._wakeup: tuple[socket.socket, socket.socket] | None = None

    def watch(self, what: HasFileno, readable: Callback) -> None:
        self._selector.register(what, selectors.EVENT_READ, (readable, None))

    def watch_both(self, what: HasFileno, readable: Callback, writable: Callback | None) -> None:
        """Change what is watched for: also whether it can be written to, or not any more."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writable else 0)
        self._selector.modify(what, events, (readable, writable))

    def unwatch(self, what: HasFileno) -> None:
        """Before it is closed; a second time is no error."""
        try:
            self._selector.unregister(what)
        except (KeyError, ValueError):
            pass

    def after(self, seconds: float, call: Callback) -> Timer:
        timer = Timer(time.monotonic() + seconds, next(self._numbers), call)
        heapq.heappush(self._timers, timer)
        return timer

    def every(self, seconds: float, call: Callback) -> None:
        """Until the loop ends."""

        def again() -> None:
            call()
            self.after(seconds, again)

        self.after(seconds, again)

    def on_signals(self, calls: Mapping[signal.Signals, Callback]) -> None:
        """Have signals answered by the loop, between other things. Main thread only."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._wakeup = (ours, theirs)
        self._signals = {int(number): call for number, call in calls.items()}
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in calls:
            signal.signal(number, lambda *_: None)
        self.watch(ours, self._on_wakeup)

    def _on_wakeup(self) -> None:
        if self._wakeup is not None:
            for number in self._wakeup[0].recv(64):
                self._signals.get(number, lambda: None)()

    def stop(self) -> None:
        self._running = False

    def run(self, between: Callback = lambda: None) -> None:
        """Until `stop`; `between` is called after each round of callbacks."""
        self._running = True
        while self._running:
            self.once()
            between()

    def once(self, patience: float | None = None) -> None:
        """Wait for something to do (at most `patience` seconds) and do all that is due."""
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        wait = patience
        if self._timers:
            due_in = max(0.0, self._timers[0].at - time.monotonic())
            wait = due_in if wait is None else min(wait, due_in)
        for key, events in self._selector.select(wait):
            known = self._selector.get_map().get(key.fd)
            if known is None or known.fileobj is not key.fileobj:
                continue  # a callback of this very round has let it go
            readable, writable = key.data
            if events & selectors.EVENT_READ:
                readable()
            # the first may have unwatched it
            if events & selectors.EVENT_WRITE and writable and key.fd in self._selector.get_map():
                writable()
        now = time.monotonic()
        while self._timers and self._timers[0].at <= now:
            timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.call()

    def close(self) -> None:
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for end in self._wakeup:
                self.unwatch(end)
                end.close()
        self._selector.close()
