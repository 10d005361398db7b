"""HTML: its tables, row by row, and the text around them.

Parsed by events, no tree is built; scripts and comments are text like any other. Tables that are built of
other elements, data in scripts, and what stands in columns or is delimited in preformatted text come out as
tables too. Text that has no table but is called HTML comes out as text.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from lxml import etree

from detectors.engine.blocks import Blocks, Cell, of_rows
from detectors.engine.grid import tables
from detectors.engine.header import filled, fold
from detectors.engine.key_values import records
from detectors.engine.page_cells import OpenCell, OpenTable, span, typed
from detectors.engine.script_data import document, in_scripts
from detectors.engine.table import Content, Part, ReadLimits, Row, Table, Text, Unreadable
from detectors.engine.text import decoded
from detectors.engine.verdict import Reason
from detectors.engine.whole_texts import may_hold_a_table
from detectors.readers.plain_text import read_lines

MEDIA_TYPES = frozenset({"text/html"})
MAX_CONTEXT = 12
MAX_CONTEXT_CHARS = 200
MAX_HEADER_ROWS = 4
MAX_OPEN_TABLES = 64
MAX_LINES = 2000
LEAST_DELIMITED = 10
MAX_SCRIPT_CHARS = 16 * 1024 * 1024
"""Of all scripts of a page."""
MAX_PRE_CHARS = 8 * 1024 * 1024
"""So much of preformatted text is looked at in one piece."""
_BREAKS = frozenset(
    """p div br li ul ol h1 h2 h3 h4 h5 h6 title caption section article header footer pre hr dt dd form
    label option tr table body head html script style blockquote address figure figcaption""".split()  # noqa: SIM905
)
_CELLS = frozenset({"td", "th"})


@dataclass(slots=True)
class _Event:
    """A row of table `number`; a line of text where `cells` is None, unless it is one of the others."""

    number: int
    cells: list[str] | None
    is_header: bool = False
    line: str = ""
    blocks: list[list[Cell]] | None = None
    script: str = ""
    pre: str = ""

    @property
    def is_line(self) -> bool:
        return self.cells is None and self.blocks is None and not (self.script or self.pre)


class _Events:
    """The parser's target: turns tags into rows and lines."""

    def __init__(self, limits: ReadLimits) -> None:
        self.out: deque[_Event] = deque()
        self.fault: Reason | None = None
        self._limits = limits
        self._open: list[OpenTable] = []
        self._count = 0
        self._line: list[str] = []
        self._skips = 0
        self._blocks = Blocks()
        self._script: list[str] | None = None
        self._scripts: list[str] = []
        self._script_chars = 0
        self._pre: list[str] | None = None
        self._pre_chars = 0
        self._filled: _Event | None = None
        """The last field of a form."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _BREAKS:
            self._break()
        if not self._open and tag != "table":
            self._blocks.start(tag, (attributes and attributes.get("class")) or "")
        if tag == "table" and len(self._open) < MAX_OPEN_TABLES:
            self._end_pre()
            self._count += 1
            self._open.append(OpenTable(self._count))
        elif tag == "tr" and self._open:
            self._end_row()
            self._open[-1].row = []
        elif tag in _CELLS and self._open:
            table = self._open[-1]
            self._end_cell(table)
            if table.row is None:
                table.row = []
            table.cell = OpenCell(tag == "th")
            if attributes:  # asking an empty one is slow
                table.cell.columns = span(attributes.get("colspan"), 1000)
                table.cell.rows = span(attributes.get("rowspan"), 65_534)
        elif tag == "input":
            self._input(attributes)
        elif tag == "style":
            self._skips += 1
        elif tag == "script":
            self._script = []
        elif tag == "pre" and not self._open:
            self._pre = []

    def _input(self, attributes: dict[str, str]) -> None:
        """What was typed or chosen in a form: a value under its label, or under the name of its field."""
        value = typed(attributes)
        if not value:
            return
        if self._open and self._open[-1].cell is not None:
            self._open[-1].cell.parts.append(value)
            return
        self._break()
        is_label = bool(self.out) and self.out[-1].is_line and self.out[-1] is not self._filled
        label = self.out.pop().line.rstrip(" :?*") if is_label else attributes.get("name") or ""
        self._filled = _Event(0, None, line=f"{label}: {value}")
        self.out.append(self._filled)

    def end(self, tag: str) -> None:
        if tag in _CELLS and self._open:
            self._end_cell(self._open[-1])
        elif tag == "tr" and self._open:
            self._end_row()
        elif tag == "table" and self._open:
            self._end_row()
            self._open.pop()
        elif tag == "style":
            self._skips = max(0, self._skips - 1)
        elif tag == "script":
            self._end_script()
        elif tag == "pre":
            self._end_pre()
        if tag in _BREAKS:
            self._break()
        if not self._open:
            if tag != "table":
                self._blocks.end(tag)
            if self._blocks.found or self._scripts:
                self._tell()

    def data(self, data: str) -> None:
        if self._skips:
            return
        if self._pre is not None:
            self._pre.append(data)
            self._pre_chars += len(data)
            if self._pre_chars > MAX_PRE_CHARS:
                self._end_pre()
                self._pre = []
            return
        cell = self._open[-1].cell if self._open else None
        (self._line if cell is None else cell.parts).append(data)
        if self._script is not None:
            self._script_chars += len(data)
            if self._script_chars <= MAX_SCRIPT_CHARS:
                self._script.append(data)
        elif not self._open:
            self._blocks.data(data)

    def comment(self, data: str) -> None:
        self.out.extend(_Event(0, None, line=line) for line in data.split("\n") if line.strip())

    def close(self) -> None:
        for table in self._open:
            self._end_cell(table)
        self._end_row()
        self._end_pre()
        self._break()
        self._end_script()
        self._blocks.close()
        self._tell()

    def _end_pre(self) -> None:
        if self._pre:
            self.out.append(_Event(0, None, pre="".join(self._pre)))
        self._pre, self._pre_chars = None, 0

    def _end_script(self) -> None:
        if self._script:
            self._scripts.append("".join(self._script))
        self._script = None

    def _tell(self) -> None:
        """Hand out what was found beside the tables; never amid the rows of one."""
        self.out.extend(_Event(0, None, blocks=rows) for rows in self._blocks.found)
        self.out.extend(_Event(0, None, script=script) for script in self._scripts)
        self._blocks.found.clear()
        self._scripts.clear()

    def _break(self) -> None:
        cell = self._open[-1].cell if self._open else None
        if cell is not None:
            cell.parts.append(" ")
        elif self._line:
            whole = "".join(self._line)
            self._line.clear()
            self.out.extend(
                _Event(0, None, line=" ".join(line.split())) for line in whole.split("\n") if line.strip()
            )

    def _end_cell(self, table: OpenTable) -> None:
        cell, table.cell = table.cell, None
        if cell is None or table.row is None:
            return
        text = " ".join("".join(cell.parts).split())
        for offset in range(cell.columns):
            if table.reaching:
                self._fill(table)
            value = (text if offset == 0 or cell.is_header else "", cell.is_header)
            if cell.rows > 1:
                table.reaching[len(table.row)] = (cell.rows - 1, *value)
            table.row.append(value)
        if len(table.row) > self._limits.max_columns:
            self.fault = Reason.LIMIT_COLUMNS
            table.row = table.row[: self._limits.max_columns]

    def _fill(self, table: OpenTable) -> None:
        """Put in the cells that reach down from rows above, up to the next free column."""
        assert table.row is not None
        while (reach := table.reaching.pop(len(table.row), None)) is not None:
            left, text, is_header = reach
            if left > 1:
                table.reaching[len(table.row)] = (left - 1, text, is_header)
            table.row.append((text, is_header))

    def _end_row(self) -> None:
        if not self._open:
            return
        table = self._open[-1]
        self._end_cell(table)
        if table.row is not None:
            self._fill(table)
            cells = [text for text, _ in table.row]
            heads = [is_header for text, is_header in table.row if text]
            self.out.append(_Event(table.number, cells, bool(heads) and all(heads)))
        table.row = None


class _Feed:
    """Events with a look ahead of one."""

    def __init__(self, stream: BinaryIO, limits: ReadLimits) -> None:
        self._target = _Events(limits)
        self._parser = etree.HTMLParser(target=self._target, encoding="utf-8", no_network=True)
        self._text = decoded(stream)
        self._ended = False

    def peek(self) -> _Event | None:
        while not self._target.out and not self._ended:
            if self._target.fault is not None:
                raise Unreadable(self._target.fault)
            piece = next(self._text, None)
            try:
                if piece is None:
                    self._ended = True
                    self._parser.close()
                else:
                    self._parser.feed(piece.encode("utf-8", "replace"))
            except (etree.LxmlError, ValueError, AssertionError):
                if not self._ended:
                    raise Unreadable(Reason.MALFORMED) from None
        return self._target.out[0] if self._target.out else None

    def take(self) -> _Event:
        return self._target.out.popleft()


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Each table with the lines before it as context; lines as text, in the order of the file."""
    feed = _Feed(stream, limits)
    context: list[str] = []
    budget = limits.spending()
    documents = 0
    while (event := feed.peek()) is not None:
        if event.blocks is not None:
            yield from of_rows(feed.take().blocks or [])
        elif event.script:
            held = document(feed.take().script)
            if held is None:
                yield from in_scripts(event.script)
            else:
                budget.enter()
                yield Part(documents, partial(io.BytesIO, held.encode("utf-8", "replace")))
                documents += 1
        elif event.pre:
            yield from _preformatted(feed.take().pre, limits)
        elif event.cells is None:
            lines = list(_lines(feed))
            context = [line[:MAX_CONTEXT_CHARS] for line in lines][-MAX_CONTEXT:]
            yield Text(iter(lines))
            found = (
                _preformatted("\n".join(lines), limits) if len(lines) >= LEAST_DELIMITED else records(lines)
            )
            yield from (content for content in found if isinstance(content, Table))
        else:
            yield from _table(feed, event.number, context)


