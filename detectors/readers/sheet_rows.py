"""The rows of a worksheet: out of a parser of XML, or, as most programs write them, cut by one pattern.

A parser calls back some five times a cell. So a block of whole rows of which one linear search shows that
they are written the plain way (numbers and numbers of shared strings, nothing else) never reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import re2

from detectors.engine.table import Budget, ReadLimits, Row, Unreadable
from detectors.engine.verdict import Reason
from detectors.engine.xml_stream import feed, local
from detectors.readers.sheet_xml import CellText


def _place(reference: str, most: int) -> int:
    """The column of "BC12", counted from 0."""
    number = 0
    for letter in reference:
        if not letter.isalpha():
            break
        number = number * 26 + (ord(letter) & 31)
        if number > most:
            raise Unreadable(Reason.LIMIT_COLUMNS)
    return number - 1


_CELL, _VALUE, _ROW, _GUIDE, _SHEET = 1, 2, 3, 4, 5
_CODES = {
    "c": _CELL,
    "cell": _CELL,
    "v": _VALUE,
    "t": _VALUE,
    "row": _ROW,
    "rPh": _GUIDE,
    "sheetData": _SHEET,
}


class _Codes(dict[str, int]):
    """Element names with their namespaces to codes; each name is looked into once."""

    def __missing__(self, name: str) -> int:
        code = _CODES.get(local(name), 0)
        if len(self) < 1000:
            self[name] = code
        return code


class _SheetEvents:
    """Collects the rows of one sheet from parser events. Called once or more a cell, so kept quick."""

    def __init__(self, read: CellText, limits: ReadLimits, budget: Budget) -> None:
        self.rows: list[Row] = []
        self._read, self._limits, self._budget = read, limits, budget
        self._codes = _Codes()
        self._row: list[str] = []
        self._number = 0
        self._column = -1
        self._value = ""
        self._taking = self._guided = False
        self._kind: str | None = None
        self._style: str | None = None
        self._places: dict[str, int] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        code = self._codes[name]
        if code == _CELL:
            self._kind = attributes.get("t")
            self._style = attributes.get("s")
            self._value = ""
            reference = attributes.get("r")
            if reference is None:
                self._column += 1
            else:
                letters = reference.rstrip("0123456789")
                place = self._places.get(letters)
                self._column = self._placed(letters) if place is None else place
        elif code == _VALUE:
            self._taking = not self._guided
        elif code == _ROW:
            reference = attributes.get("r")
            self._begin_row(
                int(reference) if reference and reference.isdecimal() and len(reference) < 10 else 0
            )
        elif code == _GUIDE:
            self._guided = True

    def _begin_row(self, number: int) -> None:
        number = number or self._number + 1
        if number != self._number + 1 and self._number:
            self.rows.append([])
        self._number, self._row, self._column = number, [], -1

    def _placed(self, letters: str) -> int:
        place = self._places[letters] = _place(letters, self._limits.max_columns)
        return place

    def plain(self, text: str) -> None:
        """Take whole rows that are written the plain way."""
        read, places, most = self._read, self._places, self._limits.max_cell_chars
        for part in text.split("</row>")[:-1]:
            head, _, cells = part.partition(">")
            self._begin_row(int(head[8 : head.index('"', 8)]) if head[4:8] == ' r="' else 0)
            row, column = self._row, -1
            for letters, style, kind, value in _CUT_CELL.findall(cells):
                if letters:
                    place = places.get(letters)
                    column = self._placed(letters) if place is None else place
                else:
                    column += 1
                if not value:
                    continue
                if len(value) > most:
                    raise Unreadable(Reason.LIMIT_CELL)
                if kind or style or len(value) > 12 or "E" in value:
                    value = read(kind or None, style or None, value)
                if column == len(row) < self._limits.max_columns:
                    row.append(value)
                else:
                    self._put(column, value)
            self.rows.append(row)

    def characters(self, data: str) -> None:
        if self._taking:
            self._value += data
            if len(self._value) > self._limits.max_cell_chars:
                raise Unreadable(Reason.LIMIT_CELL)

    def end(self, name: str) -> None:
        code = self._codes[name]
        if code == _VALUE:
            self._taking = False
        elif code == _CELL:
            if self._value:
                self._cell()
        elif code == _ROW:
            self.rows.append(self._row)
        elif code == _GUIDE:
            self._guided = False
        elif code == _SHEET:
            self.rows.append([])
            self._number = 0

    def _cell(self) -> None:
        self._put(self._column, self._read(self._kind, self._style, self._value))

    def _put(self, column: int, text: str) -> None:
        row = self._row
        gap = column - len(row)
        if not gap and column < self._limits.max_columns:
            row.append(text)
        elif gap >= 0:
            if column >= self._limits.max_columns:
                raise Unreadable(Reason.LIMIT_COLUMNS)
            self._budget.expand(gap)
            row.extend([""] * gap)
            row.append(text)
        elif column >= 0:
            row[column] = text


BLOCK_BYTES = 128 * 1024
_VALUE_TEXT = r"[\x20-\x25\x27-\x3b\x3d\x3f-\x7e]*"
_FORMULA = rf"(?:<f(?: [a-z]+=\"[^\"<>&]*\")*(?:/>|>{_VALUE_TEXT}</f>))?"
_PLAIN_CELL = (
    rf'<c(?: r="[A-Z]{{1,3}}[0-9]{{1,7}}")?(?: s="[0-9]{{1,9}}")?(?: t="(?:s|n|b|e|str)")?'
    rf"(?:/>|>{_FORMULA}(?:<v>{_VALUE_TEXT}</v>)?</c>)"
)
_PLAIN_ROW = rf'<row(?: r="[0-9]{{1,9}}")?(?: [A-Za-z][A-Za-z0-9:]+="[^"<>&]*")*>(?:{_PLAIN_CELL})*</row>'
_CUT_CELL = re.compile(
    r'<c(?: r="([A-Z]+)[0-9]+")?(?: s="([0-9]+)")?(?: t="([a-z]+)")?'
    r"(?:/>|>(?:<f[^<>]*/>|<f[^<>]*>[^<]*</f>)?(?:<v>([^<]*)</v>)?</c>)"
)
_BEGIN = b"<sheetData>"
_END = b"</row>"
_UTF8 = re.compile(rb"<\?xml version=.1.0.(?: encoding=.utf-8.)?", re.IGNORECASE)


def _search() -> Any:
    options = re2.Options()
    options.never_capture = True
    return re2.compile(f"(?:{_PLAIN_ROW})+".encode(), options)


_PLAIN_ROWS = _search()


class _Around:
    """A sheet's stream without its plain rows: those are given to `events` as they pass."""

    def __init__(self, stream: BinaryIO, events: _SheetEvents) -> None:
        self._stream, self._events = stream, events
        self._held = b""
        self._begun = self._inside = False

    def read(self, count: int) -> bytes:
        """The next bytes that the parser must see; one blank in the place of a block of rows."""
        if not self._begun:
            self._begun = True
            return self._first(self._stream.read(count))
        if not self._inside:
            return self._stream.read(count)
        more = self._stream.read(BLOCK_BYTES)
        data, self._held = self._held + more, b""
        cut = data.rfind(_END) + len(_END)
        self._inside = bool(more) and cut >= len(_END)
        if not self._inside:
            return data
        block, self._held = data[:cut], data[cut:]
        if _PLAIN_ROWS.fullmatch(block) is None:
            return block
        self._events.plain(block.decode("ascii"))
        return b" "

    def _first(self, head: bytes) -> bytes:
        at = head.find(_BEGIN)
        if (
            at < 0
            or not _UTF8.match(head)
            or (b"encoding=" in head[:at] and b"utf-8" not in head[:100].lower())
        ):
            return head
        self._inside = True
        at += len(_BEGIN)
        head, self._held = head[:at], head[at:]
        return head


def sheet_rows(stream: BinaryIO, read: CellText, limits: ReadLimits, budget: Budget) -> Iterator[Row]:
    """The rows of a worksheet, or of a cached external sheet; gaps between rows become one blank row."""
    events = _SheetEvents(read, limits, budget)
    try:
        for _ in feed(cast(BinaryIO, _Around(stream, events)), events.start, events.end, events.characters):
            yield from events.rows
            events.rows = []
    except Unreadable:
        yield from events.rows
        raise
