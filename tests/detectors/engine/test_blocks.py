"""Rows and cards that are built of any elements; menus, prose and endless pages."""

from __future__ import annotations

import pytest

from detectors.engine import blocks
from detectors.engine.blocks import Blocks, of_rows

NAMES = ["id", "age", "sex", "region"]
ROWS = [
    [str(100 + 7 * i), str(20 + i * 13 % 60), "12"[i % 2], ["North", "South"][i % 3 > 0]] for i in range(12)
]

Node = tuple[str, "list[Node] | str"]


def take(found: Blocks, node: Node) -> None:
    name, inside = node
    tag, _, style = name.partition(".")
    found.start(tag, style)
    if isinstance(inside, str):
        found.data(inside)
    else:
        for one in inside:
            take(found, one)
    found.end(tag)


def tables(node: Node) -> list[tuple[list[str] | None, list[list[str]]]]:
    found = Blocks()
    take(found, node)
    found.close()
    return [(t.header, [list(row) for row in t.rows]) for rows in found.found for t in of_rows(rows)]


def test_rows_and_cells_of_any_elements_are_a_table() -> None:
    lines = [("div.r odd", [("span.c", cell) for cell in row]) for row in [NAMES, *ROWS]]
    assert tables(("body", [("h1", "List"), ("div", lines)])) == [(NAMES, ROWS)]


def test_a_link_or_emphasis_within_a_cell_is_no_cell_of_its_own_and_an_empty_cell_is_one() -> None:
    rows = [["", *row[1:]] for row in ROWS]
    lines: list[Node] = [
        ("li", [("div", [("a", cell)] if cell else "") for cell in row]) for row in [NAMES, *rows]
    ]
    assert tables(("ul", lines)) == [(NAMES, rows)]


def test_cards_of_terms_and_their_values_are_records_even_where_some_are_left_out() -> None:
    cards: list[Node] = [
        (
            "div.card",
            [
                (
                    "dl",
                    [x for name, cell in zip(NAMES, row, strict=True) for x in (("dt", name), ("dd", cell))],
                )
            ],
        )
        for row in ROWS
    ]
    cards[3] = (
        "div.card",
        [("dl", [("dt", "id"), ("dd", "121"), ("dt", "age"), ("dd", "59"), ("dt", "sex"), ("dd", "2")])],
    )
    expected = [*ROWS[:3], ["121", "59", "2", ""], *ROWS[4:]]
    assert tables(("body", cards)) == [(NAMES, expected)]


def test_labels_with_values_are_told_by_what_they_say_where_elements_are_all_of_one_kind() -> None:
    cards: list[Node] = [
        (
            "section",
            [("p", [("span", f"{name}:"), ("span", cell)]) for name, cell in zip(NAMES, row, strict=True)],
        )
        for row in ROWS
    ]
    assert tables(("body", cards)) == [(NAMES, ROWS)]


def test_all_people_in_one_list_of_terms_are_parted_where_a_term_comes_again() -> None:
    many = [row for k in range(3) for row in ROWS]
    terms = [
        x for row in many for name, cell in zip(NAMES, row, strict=True) for x in (("dt", name), ("dd", cell))
    ]
    assert tables(("dl", terms)) == [(NAMES, many)]


def test_menus_and_prose_are_no_tables() -> None:
    menu: Node = ("ul", [("li", [("a", f"Page {i}")]) for i in range(40)])
    prose: list[Node] = [("p", [("b", "Of"), ("i", "this"), ("a", "and that")]) for _ in range(4)]
    assert tables(("body", [menu, *prose])) == []


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_KEPT", 40_000)
    found = Blocks()
    found.start("div", "")
    for _ in range(300):
        take(found, ("p", [("b", "x" * 300) for _ in range(5)]))
        assert sum(len(text) for row in found._open[0].rows for _, text in row) < 42_000
    for _ in range(1000):
        found.start("div", "")
    assert len(found._open) <= blocks.MOST_DEPTH
    found.close()
    assert found.found
