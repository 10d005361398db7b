"""When files are ready. Time is a number here."""

from __future__ import annotations

from dataclasses import replace

from agent.settle import FIRST_SECONDS, PATIENCE, Settle
from agent.watcher import Change, FileEvent
from agent.writer import Writer

SETTLE, QUIET = 0.1, 2.0


def event(relpath, change=Change.CLOSED, origin="event"):
    return FileEvent(relpath, change, origin, 0.0)


def settle(**more):
    return Settle(SETTLE, QUIET, **more)


def all_ready(waiting, now):
    ready = []
    while (one := waiting.ready(now)) is not None:
        ready.append(one.relpath)
    return ready


def test_a_closed_file_is_ready_almost_at_once():
    waiting = settle()
    waiting.note(event("a"), 10.0)
    assert waiting.ready(10.0) is None, "most programs rename now"
    assert waiting.due() == 10.0 + FIRST_SECONDS
    assert all_ready(waiting, 10.01) == ["a"]
    assert len(waiting) == 0 and waiting.due() is None


def test_a_file_that_is_written_in_pieces_rests_after_each():
    waiting = settle()
    waiting.note(event("a"), 10.0)
    assert all_ready(waiting, 10.01) == ["a"]
    for piece in range(1, 20):
        waiting.note(event("a"), 10.0 + piece * 0.05)
        assert all_ready(waiting, 10.0 + piece * 0.05 + 0.04) == []
    assert waiting.due() == 10.95 + SETTLE
    waiting.note(event("a"), 20.0)
    assert all_ready(waiting, 20.01) == ["a"], "that is over"


def test_what_is_remembered_of_closes_is_bounded():
    waiting = settle()
    for number in range(30_000):
        waiting.note(event(str(number)), float(number))
        waiting.ready(number + 0.5)
    assert len(waiting._closed) <= 10_000


def test_a_file_that_nobody_closes_is_ready_when_quiet():
    waiting = settle()
    waiting.note(event("a", Change.CHANGED), 0.0)
    waiting.note(event("a", Change.CHANGED), 1.5)
    assert all_ready(waiting, 2.5) == []
    assert all_ready(waiting, 3.5) == ["a"]


def test_a_burst_of_events_is_one_file():
    waiting = settle()
    for step in range(1000):
        waiting.note(event("a", Change.CHANGED), step / 1000)
    waiting.note(event("a"), 1.0)
    assert all_ready(waiting, 1.1) == ["a"]


def test_a_write_after_the_close_makes_it_wait_again():
    waiting = settle()
    waiting.note(event("a"), 0.0)
    waiting.note(event("a", Change.CHANGED), 0.001)
    assert all_ready(waiting, 1.0) == []
    waiting.note(event("a"), 1.0)
    assert all_ready(waiting, 1.1) == ["a"]


def test_a_save_by_rename_concerns_the_final_name_only():
    waiting = settle()
    waiting.note(event(".tmp123"), 0.0)
    waiting.note(event(".tmp123", Change.GONE), 0.01)
    waiting.note(event("report.csv", Change.ARRIVED), 0.01)
    assert all_ready(waiting, 1.0) == ["report.csv"]


def test_nothing_that_keeps_changing_is_put_off_for_ever():
    waiting = settle()
    now, ready = 0.0, []
    while now < 2 * PATIENCE * QUIET and not ready:
        waiting.note(event("a", Change.CHANGED), now)
        ready = all_ready(waiting, now)
        now += 0.5
    assert ready == ["a"] and now <= PATIENCE * QUIET + 1


def test_the_first_ready_is_the_first_out():
    waiting = settle()
    waiting.note(event("late", Change.CHANGED), 0.0)
    waiting.note(event("one"), 0.2)
    waiting.note(event("two"), 0.3)
    assert all_ready(waiting, 5.0) == ["one", "two", "late"]


def test_a_postponed_file_comes_back_when_due_or_sooner_if_it_changes():
    waiting = settle()
    waiting.postpone(event("a"), 10.0)
    waiting.postpone(event("b"), 10.0)
    waiting.note(event("b"), 1.0)
    assert all_ready(waiting, 2.0) == ["b"]
    assert all_ready(waiting, 10.0) == ["a"]


def test_postponing_never_delays_what_waits_already():
    waiting = settle()
    waiting.note(event("a"), 0.0)
    waiting.postpone(event("a"), 100.0)
    assert all_ready(waiting, 0.1) == ["a"]


def test_a_folder_and_a_file_of_one_name_do_not_hide_each_other():
    waiting = settle()
    waiting.note(event("a", Change.FOLDER), 0.0)
    waiting.note(event("a"), 0.0)
    assert all_ready(waiting, 1.0) == ["a", "a"]


def test_memory_is_bounded_and_loss_is_told():
    waiting = settle(most=10)
    for number in range(1000):
        waiting.note(event(str(number)), 0.0)
    assert len(waiting) == 10 and waiting.overflowed
    for step in range(10_000):
        waiting.note(event("0"), step / 1000)
    assert len(waiting._queue) < 200


def test_who_wrote_a_file_is_kept_when_a_later_event_does_not_tell():
    waiting = settle()
    writer = Writer(7, 1000, "cp", "/usr/bin/cp")
    waiting.note(replace(event("a"), writer=writer), 0.0)
    waiting.note(event("a"), 0.01)
    assert waiting.ready(1.0).writer == writer
