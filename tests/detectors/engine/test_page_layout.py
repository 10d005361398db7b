"""From places on a page to rows of cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.page_layout import Cell, Columns, Letter, lines


def drawn(text, left, bottom, size=10.0):
    """Letters half as wide as high; a blank leaves a gap of that width."""
    return [
        Letter(x, left + i * size / 2, left + (i + 1) * size / 2, bottom, bottom + size)
        for i, x in enumerate(text)
        if x != " "
    ]


def test_words_near_one_another_are_one_cell_and_far_ones_are_two():
    (line,) = lines(drawn("two words", 0, 0) + drawn("far", 80, 0))
    assert [cell.text for cell in line] == ["two words", "far"]


def test_letters_on_slightly_different_heights_are_one_line():
    assert len(lines(drawn("a", 0, 0) + drawn("b", 30, 2))) == 1
    assert len(lines(drawn("a", 0, 0) + drawn("b", 30, 12))) == 2


@given(st.permutations(drawn("id", 0, 20) + drawn("age", 40, 20) + drawn("7", 0, 0) + drawn("31", 40, 0)))
def test_the_order_in_which_a_page_is_drawn_does_not_matter(letters):
    assert [[cell.text for cell in line] for line in lines(letters)] == [["id", "age"], ["7", "31"]]


def test_a_title_does_not_join_the_columns_under_it():
    page = [[Cell("A title over all columns", 0, 200)], [Cell("a", 0, 10), Cell("b", 50, 60)]]
    assert list(Columns().rows(page)) == [["A title over all columns"], ["a", "b"]]


def test_what_stands_under_one_another_is_one_column_whatever_is_missing():
    full = [Cell("a", 0, 10), Cell("b", 50, 60), Cell("c", 90, 99)]
    page = [full, full, [full[0], full[2]]]
    assert list(Columns().rows(page))[-1] == ["a", "", "c"]


def test_another_set_of_columns_begins_another_table():
    two, three = (
        [Cell("a", 0, 10), Cell("b", 50, 60)],
        [Cell("a", 0, 9), Cell("b", 20, 30), Cell("c", 50, 60)],
    )
    columns = Columns()
    assert list(columns.rows([two, two])) == [["a", "b"], ["a", "b"]]
    assert list(columns.rows([three])) == [[], ["a", "b", "c"]]
