"""Feather version 1, read here: the library's own reader follows offsets that point outside of the file.

The format is a flatbuffer of metadata behind plain columns (cpp/src/arrow/ipc/feather.fbs of Apache Arrow).
Every offset is checked, and rows are taken in blocks, so that no file costs more than one block.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from detectors.engine.streams import read_at, size_of
from detectors.engine.table import ReadLimits, Row, Unreadable
from detectors.engine.verdict import Reason

BLOCK_ROWS = 2_000
MAX_METADATA = 64 * 1024**2
MAX_LEVELS = 1_000_000
_MARK = b"FEA1"
_BOOL, _UTF8, _BINARY, _LARGE = 0, 11, 12, (17, 18)
_NUMBERS = {1: "b", 2: "h", 3: "i", 4: "q", 5: "B", 6: "H", 7: "I", 8: "Q", 9: "f", 10: "d"}
_CATEGORY, _TIMESTAMP, _DATE, _TIME = 1, 2, 3, 4
_UNITS = (1, 1_000, 1_000_000, 1_000_000_000)
_EPOCH = datetime.datetime(1970, 1, 1)


@dataclass(slots=True)
class _Values:
    """Where one array lies: of which type, how long, whether a bitmap of nulls comes first."""

    kind: int
    offset: int
    length: int
    nulls: bool
    size: int


@dataclass(slots=True)
class _Column:
    name: str
    values: _Values
    meaning: int = 0
    unit: int = 0
    levels: list[str] | None = None


class _Flat:
    """Tables of a flatbuffer, every access checked. Raises `Unreadable(malformed)`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self, form: str, at: int) -> int:
        if at < 0:
            raise Unreadable(Reason.MALFORMED)
        try:
            return int(struct.unpack_from(f"<{form}", self._data, at)[0])
        except struct.error:
            raise Unreadable(Reason.MALFORMED) from None

    def reference(self, at: int) -> int:
        return at + self.number("I", at)

    def field(self, table: int, slot: int) -> int | None:
        """Where a field stands; None if it is left out."""
        layout = table - self.number("i", table)
        if 4 + 2 * slot + 2 > self.number("H", layout):
            return None
        shift = self.number("H", layout + 4 + 2 * slot)
        return table + shift if shift else None

    def whole(self, table: int, slot: int, form: str) -> int:
        at = self.field(table, slot)
        return 0 if at is None else self.number(form, at)

    def inner(self, table: int, slot: int) -> int:
        at = self.field(table, slot)
        if at is None:
            raise Unreadable(Reason.MALFORMED)
        return self.reference(at)

    def text(self, table: int, slot: int) -> str:
        at = self.field(table, slot)
        if at is None:
            return ""
        start = self.reference(at)
        length = self.number("I", start)
        if start + 4 + length > len(self._data):
            raise Unreadable(Reason.MALFORMED)
        return self._data[start + 4 : start + 4 + length].decode("utf-8", "replace")


