from __future__ import annotations

import pytest

from detectors.engine.dialect import Dialect, candidates, is_rule, numbered_rows, quality, runs

PEOPLE = [f"{i},{20 + i % 40},Jo Example,{i}.5" for i in range(30)]


def test_the_delimiter_that_gives_clean_columns_weighs_most() -> None:
    lines = [f"{i};1,{i % 10};North, West;{i * 7}" for i in range(30)]
    weights = {d.delimiter: sum(r.weight for r in runs(d, lines)) for d in candidates("\n".join(lines))}
    assert max(weights, key=weights.__getitem__) == ";"


def test_a_run_ends_where_the_rows_do() -> None:
    lines = ["A title of it", "", *PEOPLE, "", "That was all."]
    (run,) = runs(Dialect(","), lines)
    assert (run.first, run.last, run.width) == (2, 32, 4)


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


@pytest.mark.parametrize("delimiter", "\t;|,^~¦\x01\x1f")
def test_any_delimiter_is_found(delimiter: str) -> None:
    lines = [line.replace(",", delimiter) for line in PEOPLE]
    weights = {d.delimiter: sum(r.weight for r in runs(d, lines)) for d in candidates("\n".join(lines))}
    assert max(weights, key=weights.__getitem__) == delimiter
