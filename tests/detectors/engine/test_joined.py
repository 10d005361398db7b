"""Records that go over several rows."""

from __future__ import annotations

import random

import pytest

from detectors.engine.joined import joined
from detectors.engine.table import Row

_pick = random.Random(3)
PEOPLE = [
    [f"P{i}", str(_pick.randint(16, 90)), str(_pick.randint(1, 5)), _pick.choice("MF")] for i in range(12)
]


def test_rows_that_take_turns_are_one_record() -> None:
    rows = [part for person in PEOPLE for part in (person[:2], person[2:])]
    assert list(joined(None, rows)) == [PEOPLE]


def test_marked_rows_are_tables_of_their_own_and_one_together() -> None:
    rows = [["HDR", "x"], *(part for p in PEOPLE for part in (["A", *p[:2]], ["B", *p[2:], "z"])), ["TRL"]]
    first, second, both = joined(None, rows)
    assert first == [p[:2] for p in PEOPLE] and second == [[*p[2:], "z"] for p in PEOPLE]
    assert both[0] == ["A", *PEOPLE[0][:2], "B", *PEOPLE[0][2:], "z"]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (["id", "age", "sex", "q"], PEOPLE * 2),
        (None, PEOPLE * 2),
        (None, [["A", "1"], ["B", "2"]] * 12),
        (None, [[str(i % 3), "x"] for i in range(30)]),
        (None, [[], ["a"]] * 5),
    ],
)
def test_rows_that_are_alike_are_records_each(header: list[str] | None, rows: list[Row]) -> None:
    assert list(joined(header, rows)) == []
