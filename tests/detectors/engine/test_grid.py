"""Tables on a grid: titles, notes, header rows, stacked and side by side, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import pytest

from detectors.engine.grid import tables
from detectors.engine.table import Row, Table, Text, Unreadable
from detectors.engine.verdict import Reason

Grid = Sequence[Sequence[object]]


def cells(grid: Grid) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in grid]


def found(grid: Grid) -> tuple[list[Table], list[list[Row]], list[str]]:
    rows = cells(grid)
    kept, data, lines = [], [], []
    for content in tables(iter(rows), again=lambda: iter(rows)):
        if isinstance(content, Text):
            lines += list(content.lines)
        else:
            kept.append(content)
            data.append(list(content.rows))
    return kept, data, lines


PEOPLE = [[i, 20 + i % 40, "MF"[i % 2]] for i in range(60)]
HEADER = ["id", "age", "sex"]


def test_titles_and_notes_become_context_and_text_but_no_rows() -> None:
    grid = [["Extract of staff"], ["Produced in March"], [], HEADER, *PEOPLE, ["Source: made up"]]
    (table,), (rows,), lines = found(grid)
    assert table.header == HEADER
    assert rows == cells(PEOPLE)
    assert table.context == ["Extract of staff", "Produced in March"]
    assert lines == ["Extract of staff", "Produced in March", "Source: made up"]


def test_a_header_is_never_made_up_from_a_record() -> None:
    (table,), (rows,), _ = found(PEOPLE)
    assert table.header is None
    assert rows == cells(PEOPLE)


def test_group_names_above_a_header_are_folded_into_it() -> None:
    grid = [["", "Male", "", "Female", ""], ["Rank", "a", "b", "a", "b"], *([["x", 1, 2, 3, 4]] * 5)]
    (table,), _, _ = found(grid)
    assert table.header == ["Rank", "Male|a", "Male|b", "Female|a", "Female|b"]


def test_years_across_the_top_are_a_header() -> None:
    (table,), (rows,), _ = found([["Rank", 2019, 2020, 2021], ["Army", 10, 20, 30], ["Navy", 30, 40, 50]])
    assert table.header == ["Rank", "2019", "2020", "2021"]
    assert len(rows) == 2


def test_tables_one_above_the_other_are_two_with_or_without_a_blank_row() -> None:
    other = [["area", "total", "rate"], *([["North", 500, 12]] * 4)]
    for between in ([[]], [[], []]):
        kept, data, _ = found([HEADER, *PEOPLE, *between, *other])
        assert [t.header for t in kept] == [HEADER, ["area", "total", "rate"]]
        assert [len(rows) for rows in data] == [60, 4]
    kept, data, _ = found([HEADER, *PEOPLE, ["alpha", "beta", "gamma"], *([[5, 6, 7]] * 5)])
    assert [t.header for t in kept] == [HEADER, ["alpha", "beta", "gamma"]]
    assert [len(rows) for rows in data] == [60, 5]


def test_tables_side_by_side_are_two() -> None:
    left, right = [HEADER, *PEOPLE], [["name", "pay"], *([["Ann", 5]] * 30)]
    grid = [[*a, "", "", *b] for a, b in zip(left, [*right, *([["", ""]] * 30)], strict=True)]
    kept, data, _ = found(grid)
    assert [t.header for t in kept] == [HEADER, ["name", "pay"]]
    assert [len(rows) for rows in data] == [60, 30]


def test_a_table_goes_on_over_blank_rows_and_repeated_headers() -> None:
    kept, (rows,), _ = found([HEADER, *PEOPLE[:20], [], *PEOPLE[20:40], [], HEADER, *PEOPLE[40:]])
    assert len(kept) == 1
    assert rows == cells(PEOPLE)


def test_a_list_in_one_column_is_a_table_and_prose_is_text() -> None:
    (table,), (rows,), _ = found([[f"AB{i:06}C"] for i in range(20)])
    assert table.header is None
    assert len(rows) == 20
    kept, _, lines = found([["These notes say how the figures were made and what they leave out."]] * 8)
    assert (kept, len(lines)) == ([], 8)


def test_leading_blank_columns_do_not_count() -> None:
    (table,), (rows,), _ = found([["", "", *row] for row in [HEADER, *PEOPLE]])
    assert table.header == HEADER
    assert rows == cells(PEOPLE)


def test_no_filled_cell_is_lost() -> None:
    grid = [["t"], [], HEADER, *PEOPLE[:5], ["lone"], *PEOPLE[5:9], [], ["", "a", "b"], [], ["n", 1], ["end"]]
    kept, data, lines = found(grid)
    out = {cell for t in kept for cell in t.header or []} | {c for rows in data for row in rows for c in row}
    out |= {word for line in lines for word in line.split()}
    assert {cell for row in cells(grid) for cell in row} - {""} <= out


def test_rows_before_a_fault_are_handed_out_before_it() -> None:
    def rows() -> Iterator[Row]:
        yield from cells([HEADER, *PEOPLE[:5]])
        raise Unreadable(Reason.MALFORMED)

    seen = []
    with pytest.raises(Unreadable):
        for content in tables(rows()):
            assert isinstance(content, Table)
            for row in content.rows:
                seen += [row]
    assert seen == cells(PEOPLE[:5])


def test_a_table_left_half_way_does_not_spoil_the_next() -> None:
    rows = cells([HEADER, *PEOPLE, [], ["area", "total"], *([["North", 5]] * 4)])
    headers = []
    for content in tables(iter(rows)):
        assert isinstance(content, Table)
        headers.append(content.header)
        next(content.rows)
    assert headers == [HEADER, ["area", "total"]]


def test_a_first_row_that_looks_like_a_header_further_on_is_not_put_back_for_ever() -> None:
    dump = """pat home|WHO PLACE NOW ALL|pat home 1 1|jo home 1 1|WHO NOW ALL|pat 1 1|jo 1 1|PLACE NOW ALL
    home 2 2|name value|LOST 0|FOUND 0|KEPT 0|connect|select|status|in|call|list place|pat home|jo home
    jo home
    WHO PLACE NOW ALL|jo home 2 2""".replace("\n", "|")
    rows = [line.split() for line in dump.split("|")]
    for first in range(len(rows)):
        contents = list(islice(tables(iter(rows[first:])), 2 * len(rows)))
        assert len(contents) < 2 * len(rows)


def test_lines_of_a_file_that_was_never_cut_are_cut_though_they_are_long() -> None:
    wide = [
        [f"{i:09d}", 20 + i % 40, "MF"[i % 2], f"{i * 7919:012d}", "North West of somewhere"]
        for i in range(99)
    ]
    names = ["id", "age", "sex", "number", "region"]
    lines = [[";".join(map(str, row))] for row in [names, *wide]]
    for title in ([], [["Extract of staff"], []]):
        (table,), (rows,), _ = found([*title, *lines])
        assert table.header == names
        assert rows == cells(wide)


def test_sentences_with_commas_stay_text() -> None:
    prose = [
        [f"In all, said {i}, it was a day, if not a week, that nobody, once it was over, wished back."]
        for i in range(9)
    ]
    tables, _, lines = found(prose)
    assert not tables and len(lines) == 9


def test_a_header_with_a_blank_row_below_it_names_the_rows_behind_that() -> None:
    (table,), (rows,), _ = found([HEADER, [], *PEOPLE])
    assert table.header == HEADER and rows == cells(PEOPLE)
    others = [[f"w{i}", i, i, i] for i in range(9)]
    kept, data, _ = found([HEADER, [], *others])
    assert [t.header for t in kept] == [HEADER, None] and data == [[], cells(others)]
