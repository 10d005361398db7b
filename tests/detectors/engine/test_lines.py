"""Lines that are looked through as text give the verdict that parsing each of them gives."""

from __future__ import annotations

import io
import random
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shipped import JUDGE

from detectors.engine.conclusion import Conclusion
from detectors.engine.cutting import Region, parsed
from detectors.engine.dialect import Dialect
from detectors.engine.forms import Forms
from detectors.engine.lines import NEVER, Cutter, Lines, Plain
from detectors.engine.table import ReadLimits, Table, Text
from detectors.readers.plain_text import read_text

HEADER = ["time", "station", "depth", "total", "state"]
ANY = Plain((0, 1), -1, None)


def readings(count: int, seed: int = 4) -> list[list[str]]:
    r = random.Random(seed)
    return [
        [
            f"{1700000000 + 7 * i}",
            str(r.randint(1, 400)),
            f"{r.uniform(-2, 8):.3f}",
            str(r.randint(10**5, 10**7)),
            "ok",
        ]
        for i in range(count)
    ]


def people(count: int, seed: int = 5) -> list[list[str]]:
    r = random.Random(seed)
    return [
        [
            str(i),
            r.choice("MF"),
            str(r.randint(16, 90)),
            r.choice(["Single", "Married"]),
            f"{r.randint(1, 9)}",
        ]
        for i in range(count)
    ]


def nhs_number(r: random.Random) -> str:
    while True:
        digits = [r.randint(0, 9) for _ in range(9)]
        check = -sum((10 - i) * d for i, d in enumerate(digits)) % 11
        if check < 10 and digits[0] in (4, 6, 7):
            return "".join(map(str, [*digits, check]))


def verdict(data: bytes, by_line: bool = True) -> tuple[Conclusion, int]:
    """What the text is judged to be, and how many rows were looked through as lines."""
    seen = 0
    lines = Region.lines

    def counted(region: Region, plain: Plain, forms: Forms) -> Lines | int:
        nonlocal seen
        found = lines(region, plain, forms) if by_line else NEVER
        seen += len(found) if isinstance(found, Lines) else 0
        return found

    judgement = JUDGE.begin()
    with mock.patch.object(Region, "lines", counted):
        for content in read_text(io.BytesIO(data), ReadLimits()):
            if isinstance(content, Table):
                judgement.table(content)
            elif isinstance(content, Text):
                judgement.text(content)
            if judgement.settled:
                break
    return judgement.conclude(), seen


def written(rows: list[list[str]], delimiter: str = ",", end: str = "\n", quote: str = "") -> str:
    return "".join(delimiter.join(f"{quote}{c}{quote}" for c in row) + end for row in [HEADER, *rows])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_regular_table_is_looked_through_as_lines(delimiter: str, quote: str, end: str) -> None:
    data = written(readings(9000), delimiter, end, quote).encode()
    found, seen = verdict(data)
    assert seen > 4000 and found.records_estimated == 9000
    assert found == verdict(data, by_line=False)[0]


STRAYS = st.sampled_from(
    [
        b"\n",
        b"\r",
        b'"',
        b'1,"a\nb",2,3,4\n',
        b"\0",
        b"\xff\xfe",
        b"\xc3\xa9",
        b"time,station,depth,total,state\n",
        b"Total,,,,\n",
        b",,,,\n",
        b"1,2,3\n",
        b"1,2,3,4,5,6,7\n",
        b"1,\t2,3,4,ok\n",
        b"1700000000,9434765919,3,4,ok\n",
        b"AB123456C,JG103759A,AB123456D,CE123456,ok\n" * 3,
        b"id,sex,age,marital,pay\n",
        "".join(",".join(row) + "\n" for row in people(700)).encode(),
        b"Notes on how this was gathered, by hand.\n" * 30,
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(STRAYS, st.floats(0, 1)), max_size=4),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["", '"']),
)
def test_the_verdict_does_not_depend_on_how_rows_are_looked_through(
    strays: list[tuple[bytes, float]], delimiter: str, quote: str
) -> None:
    data = written(readings(6000), delimiter, quote=quote).encode()
    for stray, place in strays:
        at = data.find(b"\n", int(place * (len(data) - 1))) + 1
        data = data[:at] + stray + data[at:]
    assert verdict(data)[0] == verdict(data, by_line=False)[0]


