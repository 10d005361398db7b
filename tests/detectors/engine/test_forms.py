"""Rows fit the looks that they were learned from; another kind of cell, or a longer number, does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.forms import MOST_FORMS, Forms

READINGS = [[f"{1600000000 + i}", f"{i % 400}", f"-{i}.25", "ok"] for i in range(100)]
CELLS = st.text(st.characters(exclude_characters="\t\n", exclude_categories=("Cs",)), max_size=8)


def joined(rows: list[list[str]]) -> str:
    return "\n".join("\t".join(row) for row in rows)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=20))
def test_rows_fit_the_look_that_was_learned_from_them(rows: list[list[str]]) -> None:
    assert Forms(rows).hold(joined(rows))


def test_one_row_of_another_look_is_noticed_wherever_it_stands() -> None:
    forms = Forms(READINGS)
    assert forms.hold(joined(READINGS))
    others = [
        ["1600000001", "12", "-1.25"],
        ["1600000001", "12", "-1", "ok"],
        ["1600000001", "1.2", "-1.25", "ok"],
        ["1600000001", "12", "-1.25", "ok", "more"],
        ["1600000001", "9434765919", "-1.25", "ok"],
        ["1600000001", "AB123456C", "-1.25", "ok"],
        ["1600000001", "12", "-1.25", "7"],
        ["1600000001", "", "-1.25", "ok"],
        [],
    ]
    for other in others:
        for at in (0, 50, 100):
            assert not forms.hold(joined([*READINGS[:at], other, *READINGS[at:]])), other


def test_blanks_may_be_allowed_and_nothing_else_with_them() -> None:
    forms = Forms(READINGS)
    blank, longer = ["1600000001", "", "-1.25", "ok"], ["1600000001", "9434765919", "", "ok"]
    assert forms.allow_blanks([*READINGS, blank, longer])
    assert forms.hold(joined([blank])) and not forms.hold(joined([longer]))
    assert not forms.allow_blanks([blank])


def test_there_is_room_for_so_many_looks_and_no_more() -> None:
    forms = Forms(READINGS)
    learned = [forms.learn([["x"] * width]) for width in range(5, 30)]
    assert sum(learned) == MOST_FORMS - 1
    assert forms.hold(joined(READINGS)) and not forms.learn([["x"] * 999])


def test_nothing_fits_where_nothing_was_seen() -> None:
    assert not Forms([]).hold("")
    assert not Forms([]).hold("a\tb")
