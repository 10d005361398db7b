"""Sleep and a clock that is set are told apart from time that passes."""

from __future__ import annotations

from agent.clocks import SET_SECONDS, Clocks


class Time:
    def __init__(self):
        self.monotonic, self.boot, self.wall = 100.0, 100.0, 1e9

    def passes(self, seconds):
        self.monotonic += seconds
        self.boot += seconds
        self.wall += seconds


def clocks():
    now = Time()
    return now, Clocks(lambda: now.boot, lambda: now.wall)


def test_time_that_passes_is_no_news():
    now, looks = clocks()
    for step in (0.0, 0.001, 5.0, 3600.0):
        now.passes(step)
        assert looks.look(now.monotonic) == set()


def test_a_sleep_is_noticed_once():
    now, looks = clocks()
    looks.look(now.monotonic)
    now.boot += 3600.0
    now.wall += 3600.0
    assert looks.look(now.monotonic) == {"resumed"}
    now.passes(1.0)
    assert looks.look(now.monotonic) == set()


def test_a_clock_that_is_set_is_noticed_in_both_directions_and_small_steps_are_not():
    now, looks = clocks()
    looks.look(now.monotonic)
    now.wall -= 86_400.0
    assert looks.look(now.monotonic) == {"clock"}
    now.wall += 86_400.0
    assert looks.look(now.monotonic) == {"clock"}
    now.wall += SET_SECONDS / 2
    assert looks.look(now.monotonic) == set()


def test_the_machines_own_clocks_agree():
    import time

    looks = Clocks()
    assert looks.look(time.monotonic()) == looks.look(time.monotonic()) == set()