class Feather1:
    """One file: the names of its columns, the number of its rows, and the rows."""

    def __init__(self, stream: BinaryIO, limits: ReadLimits) -> None:
        self._stream, self._limits = stream, limits
        self._size = size_of(stream)
        tail = read_at(stream, max(0, self._size - 8), 8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MARK or not 0 < length <= min(MAX_METADATA, self._size - 12):
            raise Unreadable(Reason.MALFORMED)
        flat = _Flat(read_at(stream, self._size - 8 - length, length))
        root = flat.reference(0)
        listed = flat.inner(root, 2)
        count = flat.number("I", listed)
        if count > limits.max_columns:
            raise Unreadable(Reason.LIMIT_COLUMNS)
        tables = [flat.reference(listed + 4 + 4 * i) for i in range(count)]
        self._columns = [self._column(flat, table) for table in tables]
        self.names = [column.name for column in self._columns]
        self.length = max((column.values.length for column in self._columns), default=0)
        if any(column.values.length != self.length for column in self._columns):
            raise Unreadable(Reason.MALFORMED)

    def rows(self) -> Iterator[Row]:
        budget = self._limits.spending()
        for start in range(0, self.length, BLOCK_ROWS):
            count = min(BLOCK_ROWS, self.length - start)
            columns = [self._texts(column, start, count) for column in self._columns]
            budget.expand(sum(sum(map(len, column)) for column in columns))
            yield from zip(*columns, strict=True)

    def _column(self, flat: _Flat, table: int) -> _Column:
        found = _Column(flat.text(table, 0), self._values(flat, flat.inner(table, 1)))
        found.meaning = flat.whole(table, 2, "B")
        if found.meaning == _CATEGORY:
            levels = self._values(flat, flat.inner(flat.inner(table, 3), 0))
            if levels.length > MAX_LEVELS:
                raise Unreadable(Reason.LIMIT_MEMORY)
            found.levels = [str(value) for value in self._read(levels, 0, levels.length)]
        elif found.meaning in (_TIMESTAMP, _TIME):
            found.unit = _UNITS[min(3, flat.whole(flat.inner(table, 3), 0, "B"))]
        return found

    def _values(self, flat: _Flat, table: int) -> _Values:
        kind, encoding = flat.whole(table, 0, "B"), flat.whole(table, 1, "B")
        offset, length, nulls, size = (flat.whole(table, slot, "q") for slot in (2, 3, 4, 5))
        inside = min(offset, length, nulls, size) >= 0 and offset + size <= self._size
        if encoding or not inside or length > 8 * size:
            raise Unreadable(Reason.MALFORMED)
        return _Values(kind, offset, length, nulls > 0, size)

    def _read(self, values: _Values, start: int, count: int) -> list[object]:
        """`count` values from `start` on; None where they are null."""
        begin = values.offset
        valid: list[bool] | None = None
        if values.nulls:
            valid = self._bits(values, begin, start, count)
            begin += _padded(-(-values.length // 8))
        if values.kind in (_UTF8, _BINARY, *_LARGE):
            found: list[object] = list(self._strings(values, begin, start, count))
        elif values.kind == _BOOL:
            found = list(self._bits(values, begin, start, count))
        elif values.kind in _NUMBERS:
            form = _NUMBERS[values.kind]
            width = struct.calcsize(form)
            found = list(
                struct.unpack(f"<{count}{form}", self._bytes(values, begin + start * width, count * width))
            )
        else:
            raise Unreadable(Reason.UNSUPPORTED)
        return (
            found if valid is None else [v if there else None for v, there in zip(found, valid, strict=True)]
        )

    def _bytes(self, values: _Values, at: int, count: int) -> bytes:
        """Bytes of an array, no other's."""
        data = read_at(self._stream, at, count) if at + count <= values.offset + values.size else b""
        if len(data) < count:
            raise Unreadable(Reason.MALFORMED)
        return data

    def _bits(self, values: _Values, begin: int, start: int, count: int) -> list[bool]:
        first, last = start // 8, -(-(start + count) // 8)
        data = self._bytes(values, begin + first, last - first)
        return [bool(data[i // 8 - first] >> i % 8 & 1) for i in range(start, start + count)]

    def _strings(self, values: _Values, begin: int, start: int, count: int) -> Iterator[str]:
        form, width = ("q", 8) if values.kind in _LARGE else ("i", 4)
        ends = struct.unpack(
            f"<{count + 1}{form}", self._bytes(values, begin + start * width, (count + 1) * width)
        )
        text = begin + _padded((values.length + 1) * width)
        if ends[0] < 0 or any(a > b for a, b in pairwise(ends)):
            raise Unreadable(Reason.MALFORMED)
        if ends[-1] - ends[0] > count * self._limits.max_cell_chars:
            raise Unreadable(Reason.LIMIT_CELL)
        data = self._bytes(values, text + ends[0], ends[-1] - ends[0])
        for first, last in pairwise(ends):
            yield data[first - ends[0] : last - ends[0]].decode("utf-8", "replace")

    def _texts(self, column: _Column, start: int, count: int) -> list[str]:
        cells = [self._text(column, value) for value in self._read(column.values, start, count)]
        if any(len(cell) > self._limits.max_cell_chars for cell in cells):
            raise Unreadable(Reason.LIMIT_CELL)
        return cells

    def _text(self, column: _Column, value: object) -> str:
        if value is None or value != value:
            return ""
        if column.levels is not None:
            index = value if isinstance(value, int) else -1
            return column.levels[index] if 0 <= index < len(column.levels) else ""
        if isinstance(value, bool):
            return str(value)
        if column.meaning in (_TIMESTAMP, _DATE, _TIME) and isinstance(value, int):
            return _moment(column, value)
        if isinstance(value, float):
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
        return str(value)


def _padded(length: int) -> int:
    return -(-length // 8) * 8


def _moment(column: _Column, value: int) -> str:
    """A moment, a day or a time of day; what no calendar knows stays a number."""
    try:
        if column.meaning == _DATE:
            return (_EPOCH + datetime.timedelta(days=value)).date().isoformat()
        moment = _EPOCH + datetime.timedelta(microseconds=value * 1_000_000 // column.unit)
    except OverflowError:
        return str(value)
    return str(moment.time() if column.meaning == _TIME else moment).removesuffix(" 00:00:00")
