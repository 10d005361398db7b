"""Names that stand before bare rows of data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.declared import declared, may_declare


def test_attributes_name_what_follows_their_data() -> None:
    lines = ["% note", "@ATTRIBUTE 'the age' numeric", "@attribute sex {M,F}", "", "@DATA", "1,M"]
    assert declared(lines) == (["the age", "sex"], 5)
    assert declared(lines[:-2]) == declared(["@data", "1,2"]) == ([], 0)


@pytest.mark.parametrize(
    ("before", "names"),
    [
        ("data a;\ninput id age sex $ q1-q3;\ndatalines;", ["id", "age", "sex", "q1", "q2", "q3"]),
        ("INPUT id 1-5 name $ 6-20 @30 pay comma8.2\n  day ddmmyy10.;\nCARDS;", ["id", "name", "pay", "day"]),
        ("data list free / id (F5) town (A8) age.\nBEGIN DATA", ["id", "town", "age"]),
        ("clear\ninput byte age str20 town float pay", ["age", "town", "pay"]),
    ],
)
def test_statistical_programs_declare_names_before_their_data(before: str, names: list[str]) -> None:
    lines = before.split("\n")
    assert declared([*lines, "1 2 3"]) == (names, len(lines))


def test_programs_declare_nothing() -> None:
    assert declared(["input = read();", "lines;", "cards;", "input \t", "input  "]) == ([], 0)
    assert not may_declare("int lines = 3;\nreturn input(x);\n")


PARTS = st.sampled_from(
    ["input", "datalines;", "cards ;", "@data", "@attribute a b", "begin data", "data list", "/"]
)


@given(
    st.lists(st.lists(PARTS | st.text(" \t;$.'\"(-q19", max_size=5), max_size=4).map(" ".join), max_size=8)
)
def test_no_lines_raise(lines: list[str]) -> None:
    names, at = declared(lines)
    assert 0 <= at <= len(lines) and bool(names) == bool(at)
    may_declare("\n".join(lines))
