"""Data that stand where a program says, without a blank between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.placed import given_layout, placed


@pytest.mark.parametrize(
    ("written", "names", "places"),
    [
        ("input id 1-4 sex $ 5 age 6-7;", ["id", "sex", "age"], [0, 4, 5]),
        ("input @1 id $4. @10 day yymmdd10. +1 pay 6.2;", ["id", "day", "pay"], [0, 9, 20]),
        ("input id 4. sex $1. age 2.;", ["id", "sex", "age"], [0, 4, 5]),
        ("data list fixed /id 1-4 sex 5 (A)\n age 6-7 (2).", ["id", "sex", "age"], [0, 4, 5]),
        ("data list records=2 /1 id 1-4 a 5 b 6 /2 c 1-5.", ["id", "a", "b"], [0, 4, 5]),
        ("input id sex $ age;", [], []),
        ("input id 1-4 sex age 6-7;", [], []),
        ("input id 5-9 sex 1 age 2;", [], []),
        ("x = input(y);", [], []),
    ],
)
def test_places_are_given_by_columns_by_pointers_or_by_widths(
    written: str, names: list[str], places: list[int]
) -> None:
    assert placed(written.split("\n")) == (names, places)


def test_data_are_cut_where_they_stand_until_a_line_is_too_short() -> None:
    lines = [
        "input id 1-4 sex 5 age 6-7;",
        "cards;",
        *(f"{1000 + i}{1 + i % 2}{20 + i}" for i in range(5)),
        ";",
    ]
    layout = given_layout(lines, 2, ["id", "sex", "age"])
    assert layout is not None and (layout.first, layout.last) == (2, 7)
    assert layout.rows("1003224\n") == [["1003", "2", "24"]] and layout.fits(lines[2:7])
    assert given_layout(lines, 2, ["id", "sex"]) is None


@given(st.text("inputdalsfxe /@+123-.;()$\n", max_size=200))
def test_no_program_raises(text: str) -> None:
    names, places = placed(text.split("\n"))
    assert len(names) == len(places) and places == sorted(places)
