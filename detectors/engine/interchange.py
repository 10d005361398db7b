"""Sheets that old formats for exchange write as text: SYLK (`ID;P…`) and DIF (`TABLE`, `0,1`).

Both are described by Microsoft's and Software Arts' papers of the 1980s; spreadsheets still save them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from detectors.engine.table import Row

_CELL = re.compile(r"^C;(?:[XY]\d+;)+K", re.M)
"""A delimited table may begin with a variable ID as well."""
_Reader = Callable[[Iterator[str], int], Iterator[Row]]


def sheet_of(head: str) -> _Reader | None:
    """What reads the rows of a sheet out of lines, at most so many cells each; None if `head` begins none."""
    if head.startswith("ID;P") and _CELL.search(head):
        return _sylk
    lines = head.split("\n", 3)
    return _dif if len(lines) > 2 and lines[0].strip() == "TABLE" and lines[1].strip() == "0,1" else None


def lines_of(blocks: Iterable[str]) -> Iterator[str]:
    for block in blocks:
        yield from block.split("\n")


def _sylk(lines: Iterator[str], widest: int) -> Iterator[Row]:
    """Cells stand one on a line, `C;Y2;X3;K"text"`; a place that is left out is the one before."""
    row: list[str] = []
    at = (0, 0)
    for line in lines:
        if line[:2] not in ("C;", "F;"):
            continue
        place, value = {"Y": at[0], "X": at[1]}, None
        for part in line[2:].replace(";;", "\0").split(";"):
            if part[:1] in place and part[1:].isdecimal() and len(part) < 9:
                place[part[0]] = int(part[1:])
            elif part[:1] == "K":
                value = part[1:].replace("\0", ";").strip('"')
        if place["Y"] != at[0]:
            if row:
                yield row
            row = []
        at = place["Y"], place["X"]
        if value is not None and 0 < at[1] <= widest:
            row += [""] * (at[1] - len(row))
            row[at[1] - 1] = value
    if row:
        yield row


def _dif(lines: Iterator[str], widest: int) -> Iterator[Row]:
    """Each cell is two lines: its kind and number, then its text; `BOT` begins a row, `EOD` ends all."""
    for line in lines:
        if line.strip() == "DATA":
            break
    next(lines, None), next(lines, None)  # what every section's head has
    row: list[str] = []
    for line in lines:
        kind, _, number = line.partition(",")
        text = next(lines, "").strip()
        if kind.strip() == "-1":
            if row:
                yield row
            row = []
            if text == "EOD":
                return
        elif len(row) < widest:
            row.append(number.strip() if kind.strip() == "0" else text.strip('"'))
    if row:
        yield row
