"""JSON and JSON Lines: records wherever they lie, streamed; what is in no table comes out as text.

Values that are whole texts (what a notebook keeps of a printed table) are parts.

The document is read once to learn its shape and once more for each table, so memory stays small. A
large one is read only in part before its first table is handed out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice, zip_longest
from typing import BinaryIO

from detectors.engine.grid import tables
from detectors.engine.json_fields import Fields
from detectors.engine.json_shape import ANY_KEY, ELEMENT, Kind, Place, Target, columns_of, target_at
from detectors.engine.json_walk import MAX_CONTEXT, Document
from detectors.engine.streams import read_at
from detectors.engine.table import Content, Part, ReadLimits, Row, Table, Text, Unreadable
from detectors.engine.turned import MOST_VARIABLES, are_columns
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/json", "application/x-ndjson"})

FIRST_LOOK = 100_000
"""Events of the first look; a document with fewer is known whole before its first table."""
MAX_TABLES = 12
MAX_COLUMN_CELLS = 4_000_000
MAX_COLUMN_CHARS = 96 * 1024**2
HEAD_RECORDS = 200
_HEADING = re.compile(r"<th\b[^<>]{0,200}>([^<>]{0,200})</th>")
_HEADER_KEYS = ("columns", "header", "headers", "fields", "names", "cols")


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield each table of the document, the largest first; then all other values as `Text`."""
    if not read_at(stream, 0, 1):
        return
    document = Document(stream, limits)
    fault: Reason | None = None
    try:
        known = document.look(FIRST_LOOK)
        targets = document.shape.targets()
        if not known and not targets:
            document = Document(stream, limits)
            document.look(None)
            targets, known = document.shape.targets(), True
    except Unreadable as stopped:
        fault, known, targets = stopped.reason, True, document.shape.targets()
    done: set[Place] = set()
    if not known:
        context = document.context
        document = Document(stream, limits)
        document.context = context
        first = _same(document, targets[0])
        done.add(first.place)
        yield from _table(document, first, limits)
    while len(done) < MAX_TABLES:
        target = next((t for t in document.shape.targets() if t.place not in done), None)
        if target is None:
            break
        done.add(target.place)
        yield from _table(document, target, limits)
    is_table: dict[Place, bool] = {}
    if any(p.scalars and not _is_covered(p, done, is_table) for p in document.shape.places()):
        yield Text(_rest(document, done))
    if document.long:
        yield Text(line for text in document.long for line in text.split("\n"))
    yield from _parts(document, limits)
    if fault is not None:
        raise Unreadable(fault)


def _parts(document: Document, limits: ReadLimits) -> Iterator[Part]:
    """Whole texts among the values."""
    budget = limits.spending()
    for position, data in enumerate(document.texts.parts()):
        budget.enter()
        budget.expand(len(data))
        yield Part(position, partial(io.BytesIO, data))


def _same(document: Document, target: Target) -> Target:
    """The target of an earlier look, as a place of a document that is walked afresh."""
    labels: list[str] = []
    place: Place | None = target.place
    while place is not None and place.parent is not None:
        labels.append(place.label)
        place = place.parent
    here = document.shape.root
    for label in reversed(labels):
        here = document.shape.member(here, label, False)
    return Target(target.kind, here, target.records, target.variables)


def _table(document: Document, target: Target, limits: ReadLimits) -> Iterator[Table | Text]:
    name = target.place.path()
    context = [*([name] if name else []), *document.context][:MAX_CONTEXT]
    if target.kind is Kind.RECORDS:
        fields = Fields(limits.max_columns)
        head = _ahead(_records(document, target, fields))
        yield Table(fields.header, head, context, loose=fields.are_branches(target.place))
        for _ in head:  # a consumer may have left it half way; the shape must be known to its end
            pass
        return
    rows = _rows(document, target) if target.kind is Kind.ROWS else None
    if rows is None:
        names = [column.label for column in columns_of(target.place)]
        yield Table(names, _by_columns(document, target), context)
        return
    header_text = _header_beside(document, target.place)
    few = list(rows) if target.records <= MOST_VARIABLES else []
    if are_columns(few):
        names = header_text or _headings(document, len(few))
        yield Table(names or None, zip_longest(*few, fillvalue=""), context, loose=True)
    elif header_text:
        yield Table(header_text, iter(few) if few else rows, context)
    else:
        rows = iter(few) if few else rows
        for content in tables(rows, context, again=lambda: _rows(document, target)):
            if isinstance(content, Table):
                content.loose = content.header is None
            yield content