def _preformatted(text: str, limits: ReadLimits) -> Iterator[Content]:
    """Tables that keep their columns by line ends and blanks; they are part of a page."""
    if not may_hold_a_table(text):
        lines = text.split("\n")
        yield Text(iter(lines))
        yield from records(lines)
        return
    for content in read_lines(iter([text]), limits):
        if isinstance(content, Table):
            content.loose = True
        yield content


def _lines(feed: _Feed) -> Iterator[str]:
    for _ in range(MAX_LINES):
        event = feed.peek()
        if event is None or not event.is_line:
            return
        yield feed.take().line


def _rows(feed: _Feed, number: int) -> Iterator[tuple[list[str], bool]]:
    """Rows of one table, until another one or a line of text comes between."""
    while (event := feed.peek()) is not None and event.number == number and event.cells is not None:
        feed.take()
        yield event.cells, event.is_header


def _table(feed: _Feed, number: int, context: list[str]) -> Iterator[Content]:
    """A table with marked header cells as it says; any other as its looks say."""
    heads: list[list[str]] = []
    while (event := feed.peek()) is not None and event.number == number and event.cells is not None:
        if not event.is_header or filled(event.cells) < 2 or len(heads) >= MAX_HEADER_ROWS:
            break
        heads.append(feed.take().cells or [])
    if not heads:
        yield from tables((cells for cells, _ in _rows(feed, number)), context)
        return
    header = fold(heads)
    if len(heads) > 1 and len(set(header)) < len(set(heads[-1])):
        header = heads[-1]

    def rows() -> Iterator[Row]:
        for cells, is_header in _rows(feed, number):
            if not (is_header and cells in heads):
                yield cells

    table = Table(header, rows(), context)
    yield table
    for _ in table.rows:
        pass
