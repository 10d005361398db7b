"""R's rds and RData files: data frames, matrices and vectors wherever they lie in the object."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from io import BufferedReader, RawIOBase
from itertools import islice
from typing import BinaryIO, cast

from detectors.engine import r_serial
from detectors.engine.r_serial import NA_INTEGER, RObject, RReader
from detectors.engine.streams import read_at
from detectors.engine.table import Content, ReadLimits, Row, Table, Text, Unreadable
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/x-r-rds", "application/x-r-rdata"})
MAX_DEPTH = 40
MAX_LABEL_CHARS = 200
_VECTORS = (r_serial.LOGICAL, r_serial.INTEGER, r_serial.REAL, r_serial.STRINGS)

_ABOUT = frozenset({"dim", "dimnames", "names", "row.names", "class", "levels", "labels"})

Column = Callable[[int], str]


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield each table of the object, then its loose strings as `Text`. The stream is unpacked already."""
    head = read_at(stream, 0, 5)
    stream.seek(5 if head in (b"RDX2\n", b"RDX3\n", b"RDB2\n", b"RDB3\n") else 0)
    buffered = BufferedReader(cast(RawIOBase, stream), 1 << 16)
    try:
        whole = RReader(cast(BinaryIO, buffered), limits.spending()).read()
    finally:
        buffered.detach()
    texts: list[str] = []
    yield from _tables(whole, "", limits, texts, 0)
    if texts:
        yield Text(iter(texts))


def _tables(found: RObject, name: str, limits: ReadLimits, texts: list[str], depth: int) -> Iterator[Content]:
    """The tables in an object and below it."""
    if depth > MAX_DEPTH:
        raise Unreadable(Reason.LIMIT_DEPTH)
    context = [name[:MAX_LABEL_CHARS]] if name else []
    if _is_frame(found):
        yield _frame(found, context, limits)
        return
    shape = found.attributes.get("dim")
    if found.kind in _VECTORS and shape is not None and len(shape) == 2:
        yield _matrix(found, shape, context, limits)
    elif found.kind == r_serial.STRINGS and len(found) < 3:
        texts.extend(text for text in found.strings() if text)
    elif found.kind in _VECTORS and len(found) >= 2:
        column = _column(found)
        yield Table([name] if name else None, ([column(i)] for i in range(len(found))), context)
    names = found.names or found.attribute("names")
    for i, member in enumerate(found.objects()):
        yield from _tables(member, names[i] if i < len(names) else "", limits, texts, depth + 1)
    for key, member in found.attributes.items():
        if key not in _ABOUT and member.kind in (r_serial.LIST, r_serial.S4):
            yield from _tables(member, key, limits, texts, depth + 1)


def _is_frame(found: RObject) -> bool:
    """A data frame, or a list of named vectors of one length, which is a table all the same."""
    if found.kind != r_serial.LIST or not len(found):
        return False
    if "data.frame" in found.attribute("class"):
        return True
    columns = found.objects()
    lengths = {len(column) for column in columns}
    alike = all(column.kind in _VECTORS for column in columns) and len(lengths) == 1 and lengths.pop() >= 2
    return alike and len(columns) >= 2 and len(found.attribute("names")) == len(columns)


def _frame(found: RObject, context: list[str], limits: ReadLimits) -> Table:
    columns = found.objects()
    header = found.attribute("names")
    header += [""] * (len(columns) - len(header))
    if len(columns) > limits.max_columns:
        raise Unreadable(Reason.LIMIT_COLUMNS)
    labels: dict[int, str] = {}
    value_labels: dict[int, list[str]] = {}
    row_names = found.attributes.get("row.names")
    if row_names is not None and _are_names(row_names.strings()):
        columns, header = [row_names, *columns], ["", *header]
    for i, column in enumerate(columns):
        label = column.attribute("label")
        if label and label[0]:
            labels[i] = label[0][:MAX_LABEL_CHARS]
        coded = column.attributes.get("labels")
        if coded is not None and coded.attribute("names"):
            value_labels[i] = [text[:MAX_LABEL_CHARS] for text in coded.attribute("names")[:60]]
    count = max(map(len, columns), default=0)
    return Table(header, _rows(columns, count, limits), context, labels, value_labels, count)


def _are_names(row_names: list[str]) -> bool:
    """Whether rows have names, not just numbers that count them."""
    return bool(row_names) and any(name != str(i + 1) for i, name in enumerate(row_names))


def _matrix(found: RObject, shape: RObject, context: list[str], limits: ReadLimits) -> Table:
    height, width = (int(x) for x in islice(shape.values or (), 2) if isinstance(x, int | float))
    if width > limits.max_columns:
        raise Unreadable(Reason.LIMIT_COLUMNS)
    if height < 0 or width < 0 or height * width != len(found):
        raise Unreadable(Reason.MALFORMED)
    cell = _column(found)
    names = found.attributes.get("dimnames")
    sides = [side.strings() for side in names.objects()] if names is not None else []
    row_names = sides[0] if sides and len(sides[0]) == height else []
    header = sides[1] if len(sides) > 1 and len(sides[1]) == width else None
    if header is not None and row_names:
        header = ["", *header]

    def rows() -> Iterator[Row]:
        for i in range(height):
            row = [cell(i + j * height) for j in range(width)]
            yield [row_names[i], *row] if row_names else row

    return Table(header, rows(), context, rows_total=height)


def _rows(columns: list[RObject], count: int, limits: ReadLimits) -> Iterator[Row]:
    cells = [(_column(column), len(column)) for column in columns]
    most = limits.max_cell_chars
    for i in range(count):
        row = [cell(i) if i < length else "" for cell, length in cells]
        if any(len(text) > most for text in row):
            raise Unreadable(Reason.LIMIT_CELL)
        yield row


def _column(column: RObject) -> Column:
    """How the n-th value of a vector reads."""
    values = column.values
    if values is None:
        return lambda i: ""
    kinds = column.attribute("class")
    if column.kind == r_serial.STRINGS:
        return lambda i: cast(str, values[i]) or ""
    if column.kind == r_serial.LIST:
        return lambda i: _joined(cast(RObject, values[i]))
    levels = column.attribute("levels")
    if "factor" in kinds and levels:
        return lambda i: levels[code - 1] if 0 < (code := cast(int, values[i])) <= len(levels) else ""
    if "Date" in kinds or "POSIXct" in kinds:
        unit = 1 if "POSIXct" in kinds else 86_400
        return lambda i: _moment(cast(float, values[i]), unit)
    if column.kind == r_serial.LOGICAL:
        return lambda i: {0: "FALSE", NA_INTEGER: ""}.get(cast(int, values[i]), "TRUE")
    return lambda i: _number(cast(float, values[i]))


def _joined(member: RObject) -> str:
    cell = _column(member)
    return "; ".join(cell(i) for i in range(min(len(member), 20)))


def _number(value: float) -> str:
    if value == NA_INTEGER or value != value:
        return ""
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else f"{value:.12g}"


def _moment(value: float, unit: int) -> str:
    if value != value or value == NA_INTEGER:
        return ""
    try:
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=value * unit)
    except (OverflowError, ValueError):
        return _number(value)
    return moment.isoformat(" ", "seconds").removesuffix(" 00:00:00")
