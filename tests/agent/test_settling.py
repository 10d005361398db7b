"""How long the file at hand is left alone."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from agent.settling import MEANWHILE_SECONDS, Settling
from agent.watcher import Change, FileEvent


def begun(seconds, ago=0.0, origin="event"):
    settling = Settling()
    settling.begin(FileEvent("x", Change.CLOSED, origin, time.time() - ago), seconds)
    return settling


def test_before_any_file_there_is_nothing_to_wait_for():
    assert Settling().over


def test_it_counts_from_the_event():
    assert not begun(60.0).over and begun(60.0, ago=61.0).over
    settling, before = begun(0.1), time.monotonic()
    settling.wait()
    assert settling.over and 0.05 < time.monotonic() - before < 30


def test_what_a_sweep_finds_has_settled():
    assert begun(60.0, origin="sweep").over


def test_a_clock_that_was_set_back_makes_it_no_longer():
    settling = begun(0.1, ago=-3600.0)
    settling.wait()
    assert settling.over


def test_only_a_short_moment_may_pass_in_custody():
    assert begun(MEANWHILE_SECONDS).is_short and not begun(2 * MEANWHILE_SECONDS).is_short


def test_a_glance_ends_the_wait():
    class Wanted(Exception):
        pass

    def glance():
        raise Wanted

    with pytest.raises(Wanted):
        begun(60.0).wait(glance)


@pytest.mark.parametrize("unchanged", [True, False])
def test_whether_the_file_is_as_it_was_is_looked_at_when_there_was_a_wait(unchanged):
    opened = SimpleNamespace(unchanged=lambda: unchanged)
    assert begun(0.02).ends_well(opened) is unchanged
    assert begun(0.02, ago=1.0).ends_well(opened)
