"""The loop: readable descriptors, timers in order, signals between other things."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from agent.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    kept = {s: signal.getsignal(s) for s in (signal.SIGHUP, signal.SIGTERM)}
    yield loop
    loop.close()
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_timers_run_in_order_and_cancelled_ones_do_not(loop: Loop) -> None:
    ran: list[int] = []
    loop.after(0.02, lambda: ran.append(2))
    loop.after(0.0, lambda: ran.append(1))
    loop.after(0.01, lambda: ran.append(9)).cancel()
    loop.after(0.03, loop.stop)
    loop.run()
    assert ran == [1, 2]


def test_what_repeats_goes_on(loop: Loop) -> None:
    ran: list[int] = []
    loop.every(0.001, lambda: ran.append(1))
    loop.after(0.05, loop.stop)
    loop.run()
    assert len(ran) > 3


def test_a_readable_descriptor_is_answered_until_it_is_unwatched(loop: Loop) -> None:
    ours, theirs = socket.socketpair()
    got: list[bytes] = []

    def read() -> None:
        got.append(ours.recv(10))
        loop.unwatch(ours)
        loop.stop()

    loop.watch(ours, read)
    theirs.send(b"x")
    loop.run()
    theirs.send(b"y")
    loop.once(0.01)
    assert got == [b"x"]
    loop.unwatch(ours)
    ours.close()
    theirs.close()


def test_signals_are_answered_by_the_loop(loop: Loop) -> None:
    got: list[str] = []
    loop.on_signals({signal.SIGHUP: lambda: got.append("hup"), signal.SIGTERM: loop.stop})
    os.kill(os.getpid(), signal.SIGHUP)
    loop.after(0.01, lambda: os.kill(os.getpid(), signal.SIGTERM))
    loop.run()
    assert got == ["hup"]


def test_an_idle_loop_sleeps(loop: Loop) -> None:
    loop.after(0.1, loop.stop)
    before = time.process_time()
    loop.run()
    assert time.process_time() - before < 0.05


def test_what_a_callback_raises_ends_the_loop(loop: Loop) -> None:
    def fail() -> None:
        raise ValueError

    loop.after(0.0, fail)
    with pytest.raises(ValueError):
        loop.run()


def test_what_was_let_go_in_the_same_round_is_not_called(loop: Loop) -> None:
    """A mount that goes and a probe that answers, both at once, ended the service."""
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []

    def first_come(number: int) -> None:
        called.append(number)
        for ours, _ in pairs:
            loop.unwatch(ours)

    for number, (ours, theirs) in enumerate(pairs):
        loop.watch(ours, lambda number=number: first_come(number))  # type: ignore[misc]
        theirs.send(b"x")
    loop.once(1.0)
    assert len(called) == 1
    for pair in pairs:
        for end in pair:
            end.close()