@pytest.mark.parametrize("count", [290, 301, 9000, 20_299, 20_300, 20_301, 22_000])
@pytest.mark.parametrize(
    "stray", [b"", b"\n", b"person_id,sex,age,marital_status,children\n", b"1,2\n", b"Total\n"]
)
def test_the_records_of_a_yes_are_counted_by_line_as_singly(count: int, stray: bytes) -> None:
    header = b"person_id,sex,age,marital_status,children\n"
    data = header + b"".join(",".join(row).encode() + b"\n" for row in people(count))
    at = data.find(b"\n", len(data) // 2) + 1
    data = data[:at] + stray + data[at:]
    found, seen = verdict(data)
    assert found.flagged and found == verdict(data, by_line=False)[0]
    assert seen or stray or count < 9000


@pytest.mark.parametrize("at", [0, 250, 299, 300, 555, 4321, 8500, 8990])
def test_a_cluster_of_identifiers_is_found_at_any_place(at: int) -> None:
    rows = readings(9000)
    for i, row in enumerate(rows[at : at + 10]):
        row[4] = f"JG {10 + i} 37 59 A"
    assert verdict(written(rows).encode())[0].flagged


@pytest.mark.parametrize("at", [900, 5000, 7000])
def test_a_column_of_numbers_that_becomes_one_of_health_numbers_is_found(at: int) -> None:
    rows, r = readings(9000), random.Random(1)
    for row in rows[at : at + 600]:
        row[3] = nhs_number(r)
    assert verdict(written(rows).encode())[0].flagged


@pytest.mark.parametrize("at", [900, 5000, 8000])
def test_records_of_people_under_another_table_are_found(at: int) -> None:
    rows = readings(9000)
    header = ["person_id", "sex", "age", "marital_status", "children"]
    assert verdict(written([*rows[:at], header, *people(800), *rows[at:]]).encode())[0].flagged


@given(st.lists(st.lists(st.text('ab1-. "', max_size=5), min_size=3, max_size=3), min_size=1, max_size=9))
def test_plain_lines_are_cut_as_the_parser_cuts_them(rows: list[list[str]]) -> None:
    dialect = Dialect(",", '"')
    text = "".join(",".join(row) + "\n" for row in rows)
    found = Cutter(dialect, 3).lines(text, ANY, Forms([]))
    if found is not None:
        assert found.rows() == parsed(dialect, text)


def test_what_is_no_plain_row_is_not_taken_for_one() -> None:
    plain = Plain((0, 1), 1, "id")
    cutter = Cutter(Dialect(",", '"'), 3)
    good = '1,2,x\n"3","4","y"\n5,6,\n'
    found = cutter.lines(good, plain, Forms([]))
    assert found is not None and found.rows() == [["1", "2", "x"], ["3", "4", "y"], ["5", "6", ""]]
    for bad in ("id,1,x\n", '"id",1,x\n', "1,A,x\n", ",2,x\n", "1,2\n", "1,2,3,4\n", '1,2,"x,y"\n', "\n"):
        assert cutter.lines(good + bad + good, plain, Forms([])) is None, bad
    for bad in ('1,2,"x\n', '1,2,x""\n', "1,2,x\0\n", "1,2,a\tb\n", "1,2,x"):
        assert cutter.lines(good + bad, plain, Forms([])) is None, bad


def test_a_region_gives_lines_only_between_its_blocks() -> None:
    assert not Cutter(Dialect(" "), 3).serves(ANY)
    assert not Cutter(Dialect(",", "'"), 3).serves(ANY)
    assert not Cutter(Dialect(","), 2).serves(Plain((0, 2), -1, None))
