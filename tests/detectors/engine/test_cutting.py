from __future__ import annotations

import pytest

from detectors.engine.cutting import parsed, region
from detectors.engine.dialect import Dialect
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
