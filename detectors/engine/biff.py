"""The records of an old workbook (MS-XLS), as far as needed to know how much room its sheets span.

A parser that makes room for the whole rectangle can be made to ask for 100 GB by one cell far away.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import olefile

from detectors.engine.faults import PARSER_FAULTS
from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason

BOF, DIMENSIONS = 0x0809, 0x0200
_CELLS = frozenset(
    {0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0201, 0x0203, 0x0204, 0x0205, 0x0206, 0x027E}
)
_CELLS |= {0x00FD, 0x00D6, 0x0406}
_RUNS = frozenset({0x00BD, 0x00BE})
_HEAD = struct.Struct("<HH")
_PLACE = struct.Struct("<HH")
MAX_COLUMNS = 256


def largest_span(stream: BinaryIO) -> int:
    """Cells in the largest rectangle that the cells of one sheet span, or that it says it spans.

    Raises `Unreadable(malformed)` for a cell beyond the 256th column, which no sheet has.
    """
    stream.seek(0)
    try:
        with olefile.OleFileIO(stream) as compound:
            name = "Workbook" if compound.exists("Workbook") else "Book"
            with compound.openstream(name) as book:
                data = book.read()
    except PARSER_FAULTS:
        raise Unreadable(Reason.MALFORMED) from None
    largest = 0
    top, bottom, left, right = 1 << 16, -1, 1 << 16, -1
    position, end = 0, len(data)
    while position + 4 <= end:
        kind, length = _HEAD.unpack_from(data, position)
        body = position + 4
        position = body + length
        if kind == BOF:
            largest = max(largest, _area(top, bottom, left, right))
            top, bottom, left, right = 1 << 16, -1, 1 << 16, -1
        elif kind == DIMENSIONS and position <= end:
            largest = max(largest, _stated_area(data[body:position]))
        elif (kind in _CELLS or kind in _RUNS) and length >= 6 and position <= end:
            row, column = _PLACE.unpack_from(data, body)
            last = int.from_bytes(data[position - 2 : position], "little") if kind in _RUNS else column
            if max(column, last) >= MAX_COLUMNS:
                raise Unreadable(Reason.MALFORMED)
            top, bottom = min(top, row), max(bottom, row)
            left, right = min(left, column), max(right, column, last)
    return max(largest, _area(top, bottom, left, right))


def _stated_area(body: bytes) -> int:
    """Cells that a sheet says it spans: room is made for them, whatever it holds."""
    if len(body) == 10:
        first, last, left, right = struct.unpack_from("<4H", body)
    elif len(body) >= 12:
        first, last, left, right = struct.unpack_from("<2I2H", body)
    else:
        return 0
    if not last or not right:
        return 0
    if last <= first or right <= left:
        raise Unreadable(Reason.MALFORMED)
    return int((last - first) * (right - left))


def _area(top: int, bottom: int, left: int, right: int) -> int:
    return max(0, bottom - top + 1) * max(0, right - left + 1)
