"""Formats for exchange that are text and whose fields have fixed meanings, read as rows.

SYLK (`ID;P…`) and DIF (`TABLE`, `0,1`) are described by Microsoft's and Software Arts' papers of the 1980s;
spreadsheets still save them. HL7 version 2 (`MSH|^~\\&|…`) is what hospitals' systems send each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from detectors.engine.table import Row

_CELL = re.compile(r"^C;(?:[XY]\d+;)+K", re.M)
"""A delimited table may begin with a variable ID as well."""
MOST_FIELDS = 100
_FRAMED = "\x0b\x1c \t"
_MESSAGE = re.compile(r"[\x0b\s]*(?:[FB]HS[|^~\\&].*\s+)*MSH([^\w\s])([^\w\s])([^\w\s])")
_PATIENT = (
    ("PID", 3, "patient number"),
    ("PID", 5, "name"),
    ("PID", 7, "date of birth"),
    ("PID", 8, "sex"),
    ("PID", 10, "ethnic group"),
    ("PID", 11, "address"),
    ("PID", 13, "telephone"),
    ("PID", 16, "marital status"),
    ("PID", 19, "national number"),
    ("PV1", 2, "class of patient"),
    ("PV1", 3, "ward"),
    ("PV1", 44, "date of admission"),
    ("PV1", 45, "date of discharge"),
    ("DG1", 3, "diagnosis"),
    ("OBX", 3, "observation"),
    ("OBX", 5, "result"),
)
"""Segment, number of the field and what stands there (HL7 version 2.5, chapters 3, 6 and 7)."""
_Reader = Callable[[Iterator[str], int], Iterator[Row]]


def sheet_of(head: str) -> _Reader | None:
    """What reads the rows of a sheet out of lines, at most so many cells each; None if `head` begins none."""
    if head.startswith("ID;P") and _CELL.search(head):
        return _sylk
    lines = head.split("\n", 3)
    return _dif if len(lines) > 2 and lines[0].strip() == "TABLE" and lines[1].strip() == "0,1" else None


def messages_of(head: str) -> _Reader | None:
    """What reads the patients of HL7 messages, not all that is said of them; None if `head` begins none."""
    message = _MESSAGE.match(head)
    return partial(_messages, message.group(1), message.group(2)) if message else None


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


def _messages(mark: str, inner: str, lines: Iterator[str], widest: int) -> Iterator[Row]:
    """A row for each patient that a message names, with the first value that stands in each place."""
    at = {(segment, number): column for column, (segment, number, _) in enumerate(_PATIENT[:widest])}
    yield [name for _, _, name in _PATIENT[:widest]]
    row: list[str] = []
    for line in lines:
        fields = line.strip(_FRAMED).split(mark, MOST_FIELDS)
        if fields[0] == "PID":
            if row:
                yield row
            row = [""] * len(at)
        if not row:
            continue
        for number, field in enumerate(fields):
            column = at.get((fields[0], number))
            if column is not None and field and not row[column]:
                row[column] = " ".join(field.replace(inner, " ").split())
    if row:
        yield row
