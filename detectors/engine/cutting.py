"""Rows of one table region, cut while the text streams by, until lines no longer fit the way of cutting."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from operator import length_hint

from detectors.engine.dialect import MAX_QUOTED_LINES, Dialect, numbered_rows
from detectors.engine.forms import Forms
from detectors.engine.layout import Layout
from detectors.engine.lines import NEVER, Cutter, Lines, Plain
from detectors.engine.segments import segments
from detectors.engine.table import ReadLimits, Row, Unreadable
from detectors.engine.text import Source
from detectors.engine.verdict import Reason

MAX_STRAY_ROWS = 12
FIRST_LINES = 400
"""So many lines of a region are cut before any may be left as lines: a table's head is always cut."""


def region(source: Source, cut: Dialect | Layout, chars: int | None, limits: ReadLimits) -> Iterator[Row]:
    """Rows of the region that begins where `source` stands; see `Region`."""
    return iter(Region(source, cut, chars, limits))


class Region:
    """The region that begins where `source` stands; blank lines are empty rows. To be iterated once.

    `chars`  the region's length if its end is known; None if it goes on as long as lines fit.
    Takes from `source` what it yields, no more. Raises `Unreadable` for too many columns, and what
    the source raises.
    """

    def __init__(self, source: Source, cut: Dialect | Layout, chars: int | None, limits: ReadLimits) -> None:
        self._source, self._cut, self._chars, self._limits = source, cut, chars, limits
        self._width = 0
        self._under_way: Iterator[Row] = iter(())
        self._cutter: Cutter | None = None

    def __iter__(self) -> Iterator[Row]:
        source, cut = self._source, self._cut
        if self._chars is not None:
            text = source.window(self._chars)[: self._chars]
            source.skip(self._chars)
            if not isinstance(cut, Dialect) or not cut.plain:
                yield from _checked(parsed(cut, text), self._limits)
                return
            self._source = source = Source(iter([text]))
        while text := _block(source, cut, 0 if self._width else FIRST_LINES):
            rows = parsed(cut, text)
            self._width = self._width or _modal(rows)
            if self._chars is not None or _fits(cut, rows, text, self._width):
                yield from self._take(rows)
                continue
            lines = text.split("\n")
            first = segments(lines)[0]
            kept = first.last if _alike(first.cut, cut) else 0
            if kept >= len(lines) - 1:
                self._width, self._cutter = _modal(rows), None
                yield from self._take(rows)
                continue
            source.put_back("\n".join(lines[kept:]))
            self._width = 0
            yield from _checked(parsed(cut, "\n".join(lines[:kept])), self._limits)
            return
        source.finish()

    def _take(self, rows: list[list[str]]) -> Iterator[Row]:
        self._under_way = _checked(rows, self._limits)
        return self._under_way

    def lines(self, plain: Plain, forms: Forms) -> Lines | int:
        """The rows of the next block as lines, if all are plain; else how many to take before that may be."""
        left = length_hint(self._under_way)
        if left or not self._width or not isinstance(self._cut, Dialect):
            return left or NEVER
        if self._cutter is None:
            self._cutter = Cutter(self._cut, self._width)
        if not self._cutter.serves(plain):
            return NEVER
        text = self._source.take()
        if end := text.rfind("\n") + 1:  # the last line of a file may have no end
            self._source.put_back(text[end:])
            text = text[:end]
        found = self._cutter.lines(text, plain, forms)
        if found is None:
            self._source.put_back(text)
            return 1
        return found


def _alike(one: Dialect | Layout | None, other: Dialect | Layout) -> bool:
    if isinstance(one, Dialect) and isinstance(other, Dialect):
        return one.delimiter == other.delimiter
    return isinstance(one, Layout) and isinstance(other, Layout) and set(one.cuts) <= set(other.cuts)


def _block(source: Source, cut: Dialect | Layout, lines: int) -> str:
    """The next lines, so many if any number is given; some more where a quoted cell is still open."""
    text = source.take(lines)
    if isinstance(cut, Dialect) and text:
        tries = 0
        while cut.open_quotes(text) and tries < MAX_QUOTED_LINES:
            ahead = source.window(1)
            if not ahead:
                break
            end = ahead.find("\n") + 1 or len(ahead)
            source.skip(end)
            text += ahead[:end]
            tries += 1
    return text


def parsed(cut: Dialect | Layout, text: str) -> list[list[str]]:
    """Whole lines as rows; a stray quote mark swallows nothing."""
    if isinstance(cut, Layout):
        return cut.rows(text)
    if not cut.open_quotes(text):
        plain = cut if cut.quote is None or cut.quote in text else replace(cut, quote=None, escape=None)
        try:
            rows = plain.rows(text)
        except csv.Error:
            rows = []
        if rows and (plain.quote is None or text.count("\n") - len(rows) <= MAX_QUOTED_LINES):
            return rows
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [row for _, _, row in numbered_rows(cut, lines)]


def _modal(rows: list[list[str]]) -> int:
    widths = [len(row) for row in rows if row]
    return max(set(widths), key=widths.count) if widths else 0


def _fits(cut: Dialect | Layout, rows: list[list[str]], text: str, width: int) -> bool:
    """Whether a block is still of the region."""
    if isinstance(cut, Layout):
        lines = text.split("\n")
        return cut.fits(lines[:: max(1, len(lines) // 50)])
    widths = list(map(len, rows))
    written = len(widths) - widths.count(0)
    return widths.count(1) <= MAX_STRAY_ROWS and widths.count(width) >= 0.5 * written


def _checked(rows: list[list[str]], limits: ReadLimits) -> Iterator[Row]:
    if max(map(len, rows), default=0) > limits.max_columns:
        raise Unreadable(Reason.LIMIT_COLUMNS)
    return iter(rows)
