"""Header rows: text unlike the values below."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine import header
from detectors.engine.header import fold, header_depth, kind

NUMBERS = [["1", "34"], ["2", "45"], ["3", "33"], ["4", "61"]]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("12", "n"), ("-1,250.5", "n"), ("£3.20", "n"), ("12%", "n"), ("3.2E+11", "n"), ("1 250", "n"),
        ("2024-01-31", "d"), ("03/04/1968", "d"), ("12:30", "d"), ("01JAN1980", "d"),
        ("", "b"), ("..", "b"), ("[c]", "b"), ("NA", "b"),
        ("Army", "t"), ("AB123456C", "t"), ("SW1A 1AA", "t"),
    ],
)  # fmt: skip
def test_cells_have_kinds(cell: str, expected: str) -> None:
    assert kind(cell) == expected


@pytest.mark.parametrize(
    ("head", "depth"),
    [
        ([["id", "age"], *NUMBERS], 1),
        ([["V1", "V2"], *NUMBERS], 1),
        (NUMBERS, 0),
        ([["", "age"], *NUMBERS], 1),
        ([["Male", "Female"], ["age", "pay"], *NUMBERS], 2),
        ([["nino"], *([f"AB{i}23456C"] for i in range(6))], 1),
        ([[f"AB{i}23456C"] for i in range(6)], 0),
        ([["forename", "town"], ["Ann", "York"], ["Bob", "Bath"], ["Cat", "Ayr"]], 1),
        ([["Ann", "York"], ["Bob", "Bath"], ["Cat", "Ayr"], ["Dan", "Rhyl"]], 0),
        ([["id", "age"]], 1),
    ],
)
def test_a_header_is_as_deep_as_it_is(head: list[list[str]], depth: int) -> None:
    assert header_depth(head) == depth


def test_folding_carries_group_names_to_the_right() -> None:
    assert fold([["", "2020", ""], ["Rank", "Men", "Women"]]) == ["Rank", "2020|Men", "2020|Women"]


def test_an_address_is_a_value_and_no_name_of_a_variable() -> None:
    people = [[f"Jo {x}", f"{x}@example.org", "n/a"] for x in "abcdef"]
    assert header_depth(people) == 0
    assert header_depth([["Who", "Where", "Note"], *people]) == 1


@given(st.text("0123456789.,-/: abxyzNAé٣²", max_size=9))
def test_short_cuts_tell_the_kind_that_the_patterns_tell(cell: str) -> None:
    text = cell.strip()
    if not text or text.lower() in header._MARKS:
        told = "b"
    elif header._DATE.fullmatch(text):
        told = "d"
    else:
        told = "n" if header._NUMBER.fullmatch(text) else "t"
    assert kind(cell) == told
