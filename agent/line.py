"""A keeper's end of its line to the supervisor: questions with their answers, orders in between, beats."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import TypeVar

from agent.channel import Channel
from agent.protocol import Beat, Message, Tell
from agent.watcher import Change, FileEvent

BEAT_SECONDS = 4.0
_GLANCE_SECONDS = 0.02

Answer = TypeVar("Answer", bound=Message)


class Ended(Exception):
    """The supervisor wants this keeper to let go of its root at once."""


class BrokenProtocol(Exception):
    """An answer that does not belong to the question: nothing said on this line can be trusted."""


class Line:
    """`state` makes the beat that says that this keeper lives."""

    def __init__(self, channel: Channel, state: Callable[[], Beat], *, paused: bool = False) -> None:
        self._channel = channel
        self._state = state
        self._beaten: Beat | None = None
        self.next_beat = 0.0
        self._glance_at = 0.0
        self.ended = False
        self.sweep_wanted = False
        self._wishes: list[str] = []
        self.paused = paused
        """Routine sweeps shall wait."""

    def wait_for(self, answer: type[Answer]) -> Answer:
        """The answer to what was sent; what is told meanwhile is kept for `hear`."""
        while True:
            reply = self._channel.receive()
            if isinstance(reply, answer):
                return reply
            if reply is not None:
                self._told(reply)

    def ask(self, message: Message, answer: type[Answer]) -> Answer:
        """Send a question and wait for its answer; raises `ChannelClosed`, `BrokenProtocol`."""
        self._channel.send(message)
        return self.wait_for(answer)

    def breathe(self) -> None:
        """During long work, as often as you like: beat when it is time, and raise `Ended` when told so."""
        now = time.monotonic()
        if now >= self._glance_at:
            self._glance_at = now + _GLANCE_SECONDS
            self.hear()
            self.beat(now)

    def hear(self) -> None:
        """Take in all that the supervisor has told; raises `Ended`, `ChannelClosed`."""
        while not self.ended and select.select([self._channel], [], [], 0)[0]:
            told = self._channel.receive()
            if told is not None:
                self._told(told)
        if self.ended:
            raise Ended

    def wishes(self) -> list[FileEvent]:
        """Files that somebody waits to open, to be judged as if they had just been closed."""
        wanted, self._wishes = self._wishes, []
        return [FileEvent(relpath, Change.CLOSED, "event", time.time()) for relpath in wanted]

    def beat(self, now: float) -> None:
        """Say how things stand: every few seconds, and at once when they have changed."""
        beat = self._state()
        known = self._beaten
        news = known is None or (beat.state, beat.missing) != (known.state, known.missing)
        if news or now >= self.next_beat:
            self._channel.send(beat)
            # at the same moments as all other keepers, so that they wake the supervisor once
            self._beaten, self.next_beat = beat, (now // BEAT_SECONDS + 1) * BEAT_SECONDS

    def _told(self, message: Message) -> None:
        if not isinstance(message, Tell):
            raise BrokenProtocol(type(message).__name__)
        match message.do:
            case "end":
                self.ended = True
            case "sweep":
                self.sweep_wanted = True
            case "look":
                self._wishes.append(message.relpath)
            case "pause" | "resume":
                self.paused = message.do == "pause"
