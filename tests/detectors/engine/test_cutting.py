from __future__ import annotations

from itertools import islice

import pytest

from detectors.engine.cutting import FIRST_LINES, Region, parsed, region
from detectors.engine.dialect import Dialect
from detectors.engine.forms import Forms
from detectors.engine.lines import Lines, Plain
from detectors.engine.table import ReadLimits, Unreadable
from detectors.engine.text import Source

PEOPLE = "".join(f"{i},{20 + i % 40},M,{i}.5\n" for i in range(3_000))
PROSE = "These are words that belong to no table at all.\n" * 40


def test_a_region_ends_where_lines_no_longer_fit_and_leaves_the_rest() -> None:
    source = Source(iter([PEOPLE, PEOPLE + PROSE, PROSE]))
    assert len(list(region(source, Dialect(","), None, ReadLimits()))) == 6_000
    assert source.window(10**6) == PROSE * 2


def test_a_region_of_known_length_takes_no_more() -> None:
    source = Source(iter([PEOPLE + PROSE]))
    source.window(10**6)
    assert len(list(region(source, Dialect(","), len(PEOPLE), ReadLimits()))) == 3_000
    assert source.window(10**6) == PROSE


def test_a_quoted_cell_across_blocks_stays_one() -> None:
    source = Source(iter(['1,"a\n', 'b",2\n', "3,c,4\n"]))
    assert list(region(source, Dialect(",", '"'), None, ReadLimits())) == [
        ["1", "a\nb", "2"],
        ["3", "c", "4"],
    ]


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(Unreadable, match="limit_columns"):
        list(region(Source(iter(["1,2,3,4\n"])), Dialect(","), None, ReadLimits(max_columns=3)))


def test_a_quote_that_never_closes_loses_no_row() -> None:
    text = '1,"a,2\n' + "".join(f"{i},b,3\n" for i in range(500))
    assert len(parsed(Dialect(",", '"'), text)) == 501


def test_rows_of_a_region_whose_end_is_known_may_stay_lines_behind_the_first() -> None:
    rows = [f"{i},{i % 7}" for i in range(FIRST_LINES + 50)]
    text = "\n".join([*rows, "The end, as ever.", ""])
    cut = Region(Source(iter([text])), Dialect(","), len("\n".join(rows)) + 1, ReadLimits())
    taken = list(islice(cut, FIRST_LINES))
    found = cut.lines(Plain((0, 1), -1, None), Forms(taken))
    assert isinstance(found, Lines)
    assert [*taken, *found.rows()] == [row.split(",") for row in rows]
