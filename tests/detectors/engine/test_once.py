"""Values that are found out once."""

from __future__ import annotations

from detectors.engine.once import once


class Thing:
    def __init__(self) -> None:
        self.asked = 0

    @once
    def value(self) -> int:
        """What it is."""
        self.asked += 1
        return 7


def test_a_value_is_found_out_when_asked_for_and_stays() -> None:
    thing = Thing()
    assert thing.asked == 0
    assert (thing.value, thing.value, thing.asked) == (7, 7, 1)
    assert Thing.value.__doc__ == "What it is."


def test_who_knows_it_may_set_it() -> None:
    thing = Thing()
    thing.value = 8
    assert (thing.value, thing.asked) == (8, 0)
