from __future__ import annotations

import pytest

from detectors.engine.sql_values import Buffer, Values
from detectors.engine.table import Unreadable


@pytest.mark.parametrize(
    ("inside", "cells"),
    [
        ("1, 2.5, NULL", ["1", "2.5", ""]),
        ("'a, b', 'c''d', ''", ["a, b", "c'd", ""]),
        ("N'x', 'y'::text, f('z', 1)", ["x", "y", "z"]),
        ("now(), 3", ["now()", "3"]),
    ],
)
def test_values_are_cut_at_commas_outside_quotes_and_brackets(inside: str, cells: list[str]) -> None:
    assert Values(backslash=False).cells(inside) == cells


def test_a_row_may_come_in_many_pieces() -> None:
    values = Values(backslash=False)
    found = Buffer(iter("('some (text)',1),(2"), 10_000).match_all(values.row)
    assert found is not None
    assert values.cells(found[1]) == ["some (text)", "1"]


def test_a_row_without_end_is_refused() -> None:
    with pytest.raises(Unreadable, match="limit_cell"):
        Buffer(iter(["('" + "x" * 5_000] * 50), 100_000).match_all(Values(backslash=True).row)
