from __future__ import annotations

import pytest

from detectors.engine.dialect import Dialect, is_rule, numbered_rows, quality

PEOPLE = [f"{i},{20 + i % 40},Jo Example,{i}.5" for i in range(30)]


def test_a_quoted_cell_over_many_lines_is_one_row() -> None:
    lines = ['1,"a', "b,,", 'c",2', "3,d,4"]
    rows = list(numbered_rows(Dialect(",", '"'), lines))
    assert rows == [(0, 3, ["1", "a\nb,,\nc", "2"]), (3, 4, ["3", "d", "4"])]


def test_a_stray_quote_joins_nothing() -> None:
    lines = ['1,"a', *PEOPLE]
    assert [row for _, _, row in numbered_rows(Dialect(",", '"'), lines)][1:] == [
        p.split(",") for p in PEOPLE
    ]


def test_sentences_are_worth_nothing_as_records() -> None:
    rows = [["The board met", " and it noted this", " as it always does"]] * 9
    assert quality(Dialect(","), rows) < 0.45 < quality(Dialect(","), [p.split(",") for p in PEOPLE])


@pytest.mark.parametrize("line", ["|---|:--:|", "+----+---+", "-----  ----", "=== ====", "├──┼──┤"])
def test_drawn_rules_are_known(line: str) -> None:
    assert is_rule(line)


@pytest.mark.parametrize("line", ["", "a | b", "- item", "--x--", "1-2-3"])
def test_what_holds_a_value_is_no_rule(line: str) -> None:
    assert not is_rule(line)


def test_a_long_line_of_dashes_is_told_at_once() -> None:
    assert is_rule("-" * 2_000_000)
    assert not is_rule("-" * 2_000_000 + "x")
