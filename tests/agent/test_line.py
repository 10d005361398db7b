"""The keeper's end of its line to the supervisor."""

from __future__ import annotations

import threading
import time

import pytest

from agent.channel import Channel
from agent.line import BrokenProtocol, Ended, Line
from agent.protocol import Beat, ChannelClosed, Done, Go, MayUnlink, Orders, Swept, Tell


@pytest.fixture
def ends():
    ours, theirs = Channel.pair()
    states = [Beat("native", 0, [])]
    line = Line(theirs, lambda: states[0])
    line.states = states
    yield ours, line
    ours.close()
    theirs.close()


def test_an_answer_is_what_was_asked_for(ends):
    supervisor, line = ends
    supervisor.send(Go(True))
    assert line.ask(MayUnlink("e"), Go) == Go(True)
    assert supervisor.receive(1) == MayUnlink("e")


def test_what_is_told_meanwhile_is_not_lost(ends):
    supervisor, line = ends
    supervisor.send(Tell("sweep"))
    supervisor.send(Tell("end"))
    supervisor.send(Go(True))
    assert line.ask(MayUnlink("e"), Go).go, "the answer that was waited for still comes first"
    assert line.sweep_wanted
    with pytest.raises(Ended):
        line.hear()


def test_files_that_are_waited_for_are_wished_once(ends):
    supervisor, line = ends
    for relpath in ("a", "b/c"):
        supervisor.send(Tell("look", relpath))
    line.hear()
    assert [event.relpath for event in line.wishes()] == ["a", "b/c"]
    assert line.wishes() == []


def test_a_pause_lasts_until_it_is_over(ends):
    supervisor, line = ends
    for word, paused in (("pause", True), ("sweep", True), ("resume", False)):
        supervisor.send(Tell(word))
        line.hear()
        assert line.paused is paused


def test_an_answer_to_another_question_is_believed_in_nothing(ends):
    supervisor, line = ends
    supervisor.send(Orders("take", "e"))
    with pytest.raises(BrokenProtocol):
        line.ask(MayUnlink("e"), Go)


def test_a_supervisor_that_is_gone_ends_everything(ends):
    supervisor, line = ends
    supervisor.close()
    for attempt in (line.hear, lambda: line.ask(MayUnlink("e"), Go), lambda: line.wait_for(Done)):
        with pytest.raises(ChannelClosed):
            attempt()


def test_hearing_waits_for_nothing(ends):
    _, line = ends
    begun = time.monotonic()
    line.hear()
    assert time.monotonic() - begun < 5


def test_it_beats_at_once_when_something_changed_and_seldom_else(ends):
    supervisor, line = ends
    line.beat(100.0)
    line.beat(101.0)
    line.states[0] = Beat("native", 99, [])
    line.beat(101.5)
    assert (supervisor.receive(0), supervisor.receive(0)) == (Beat("native", 0, []), None)
    line.states[0] = Beat("degraded", 0, ["write_lease"])
    line.beat(102.0)
    assert supervisor.receive(0) == Beat("degraded", 0, ["write_lease"])
    line.beat(103.0)
    assert supervisor.receive(0) is None
    line.beat(107.0)
    assert supervisor.receive(0) is not None


def test_breathing_beats_and_notices_the_end(ends):
    supervisor, line = ends
    line.breathe()
    assert isinstance(supervisor.receive(1), Beat)
    supervisor.send(Tell("end"))
    until = time.monotonic() + 60
    with pytest.raises(Ended):
        while time.monotonic() < until:
            line.breathe()


def test_breathing_costs_next_to_nothing(ends):
    _, line = ends
    begun = time.monotonic()
    for _ in range(10_000):
        line.breathe()
    assert time.monotonic() - begun < 10


def test_an_answer_may_take_its_time(ends):
    supervisor, line = ends
    threading.Timer(0.1, lambda: supervisor.send(Done())).start()
    assert line.ask(Swept(0.0, 0, 0, 0, {}, True), Done) == Done()
