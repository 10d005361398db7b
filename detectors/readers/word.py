"""Word documents in Office Open XML: tables as tables, running text as a plain text part.

Headers, notes, comments and text that is marked as deleted are read like the body; embedded files are
parts.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from detectors.engine.grid import tables
from detectors.engine.table import Content, Part, ReadLimits, Row, Unreadable
from detectors.engine.verdict import Reason
from detectors.engine.xml_stream import feed, local
from detectors.readers.spreadsheet import Package

MEDIA_TYPES = frozenset({"application/vnd.openxmlformats-officedocument.wordprocessingml.document"})
MAX_TEXT = 4 * 1024**2
MAX_NESTED_CELLS = 500_000
CONTEXT_LINES = 4

_TEXT_PARTS = re.compile(
    r"word/(document\d*|header\d*|footer\d*|footnotes|endnotes|comments|glossary/document)\.xml",
    re.IGNORECASE,
)
_EMBEDDED = re.compile(r"word/(embeddings|activex)/.+", re.IGNORECASE)
_MAIN = re.compile(r"word/document\d*\.xml", re.IGNORECASE)

Item = tuple[str, list[str]]
"""`line` with its text, `row` with its cells, `begin` and `end` of a table."""


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield tables and text part by part, then the embedded files."""
    package = Package(stream, limits.spending())
    if not package.matching(_MAIN):
        raise Unreadable(Reason.MALFORMED)
    number = 0
    for path in sorted(package.matching(_TEXT_PARTS), key=lambda p: not _MAIN.fullmatch(p)):
        for content in _contents(_items(package.open(path), limits)):
            if isinstance(content, Part):
                content.position, number = number, number + 1
            yield content
    for entry in [package.parts[path] for path in package.matching(_EMBEDDED)] + package.others:
        yield Part(number, partial(package.open_entry, entry), entry.untrusted_name)
        number += 1
    if package.fault is not None:
        raise Unreadable(package.fault)


def _contents(items: Iterator[Item]) -> Iterator[Content]:
    lines: list[str] = []
    length = 0
    fault: Unreadable | None = None
    while True:
        try:
            item = next(items, None)
        except Unreadable as stopped:
            fault, item = stopped, None
        if item is None:
            break
        if item[0] == "begin":
            yield from tables(_rows(items), [line for line in lines[-CONTEXT_LINES:] if line])
        elif item[0] == "line":
            lines.append(item[1][0])
            length += len(item[1][0])
        if length > MAX_TEXT:
            yield _text(lines)
            lines, length = [], 0
    if any(lines):
        yield _text(lines)
    if fault is not None:
        raise fault


def _text(lines: list[str]) -> Part:
    data = "\n".join([*lines, ""]).encode()
    return Part(0, lambda: io.BytesIO(data))


def _rows(items: Iterator[Item]) -> Iterator[Row]:
    for what, cells in items:
        if what == "end":
            return
        yield cells


class _Table:
    """A table that is open while its document is walked."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.row: list[str] = []
        self.cell: list[str] = []
        self.span = 1


class _Walk:
    """Turns a document's elements into items; tables inside tables follow the outermost one."""

    def __init__(self, limits: ReadLimits) -> None:
        self.items: deque[Item] = deque()
        self._limits = limits
        self._open: list[_Table] = []
        self._nested: list[list[list[str]]] = []
        self._cells = 0
        self._paragraph: list[str] = []
        self._taking = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = local(name)
        if name in ("t", "delText"):
            self._taking = True
        elif name == "tab":
            self._paragraph.append("\t")
        elif name in ("br", "cr"):
            self._paragraph.append(" ")
        elif name == "tbl":
            self._open.append(_Table())
            if len(self._open) == 1:
                self.items.append(("begin", []))
        elif name == "gridSpan" and self._open:
            value = next((v for k, v in attributes.items() if local(k) == "val"), "1")
            self._open[-1].span = min(int(value), 100) if value.isdecimal() and len(value) < 5 else 1

    def characters(self, data: str) -> None:
        if self._taking:
            self._paragraph.append(data)

    def end(self, name: str) -> None:
        name = local(name)
        if name in ("t", "delText"):
            self._taking = False
        elif name == "p":
            self._end_paragraph()
        elif self._open and name == "tc":
            table = self._open[-1]
            text = " ".join(table.cell).strip()
            if len(text) > self._limits.max_cell_chars:
                raise Unreadable(Reason.LIMIT_CELL)
            table.row += [text, *[""] * (table.span - 1)]
            table.cell, table.span = [], 1
            if len(table.row) > self._limits.max_columns:
                raise Unreadable(Reason.LIMIT_COLUMNS)
        elif self._open and name == "tr":
            self._end_row(self._open[-1])
        elif self._open and name == "tbl":
            self._end_table(self._open.pop())

    def _end_paragraph(self) -> None:
        text = "".join(self._paragraph)
        self._paragraph.clear()
        if self._open:
            self._open[-1].cell.append(text)
        else:
            self.items.append(("line", [text]))

    def _end_row(self, table: _Table) -> None:
        if len(self._open) == 1:
            self.items.append(("row", table.row))
        else:
            self._cells += len(table.row)
            if self._cells > MAX_NESTED_CELLS:
                raise Unreadable(Reason.LIMIT_MEMORY)
            table.rows.append(table.row)
        table.row = []

    def _end_table(self, table: _Table) -> None:
        if self._open:
            self._nested.append(table.rows)
            return
        self.items.append(("end", []))
        for rows in self._nested:
            self.items.append(("begin", []))
            self.items.extend(("row", row) for row in rows)
            self.items.append(("end", []))
        self._nested, self._cells = [], 0


def _items(stream: BinaryIO, limits: ReadLimits) -> Iterator[Item]:
    walk = _Walk(limits)
    try:
        for _ in feed(stream, walk.start, walk.end, walk.characters):
            while walk.items:
                yield walk.items.popleft()
    except Unreadable:
        yield from walk.items
        raise