def _ahead(records: Iterator[Row]) -> Iterator[Row]:
    """The records with the first ones already read, so that the header knows their variables."""
    head: list[Row] = []
    fault: Unreadable | None = None
    try:
        head.extend(islice(records, HEAD_RECORDS))
    except Unreadable as stopped:
        fault = stopped

    def rest() -> Iterator[Row]:
        yield from records
        if fault is not None:
            raise Unreadable(fault.reason)

    return chain(head, rest())


def _records(document: Document, target: Target, fields: Fields) -> Iterator[Row]:
    """Objects below the target as rows."""
    element: Place | None = None
    for place, what, text in document.walk(target):
        if element is None:
            if what == "begin" and place.parent is target.place and place.label in (ELEMENT, ANY_KEY):
                element = place
                fields.begin(place, text or "")
        elif what == "end" and place is element:
            element = None
            if any(fields.row):
                yield fields.row
        else:
            fields.heed(place, what, text or "")


def _rows(document: Document, target: Target) -> Iterator[Row]:
    """Arrays below the target as rows."""
    row: list[str] | None = None
    depth = 0
    for place, what, text in document.walk(target):
        if row is None:
            if what == "begin" and place.parent is target.place:
                row, depth = [], 1
        elif what == "begin":
            depth += 1
        elif what == "end":
            depth -= 1
            if not depth:
                yield row
                row = None
        else:
            row.append(text or "")


def _header_beside(document: Document, place: Place) -> list[str]:
    """The names of columns in a list beside the rows, as in {"columns": [...], "data": [[...]]}."""
    beside = place.parent.members if place.parent is not None else {}
    for key in _HEADER_KEYS:
        names = beside.get(key)
        if names is not None and set(names.members) == {ELEMENT} and names.members[ELEMENT].scalars:
            element = names.members[ELEMENT]
            found = [text or "" for at, what, text in document.walk() if what == "value" and at is element]
            return found[:16_384]
    return []


def _headings(document: Document, count: int) -> list[str]:
    """So many header cells of a piece of a page among the values: what a table on a page is drawn from."""
    pages = (text for _, what, text in document.walk() if what == "value" and text and "<th" in text)
    return next((names for page in pages if len(names := _HEADING.findall(page)) == count), [])


def _by_columns(document: Document, target: Target) -> Iterator[Row]:
    """Lists that are columns, turned into rows; they must be kept until all are there."""
    columns: dict[Place, list[str]] = {column: [] for column in columns_of(target.place)}
    cells = chars = 0
    full = False
    for place, what, text in document.walk():
        column = columns.get(place.parent) if what == "value" and place.parent is not None else None
        if column is not None and not full:
            column.append(text or "")
            cells += 1
            chars += len(text or "")
            full = cells > MAX_COLUMN_CELLS or chars > MAX_COLUMN_CHARS
    yield from zip_longest(*columns.values(), fillvalue="")
    if full:
        raise Unreadable(Reason.LIMIT_MEMORY)


def _rest(document: Document, done: set[Place]) -> Iterator[str]:
    """All values that are in no table, as "name: value" lines."""
    told: dict[Place, bool] = {}
    is_table: dict[Place, bool] = {}
    for place, what, text in document.walk():
        if what != "value" or not text:
            continue
        if place not in told:
            told[place] = not _is_covered(place, done, is_table)
        if told[place]:
            name = place.path()
            yield f"{name}: {text}" if name else text


def _is_covered(place: Place, done: set[Place], is_table: dict[Place, bool]) -> bool:
    """Whether the nearest table above a value was handed out; `is_table` keeps what was looked up."""
    above = place.parent
    while above is not None:
        if above in done:
            return True
        if above not in is_table:
            is_table[above] = target_at(above) is not None
        if is_table[above]:
            return False
        above = above.parent
    return False
