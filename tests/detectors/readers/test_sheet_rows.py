"""Rows cut by a pattern are the rows that the parser of XML tells of, whatever stands among them."""

from __future__ import annotations

import io
from unittest import mock

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.engine.table import Budget, ReadLimits, Row, Unreadable
from detectors.readers import sheet_rows as module
from detectors.readers.sheet_rows import sheet_rows
from detectors.readers.sheet_xml import CellText, Strings

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHARED = f'<sst xmlns="{MAIN}">' + "".join(f"<si><t>word {i}</t></si>" for i in range(9)) + "</sst>"
NEVER = re2.compile(b"never")


def rows_of(sheet: bytes, plain: bool = True, limits: ReadLimits | None = None) -> tuple[list[Row], str]:
    """All rows and why they stopped, with the plain way allowed or not."""
    limits = limits or ReadLimits()
    budget = Budget(10**9, 10)
    cells = CellText(Strings(lambda: io.BytesIO(SHARED.encode()), limits), {1: "date"}, False, budget)
    found: list[Row] = []
    with mock.patch.object(module, "_PLAIN_ROWS", module._PLAIN_ROWS if plain else NEVER):
        try:
            found.extend(sheet_rows(io.BytesIO(sheet), cells, limits, budget))
        except Unreadable as stopped:
            return found, stopped.reason.value
    return found, ""


def sheet(rows: str, declared: str = DECLARED) -> bytes:
    return f'{declared}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'.encode()


CELLS = st.sampled_from(
    [
        '<c r="A{n}"><v>12</v></c>',
        '<c r="C{n}" s="1"><v>44000</v></c>',
        '<c r="B{n}" t="s"><v>3</v></c>',
        '<c r="D{n}" s="2" t="n"><v>0.1000000000000001</v></c>',
        '<c r="AB{n}" t="b"><v>1</v></c>',
        '<c r="E{n}" s="3"/>',
        "<c><v>7</v></c>",
        '<c r="F{n}" t="str"><f>A1&amp;B1</f><v>x y</v></c>',
        '<c r="G{n}"><f t="shared" si="0"/><v>1E5</v></c>',
        '<c r="H{n}" t="inlineStr"><is><t>in line é</t></is></c>',
        '<c r="I{n}" t="str"><v>a &lt; b</v></c>',
        '<c t="s" r="J{n}"><v>99</v></c>',
        '<c r="A{n}"><v></v></c>',
        "<!-- </row> -->",
        " ",
    ]
)
ROWS = st.lists(st.tuples(st.sampled_from(["", ' r="{n}"', ' r="{n}" spans="1:3" ht="12"']), st.lists(CELLS)))


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(60, 400), st.sampled_from([DECLARED, "", '<?xml version="1.0"?>']))
def test_rows_are_the_same_by_either_way(
    drawn: list[tuple[str, list[str]]], block: int, declared: str
) -> None:
    text = "".join(
        f"<row{start}>{''.join(cells)}</row>".replace("{n}", str(number * 2 if number % 7 == 5 else number))
        for number, (start, cells) in enumerate(drawn, 1)
    )
    data = sheet(text, declared)
    with mock.patch.object(module, "BLOCK_BYTES", block):
        assert rows_of(data) == rows_of(data, plain=False)


def test_plain_rows_never_reach_the_parser() -> None:
    rows = "".join(f'<row r="{i}"><c r="A{i}"><v>{i}</v></c></row>' for i in range(1, 30_000))
    seen = 0

    def counted(events: module._SheetEvents, name: str, attributes: dict[str, str]) -> None:
        nonlocal seen
        seen += 1

    with mock.patch.object(module._SheetEvents, "start", counted):
        found, stopped = rows_of(sheet(rows))
    assert len(found) == 30_000 and not stopped and seen < 10


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('<row r="2"><c r="XFE2"><v>1</v></c></row>', "limit_columns"),
        ('<row r="2"><c r="A2"><v>' + "1" * 40_000 + "</v></c></row>", "limit_cell"),
        ('<row r="2"><c r="A2"><v>1</c></row>', "malformed"),
        ('<row r="2"><c r="A2"><v>1</v></c>', "malformed"),
    ],
)
def test_limits_and_faults_are_the_same_by_either_way(row: str, reason: str) -> None:
    data = sheet('<row r="1"><c r="A1"><v>1</v></c></row>' + row)
    assert rows_of(data)[1] == rows_of(data, plain=False)[1] == reason


def test_bytes_in_another_encoding_are_left_to_the_parser() -> None:
    row = '<row r="1"><c r="A1"><v>1</v></c></row>'
    for codec in ("utf-16", "latin-1"):
        text = sheet(row, f'<?xml version="1.0" encoding="{codec}"?>').decode().encode(codec)
        assert rows_of(text) == ([["1"], []], "")
