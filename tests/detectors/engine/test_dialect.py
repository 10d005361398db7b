from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.dialect import (
    _MAYBE_ODD,
    _SHORT,
    TEX,
    WIKI,
    Dialect,
    _oddity,
    candidates,
    is_rule,
    numbered_rows,
    quality,
)

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


def test_rows_of_latex_end_in_two_backslashes() -> None:
    text = "\\hline\nid & age \\\\ \\hline\n1 & 44 \\\\\n2 & 51 \\\\\n"
    assert Dialect(TEX) in candidates(text) and Dialect(TEX) not in candidates("a & b\nc & d\ne & f\n")
    assert Dialect(TEX).rows(text) == [["id", "age"], ["1", "44"], ["2", "51"]]


def test_rows_of_a_wiki_stand_between_marks() -> None:
    text = "{| class=x\n! id !! age\n|-\n| 1 || 44\n|-\n| 2 || \n|-\n|}\n"
    assert Dialect(WIKI) in candidates(text) and Dialect(WIKI) not in candidates("a || b\n" * 5)
    assert Dialect(WIKI).rows(text) == [["id", "age"], ["1", "44"], ["2", ""]]


def test_a_document_that_is_quoted_as_one_value_is_a_cell_and_one_that_is_not_is_none() -> None:
    quoted, bare = Dialect(",", '"'), Dialect(",")
    rows = [[str(i), f'{{"a": {i}, "b": [1, 2]}}'] for i in range(20)]
    assert quality(quoted, rows) > 0.7 > 0.45 > quality(bare, rows)


def test_a_cell_of_blanks_between_quoted_ones_is_a_value_like_any_other() -> None:
    assert quality(Dialect(",", '"'), [[str(i), " ", f"x{i}"] for i in range(20)]) > 0.45


def test_two_dates_on_each_line_are_not_cut_at_their_slashes() -> None:
    lines = [f"{n}  Jo  0{n % 9}/01/1999  F  1{n % 9}/02/2020" for n in range(20)]
    assert "/" not in [dialect.delimiter for dialect in candidates("\n".join(lines))]
    named = [f"{n},/usr/share/doc/x{n},a,b,c" for n in range(20)]
    assert "/" not in [dialect.delimiter for dialect in candidates("\n".join(named))]
    paths = [f"{n}/{n % 7}/1/2/x" for n in range(20)]
    assert "/" in [dialect.delimiter for dialect in candidates("\n".join(paths))]


@given(st.text("ab1 ,;'\"\n\t", max_size=60), st.sampled_from(",;\t"))
def test_plain_rows_are_cut_as_csv_cuts_them(text: str, delimiter: str) -> None:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, quoting=csv.QUOTE_NONE)
    assert Dialect(delimiter).rows(text) == [*reader]


@given(st.lists(st.text("ab1.,;(){}=<>!?' ", max_size=30), min_size=1), st.sampled_from(",;: "))
def test_a_sample_is_looked_at_cell_by_cell_where_one_is_odd(cells: list[str], delimiter: str) -> None:
    bare = [cell.strip() for cell in cells]
    is_plain = max(map(len, bare)) <= _SHORT and not _MAYBE_ODD.search("\n".join(bare))
    assert not is_plain or not any(_oddity(Dialect(delimiter), cell) for cell in bare)
