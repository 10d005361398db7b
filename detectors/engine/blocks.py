"""Rows and cards that a page builds of any elements: what repeats below one element and holds equal cells.

An element of nothing but text is a cell; one of several cells is a row; one of many rows is a table. Cards
are rows in which names and values take turns. Of what is open a bounded amount is kept, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from detectors.engine.grid import tables
from detectors.engine.header import kind
from detectors.engine.key_values import table_of
from detectors.engine.table import Table

LEAST_ROWS = 10
LEAST_WIDTH = 3
LEAST_NAMES = 3
MOST_CELLS = 200
"""As many cells, and an element is no row of anything."""
MOST_ROWS = 2_000
MOST_DEPTH = 200
MOST_KEPT = 4 * 1024 * 1024
CELL_CHARS = 400
LONG_STYLE = 100
_ABOUT_A_CELL = 60
_BLANK = frozenset({"div", "span", "dd", "p", "li"})
"""An empty one of these is a cell with no value; others are marks and pictures."""

Cell = tuple[str, str]
"""The kind of the element, and its text."""


@dataclass(slots=True)
class _Element:
    tag: str
    kind: str
    text: list[str] = field(default_factory=list)
    chars: int = 0
    has_own_text: bool = False
    cells: list[Cell] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)


class Blocks:
    """Takes the tags and the text of a page; `found` are the rows of each element that had enough of them."""

    def __init__(self) -> None:
        self.found: list[list[list[Cell]]] = []
        self._open: list[_Element] = []
        self._beyond = self._kept = 0

    def start(self, tag: str, style: str) -> None:
        if len(self._open) >= MOST_DEPTH:
            self._beyond += 1
            return
        self._open.append(_Element(tag, f"{tag}.{style}" if len(style) < LONG_STYLE else tag))

    def data(self, data: str) -> None:
        text = data.strip()
        if text and self._open:
            top = self._open[-1]
            top.has_own_text = True
            _add_text(top, text)

    def end(self, tag: str) -> None:
        if self._beyond:
            self._beyond -= 1
        elif self._open and self._open[-1].tag == tag:
            self._close(self._open.pop())

    def close(self) -> None:
        while self._open:
            self._close(self._open.pop())

    def _close(self, element: _Element) -> None:
        above = self._open[-1] if self._open else None
        if element.has_own_text or (not element.rows and len(element.cells) <= 1):
            text = " ".join(element.text)
            if above is not None and (text or element.tag in _BLANK):
                _add_text(above, text)
                above.cells.append((element.kind, text))
                self._kept += len(text) + _ABOUT_A_CELL
            if element.cells or element.rows:
                self._let_go(element)
        else:
            self._close_row(element, above)
        if self._kept > MOST_KEPT:
            self._shed()

    def _close_row(self, element: _Element, above: _Element | None) -> None:
        cells = element.cells + [cell for row in element.rows for cell in row]
        wide = sum(len(row) >= LEAST_WIDTH for row in element.rows)
        if wide >= LEAST_ROWS or len(cells) > MOST_CELLS or above is None:
            self._tell(element)
            return
        above.rows.append(cells)
        for text in element.text:
            _add_text(above, text)
        if len(above.rows) >= MOST_ROWS:
            self._tell(above)

    def _tell(self, element: _Element) -> None:
        rows = element.rows
        if len(element.cells) > MOST_CELLS:
            rows = [*rows, element.cells]
        if len(rows) >= LEAST_ROWS or len(element.cells) > MOST_CELLS:
            self.found.append(rows)
        self._let_go(element)

    def _let_go(self, element: _Element) -> None:
        kept = [*element.cells, *(cell for row in element.rows for cell in row)]
        self._kept -= sum(len(text) + _ABOUT_A_CELL for _, text in kept)
        element.cells, element.rows = [], []

    def _shed(self) -> None:
        """Forget what is open, after what it holds so far was told."""
        for element in self._open:
            self._tell(element)
        self._kept = 0


def _add_text(element: _Element, text: str) -> None:
    if element.chars < CELL_CHARS:
        element.text.append(text[:CELL_CHARS])
        element.chars += len(text) + 1


def of_rows(rows: Sequence[Sequence[Cell]]) -> Iterator[Table]:
    """The table that rows of cells are: records, if names and values take turns in most of them."""
    cards = [card for row in rows if (card := _card(row))]
    if 2 * len(cards) > len(rows):
        records = [record for card in cards for record in _records(card)]
        table = table_of(records, LEAST_NAMES)
        if table is not None:
            yield table
        return
    width = Counter(map(len, rows)).most_common(1)[0][0]
    texts = [[text for _, text in row] for row in rows if len(row) == width]
    if width < LEAST_WIDTH or len(texts) < LEAST_ROWS:
        return
    names = [_usual(texts, j) for j in range(0, width, 2)]
    if width % 2 == 0 and len(names) >= LEAST_NAMES and all(names):
        yield Table(names, iter([row[1::2] for row in texts]), loose=True)
        return
    for content in tables(iter(texts)):
        if isinstance(content, Table):
            content.loose = True
            yield content


def _card(row: Sequence[Cell]) -> list[tuple[str, str]]:
    """(name, value) of each pair, if elements of two kinds take turns; else nothing."""
    kinds = [what for what, _ in row]
    if len(row) < 2 or len(row) % 2 or len(set(kinds[::2])) != 1 or len(set(kinds[1::2])) != 1:
        return []
    if kinds[0] == kinds[1]:
        return []
    texts = [text for _, text in row]
    return [(name.rstrip(" :"), value) for name, value in zip(texts[::2], texts[1::2], strict=True) if name]


def _records(card: Sequence[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """The records in a card; a name that comes again begins the next."""
    record: dict[str, str] = {}
    for name, value in card:
        if name in record:
            yield record
            record = {}
        record[name] = value
    yield record


def _usual(rows: Sequence[Sequence[str]], position: int) -> str:
    """The text that nearly all rows have there, if it is no number; else nothing."""
    text, often = Counter(row[position] for row in rows).most_common(1)[0]
    return text.rstrip(" :") if often >= 0.9 * len(rows) and kind(text) == "t" else ""
