"""A view is bounded and ragged rows do not break it."""

from __future__ import annotations

from shipped import LEXICON

from detectors.engine.view import MAX_COLUMNS, TableView, is_generic


def test_ragged_rows_are_filled_and_wide_ones_cut() -> None:
    view = TableView(["a"], [["1", "2"], ["3"], ["x"] * 1000], LEXICON)
    assert view.width == 1000 and len(view.columns) == MAX_COLUMNS
    assert [len(c.cells) for c in view.columns[:3]] == [3, 3, 3]


def test_names_that_say_nothing_are_known() -> None:
    assert all(map(is_generic, ["V1", "x12", "", "Unnamed: 0", "col_3", "7"])) and not any(
        map(is_generic, ["age", "q", "vat"])
    )


def test_labels_and_labels_of_values_are_heard() -> None:
    view = TableView(
        ["v1"], [["1"], ["2"]], LEXICON, labels={0: "Age of respondent"}, value_labels={0: ["Male", "Female"]}
    )
    assert any(w.concept == "age" for w in view.words[0]) and view.cell_concepts[0]["person.sex"] == 1.0


def test_black_and_white_among_colours_are_no_origin() -> None:
    def concepts(*cells: str) -> set[str]:
        return set(TableView(None, [[cell] for cell in cells * 3], LEXICON).cell_concepts[0])

    assert concepts("Black", "White", "Red", "LightBlue") == concepts("green", "red", "blue") == set()
    assert concepts("Black", "White", "Asian", "red") == {"person.ethnicity"}
    assert concepts("green", "labour", "red") == {"person.party"}


def test_a_layout_tells_the_kinds_of_columns_in_order_and_nothing_else() -> None:
    row = ["7", "2020-01-31", "word", "", "1", "2", "3", "4"]
    assert TableView(None, [row] * 5, LEXICON).layout == "ndtbnnnn"
    others = [["8", "1999-12-01", "else", "", "5", "6", "7", "8"]] * 9
    assert TableView(["secret"] * 8, others, LEXICON).layout == "ndtbnnnn"
    assert TableView(None, [row[:7]] * 5, LEXICON).layout == ""  # so many tables are alike


def test_what_stands_over_many_variables_of_a_tree_is_said_once() -> None:
    header = ["patient.ward", "patient.stay.from", "patient.stay.to"]
    tree = TableView(header, [["a", "1", "2"]] * 3, LEXICON, loose=True)
    flat = TableView(header, [["a", "1", "2"]] * 3, LEXICON)
    persons = [[w.concept for w in words].count("person") for words in tree.words]
    assert persons == [1, 0, 0]
    assert [[w.concept for w in words].count("person") for words in flat.words] == [1, 1, 1]
