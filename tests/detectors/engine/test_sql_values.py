from __future__ import annotations

import pytest

from detectors.engine.sql_values import Buffer, Values, said_by_lines
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


@pytest.mark.parametrize(
    ("lines", "header", "row"),
    [
        ("UPDATE w SET sex = 'F', d = TO_DATE('2024-01-02', 'Y'), n = NULL WHERE id = 7;",
         ["sex", "d", "n", "id"], ["F", "2024-01-02", "", "7"]),
        ("INSERT INTO `w` SET `a`=1, `b`='x, (y'", ["a", "b"], ["1", "x, (y"]),
        ("SELECT 1 AS id, N'a b' AS [name] UNION ALL", ["id", "name"], ["1", "a b"]),
        ("union select 1, 'it''s' from dual", None, ["1", "it's"]),
    ],
)  # fmt: skip
def test_lines_that_say_a_row_each_are_a_table(lines: str, header: list[str] | None, row: list[str]) -> None:
    values = Values(backslash=False)
    assert list(said_by_lines([lines, "--", lines, lines], values)) == [(header, [row] * 3)]
    assert list(said_by_lines([lines] * 2, values)) == []


def test_what_is_asked_of_a_table_is_no_row() -> None:
    lines = ["SELECT 1, 2 FROM t", "UPDATE t SET", "UPDATE t SET = 3", "SELECT", "SELECT " + " " * 20_000]
    assert list(said_by_lines(lines * 3, Values(backslash=False))) == []
