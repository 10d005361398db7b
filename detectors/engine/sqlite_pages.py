"""SQLite's write-ahead log, and the rows of single pages (https://www.sqlite.org/fileformat2.html).

A log holds whole pages. Those of a small database are often all there, so that it can be opened from the
log alone; else rows are taken out of the leaf pages one by one, without the names of their columns.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from detectors.engine.streams import read_at, size_of
from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason

LEAF = 0x0D
MAX_COLUMNS = 2_000
_HEADER, _FRAME = 32, 24
_WIDTHS = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)

Value = str | bytes | int | float | None


class Log:
    """A write-ahead log: the newest content of each page that it holds."""

    def __init__(self, stream: BinaryIO) -> None:
        head = read_at(stream, 0, _HEADER)
        if len(head) < _HEADER:
            raise Unreadable(Reason.MALFORMED)
        size = int.from_bytes(head[8:12], "big")
        self.page_size = 65_536 if size == 1 else size
        if self.page_size < 512 or self.page_size > 65_536 or self.page_size & (self.page_size - 1):
            raise Unreadable(Reason.MALFORMED)
        self._stream = stream
        self.places: dict[int, int] = {}
        end = size_of(stream)
        position = _HEADER
        while position + _FRAME + self.page_size <= end:
            frame = read_at(stream, position, _FRAME)
            if frame[8:16] != head[16:24]:
                break  # of an earlier round of the log
            self.places[int.from_bytes(frame[:4], "big")] = position + _FRAME
            position += _FRAME + self.page_size
        self.cut = (end - _HEADER) % (_FRAME + self.page_size) != 0

    def page(self, number: int) -> bytes:
        return read_at(self._stream, self.places[number], self.page_size)

    def database(self, most: int) -> bytearray | None:
        """The whole database, if every page of it is in the log and it is not larger than `most`."""
        if 1 not in self.places:
            return None
        pages = int.from_bytes(self.page(1)[28:32], "big")
        if not 0 < pages * self.page_size <= most or any(n not in self.places for n in range(1, pages + 1)):
            return None
        whole = bytearray()
        for number in range(1, pages + 1):
            whole += self.page(number)
        return whole

    def rows(self) -> Iterator[list[Value]]:
        """Rows of all leaf pages, in the order of the pages."""
        for number in sorted(self.places):
            yield from page_rows(self.page(number), 100 if number == 1 else 0)


def page_rows(page: bytes, start: int = 0) -> Iterator[list[Value]]:
    """The rows of one leaf page of a table; what is broken in it is passed over."""
    if len(page) < start + 8 or page[start] != LEAF:
        return
    count = int.from_bytes(page[start + 3 : start + 5], "big")
    for at in range(start + 8, min(start + 8 + 2 * count, len(page) - 1), 2):
        cell = int.from_bytes(page[at : at + 2], "big")
        try:
            _, cell = _varint(page, cell)
            _, cell = _varint(page, cell)
            yield _record(page, cell)
        except (IndexError, ValueError, struct.error):
            continue


def _varint(page: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(8):
        byte = page[at + step]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + step + 1
    return value << 8 | page[at + 8], at + 9


def _record(page: bytes, at: int) -> list[Value]:
    length, position = _varint(page, at)
    end = at + length
    kinds: list[int] = []
    while position < end and len(kinds) < MAX_COLUMNS:
        kind, position = _varint(page, position)
        kinds.append(kind)
    row: list[Value] = []
    for kind in kinds:
        width = _WIDTHS[kind] if kind < 10 else (kind - 12) // 2
        if width < 0:
            raise ValueError
        row.append(_value(kind, page[end : end + width]))
        end += width
    return row


def _value(kind: int, raw: bytes) -> Value:
    """A value by its serial type; what overflows onto another page is cut off."""
    if kind == 0 or kind in (10, 11):
        return None
    if kind == 7:
        return float(struct.unpack(">d", raw)[0])
    if kind in (8, 9):
        return kind - 8
    if kind < 7:
        return int.from_bytes(raw, "big", signed=True)
    return raw.decode("utf-8", "replace") if kind % 2 else raw
