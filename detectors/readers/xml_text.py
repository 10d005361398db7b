"""XML of any vocabulary: its repeated elements as tables of records, other values as lines of text.

No entity is expanded and nothing is fetched. What only looks like XML is read as plain text.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO

from detectors.engine.grid import tables
from detectors.engine.key_values import records
from detectors.engine.media_types import SVG, XML
from detectors.engine.table import Content, ReadLimits, Row, Table, Text, Unreadable
from detectors.engine.verdict import Reason
from detectors.engine.xml_records import Collector, Record, Survey
from detectors.engine.xml_stream import feed
from detectors.readers.plain_text import read_text

MEDIA_TYPES = frozenset({XML, SVG})
SURVEY_BYTES = 1024 * 1024
SAMPLE_RECORDS = 200
MAX_LINES = 2000


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """A table for each run of records of one kind; the lines between are text."""
    try:
        survey = _survey(stream)
    except Unreadable as fault:
        if fault.reason is not Reason.MALFORMED:
            raise
        yield from read_text(stream, limits)
        return
    is_data = media_type != SVG and not survey.is_document
    paths = frozenset() if media_type == SVG else survey.records()
    packed = survey.packed() if paths else {}
    document = _Document(stream, Collector(paths, named=is_data, packed=packed), limits)
    lines: list[str] = []
    while (item := document.peek()) is not None:
        if isinstance(item, str):
            document.take()
            lines.append(item)
            if len(lines) >= MAX_LINES:
                yield from _told(lines, is_data)
                lines = []
            continue
        yield from _told(lines, is_data)
        aside: list[str] = []
        yield from _table(document, item, lines[-12:], aside, limits)
        lines = aside
    yield from _told(lines, is_data)
    if document.broken:
        yield from read_text(stream, limits)


def _told(lines: list[str], is_data: bool) -> Iterator[Content]:
    if lines:
        yield Text(iter(lines))
        if is_data:
            yield from records(lines)


def _survey(stream: BinaryIO) -> Survey:
    """Where the records are, as the first part of the document shows. Raises for what is no XML."""
    survey = Survey()
    stream.seek(0)
    for _ in feed(stream, survey.start, survey.end, survey.characters, doctype=True):
        if stream.tell() >= SURVEY_BYTES:
            break
    return survey


class _Document:
    """The records and lines of a document with a look ahead; parses on as they are taken."""

    def __init__(self, stream: BinaryIO, collector: Collector, limits: ReadLimits) -> None:
        stream.seek(0)
        self._collector = c = collector
        self._parsing = feed(stream, c.start, c.end, c.characters, doctype=True)
        self.broken = False

    def ahead(self, count: int) -> list[Record | str]:
        """Up to `count` items, none taken."""
        out = self._collector.out
        while len(out) < count and not self.broken:
            if self._collector.fault is not None:
                raise Unreadable(self._collector.fault)
            try:
                if next(self._parsing, self) is self:
                    break
            except Unreadable as fault:
                if fault.reason is not Reason.MALFORMED:
                    raise
                self.broken = True
        return [out[i] for i in range(min(count, len(out)))]

    def peek(self) -> Record | str | None:
        ahead = self.ahead(1)
        return ahead[0] if ahead else None

    def take(self) -> None:
        self._collector.out.popleft()


def _table(
    document: _Document, first: Record, context: list[str], aside: list[str], limits: ReadLimits
) -> Iterator[Content]:
    """The records from `first` on, as long as the same kind goes on; lines between go to `aside`."""
    run = _run(document, first, aside)
    if first.positional:
        yield from tables(([value for _, value in record.values] for record in run), context)
        return
    if first.stands_at is not None:
        yield from tables(_placed(run, limits), context)
        return
    sample = [
        item
        for item in document.ahead(SAMPLE_RECORDS)
        if isinstance(item, Record) and item.path == first.path
    ]
    header = _names(sample)
    if len(header) > limits.max_columns:
        raise Unreadable(Reason.LIMIT_COLUMNS)
    places = {name: place for place, name in enumerate(header)}

    def rows() -> Iterator[Row]:
        for record in run:
            yield _row(record, places)

    has_branches = any("." in name for name in header)
    filled = sum(len(record.values) for record in sample)
    table = Table(
        header,
        rows(),
        [first.path[-1], *context],
        loose=has_branches or 2 * filled < len(sample) * len(header),
    )
    yield table
    for _ in table.rows:  # a consumer may have left it half way
        pass


def _placed(run: Iterator[Record], limits: ReadLimits) -> Iterator[Row]:
    """Rows of the cells that name their row and column."""
    cells = (cell for record in run if (cell := record.stands_at) is not None)
    for _, row in groupby(cells, key=lambda cell: cell[0]):
        texts = {column: text for _, column, text in row}
        if max(texts) >= limits.max_columns:
            raise Unreadable(Reason.LIMIT_COLUMNS)
        yield [texts.get(column, "") for column in range(max(texts) + 1)]


def _run(document: _Document, first: Record, aside: list[str]) -> Iterator[Record]:
    while (item := document.peek()) is not None and len(aside) < MAX_LINES:
        if isinstance(item, str):
            aside.append(item)
        elif item.path == first.path:
            yield item
        else:
            return
        document.take()


def _names(sample: list[Record]) -> list[str]:
    """The union of the records' names, in the order in which they come."""
    names: dict[str, None] = {}
    for record in sample:
        names |= dict.fromkeys(name for name, _ in record.values)
    return list(names)


def _row(record: Record, places: dict[str, int]) -> list[str]:
    """The values in their places; values of one name joined, values without a place at the end."""
    cells = [""] * len(places)
    extra: list[str] = []
    for name, value in record.values:
        place = places.get(name)
        if place is None:
            extra.append(value)
        elif cells[place]:
            cells[place] = f"{cells[place]}; {value}"
        else:
            cells[place] = value
    return cells + extra
