"""The parts of an OOXML workbook as rows of text cells: sheets, strings, styles, caches.

ECMA-376 part 1, SpreadsheetML. Namespaces are told apart from names, so the strict and the
transitional form read alike.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import BinaryIO

from detectors.engine.dates import format_kind, from_serial
from detectors.engine.table import Budget, ReadLimits, Row, Unreadable
from detectors.engine.verdict import Reason
from detectors.engine.xml_stream import feed, local

MAX_STRING_BYTES = 160 * 1024**2
MAX_STYLES = 70_000
CACHED_STRINGS = 50_000


class Strings:
    """A workbook's shared strings, read only as far as they are asked for, packed in one buffer."""

    def __init__(self, open_part: Callable[[], BinaryIO] | None, limits: ReadLimits) -> None:
        self._open, self._limits = open_part, limits
        self._bytes = bytearray()
        self._ends = array("Q")
        self._cache: dict[int, str] = {}
        self._source: Iterator[None] | None = None

    def get(self, index: int) -> str:
        """One string; "" if there is no such string."""
        text = self._cache.get(index)
        if text is not None:
            return text
        while index >= len(self._ends):
            if self._source is None:
                self._source = self._read()
            if next(self._source, "end") == "end":
                return ""
        if index < 0:
            return ""
        text = self._bytes[self._ends[index - 1] if index else 0 : self._ends[index]].decode()
        if len(self._cache) < CACHED_STRINGS:
            self._cache[index] = text
        return text

    def _read(self) -> Iterator[None]:
        if self._open is None:
            return
        parts: list[str] = []
        wanted = phonetic = False
        most = self._limits.max_cell_chars
        add, ends = self._bytes.extend, self._ends

        def start(name: str, _: dict[str, str]) -> None:
            nonlocal wanted, phonetic
            name = local(name)
            if name == "t":
                wanted = not phonetic
            elif name == "rPh":
                phonetic = True

        def end(name: str) -> None:
            nonlocal wanted, phonetic
            name = local(name)
            if name == "si":
                text = "".join(parts)
                parts.clear()
                if len(text) > most:
                    raise Unreadable(Reason.LIMIT_CELL)
                add(text.encode("utf-8", "replace"))
                ends.append(len(self._bytes))
            elif name == "t":
                wanted = False
            elif name == "rPh":
                phonetic = False

        def characters(data: str) -> None:
            if wanted:
                parts.append(data)

        for _ in feed(self._open(), start, end, characters):
            if len(self._bytes) + 8 * len(ends) > MAX_STRING_BYTES:
                raise Unreadable(Reason.LIMIT_MEMORY)
            yield


def date_styles(stream: BinaryIO) -> dict[int, str]:
    """Which cell styles show dates or times: style number to `date` or `time`."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    inside = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        name = local(name)
        if name == "numFmt" and len(codes) < MAX_STYLES:
            codes[_int(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            inside = True
        elif name == "xf" and inside and len(formats) < MAX_STYLES:
            formats.append(_int(attributes.get("numFmtId")))

    def end(name: str) -> None:
        nonlocal inside
        if local(name) == "cellXfs":
            inside = False

    for _ in feed(stream, start, end, None):
        pass
    kinds = {number: format_kind(number, codes.get(number)) for number in set(formats)}
    return {style: kinds[number] for style, number in enumerate(formats) if kinds[number]}


def _int(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


class CellText:
    """How a cell's stored value reads: shared strings looked up, dates written out."""

    def __init__(self, strings: Strings, dates: dict[int, str], from_1904: bool, budget: Budget) -> None:
        self._strings, self._from_1904, self._budget = strings, from_1904, budget
        self._dates = {str(style): kind for style, kind in dates.items()}

    def __call__(self, kind: str | None, style: str | None, value: str) -> str:
        if kind == "s":
            text = self._strings.get(_int(value))
            self._budget.expand(len(text))  # one long string may stand in a million cells
            return text
        if kind is None or kind == "n":
            shown = self._dates.get(style) if style is not None else None
            if shown:
                return from_serial(value, shown, self._from_1904)
            if len(value) > 12 or "E" in value:
                return _tidy(value)
            return value
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        return value


def _tidy(value: str) -> str:
    """A number as a person would see it: no binary dust, no needless exponent."""
    try:
        number = float(value)
        if number.is_integer() and abs(number) < 1e15:
            return str(int(number))
        return f"{number:.12g}"
    except (ValueError, OverflowError):
        return value


def cache_fields(stream: BinaryIO) -> tuple[list[str], list[list[str]]]:
    """A pivot cache's field names, and each field's shared items."""
    names: list[str] = []
    items: list[list[str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if name == "cacheField":
            names.append(attributes.get("name", ""))
            items.append([])
        elif items and len(name) == 1 and name in "snbdem":
            items[-1].append(attributes.get("v", ""))

    for _ in feed(stream, start, None, None):
        if sum(map(len, items)) > 2_000_000:
            raise Unreadable(Reason.LIMIT_MEMORY)
    return names, items


def cache_rows(stream: BinaryIO, items: list[list[str]], limits: ReadLimits) -> Iterator[Row]:
    """The records of a pivot cache: the very rows that the pivot table was made from."""
    rows: list[Row] = []
    row: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal row
        name = local(name)
        if name == "r":
            row = []
        elif name == "x":
            index, shared = _int(attributes.get("v")), items[len(row)] if len(row) < len(items) else []
            row.append(shared[index] if index < len(shared) else "")
        elif len(name) == 1 and name in "snbdem":
            row.append(attributes.get("v", ""))
        if len(row) > limits.max_columns:
            raise Unreadable(Reason.LIMIT_COLUMNS)

    def end(name: str) -> None:
        if local(name) == "r":
            rows.append(row)

    for _ in feed(stream, start, end, None):
        yield from rows
        rows.clear()
