"""Columnar files: Parquet, Feather 2, Arrow streams, ORC by pyarrow (schema, then batches); Feather 1."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO

from detectors.engine.faults import PARSER_FAULTS
from detectors.engine.feather_1 import Feather1
from detectors.engine.streams import read_at, size_of
from detectors.engine.table import Budget, Content, Protected, ReadLimits, Row, Table, Unreadable
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset(
    {
        "application/vnd.apache.parquet",
        "application/vnd.apache.arrow.file",
        "application/vnd.apache.arrow.stream",
        "application/x-feather",
        "application/x-orc",
    }
)
HEAVY = ("pyarrow", "pyarrow.parquet", "pyarrow.ipc", "pyarrow.orc")

BATCH_ROWS = 2_000
BATCH_CELLS = 200_000
MAX_LABEL_CHARS = 200
MAX_GROUP_BYTES = 192 * 1024**2
"""A row group, stripe or batch that says it is larger when unpacked is not opened."""


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield the one table of the file; where some of its columns are encrypted, a table of the others."""
    if read_at(stream, 0, 4) == b"FEA1":
        file = Feather1(stream, limits)
        yield Table(file.names, file.rows(), rows_total=file.length)
        return
    import pyarrow

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    schema, batches, total, locked = _open(stream)
    if locked and not len(schema):
        yield Protected("parquet_encrypted", strong=True)
        return
    try:
        columns = list(islice(_leaves(schema), limits.max_columns + 1))
        labels = {i: label for i, (_, field) in enumerate(columns) if (label := _label(field))}
    except (*PARSER_FAULTS, pyarrow.ArrowException):
        raise Unreadable(Reason.MALFORMED) from None
    header = [name for name, _ in columns]
    if len(header) > limits.max_columns:
        raise Unreadable(Reason.LIMIT_COLUMNS)
    rows = _rows(batches, limits, limits.spending())
    yield Table(header, rows, labels=labels, rows_total=total)
    if locked:
        yield Protected("parquet_encrypted", strong=True)


def _open(stream: BinaryIO) -> tuple[Any, Iterator[Any], int | None, bool]:
    """Schema, batches (lazily), number of rows where it is stated, whether encrypted columns are left out."""
    import pyarrow
    from pyarrow import ipc, orc, parquet

    head = read_at(stream, 0, 8)
    stream.seek(0)
    try:
        if head.startswith(b"PAR1"):
            file = parquet.ParquetFile(stream, pre_buffer=False, buffer_size=256 * 1024)
            names = _clear_columns(file)
            if names is None:
                return file.schema_arrow, _parquet(file, None), file.metadata.num_rows, False
            schema = pyarrow.schema([field for field in file.schema_arrow if field.name in names])
            return schema, _parquet(file, names), file.metadata.num_rows, True
        if head.startswith(b"ORC"):
            reader = orc.ORCFile(stream)
            return reader.schema, _orc(reader, size_of(stream)), reader.nrows, False
        if head.startswith(b"ARROW1"):
            opened = ipc.open_file(stream, options=ipc.IpcReadOptions(use_threads=False))
            return opened.schema, (opened.get_batch(i) for i in range(opened.num_record_batches)), None, False
        flowing = ipc.open_stream(stream, options=ipc.IpcReadOptions(use_threads=False))
        return flowing.schema, iter(flowing), None, False
    except (*PARSER_FAULTS, pyarrow.ArrowException) as fault:
        large = "size limit" in str(fault)  # thrift's own bound on what a footer may hold
        raise Unreadable(Reason.LIMIT_COLUMNS if large else Reason.MALFORMED) from None


def _clear_columns(file: Any) -> list[str] | None:
    """The columns that can be read without a key; None if none needs one (Parquet modular encryption)."""

    def needs_key(names: list[str] | None) -> bool:
        try:
            next(file.iter_batches(1, row_groups=[0], columns=names, use_threads=False), None)
        except OSError as fault:
            return "decrypt" in str(fault).lower()
        return False

    if not file.metadata.num_row_groups or not needs_key(None):
        return None
    return [name for name in file.schema_arrow.names if not needs_key([name])]


def _parquet(file: Any, names: list[str] | None) -> Iterator[Any]:
    width = max(1, len(file.schema_arrow.names))
    rows = max(1, min(BATCH_ROWS, BATCH_CELLS // width))
    for group in range(file.metadata.num_row_groups):
        # an encrypted column's own metadata must not be asked for: that ends the process
        if file.metadata.row_group(group).total_byte_size > 8 * MAX_GROUP_BYTES:
            raise Unreadable(Reason.LIMIT_MEMORY)
        yield from file.iter_batches(rows, row_groups=[group], columns=names, use_threads=False)


def _orc(reader: Any, size: int) -> Iterator[Any]:
    for stripe in range(reader.nstripes):
        if size > 2 * MAX_GROUP_BYTES and reader.nstripes == 1:
            raise Unreadable(Reason.LIMIT_MEMORY)
        yield reader.read_stripe(stripe)


def _leaves(schema: Any) -> Iterator[tuple[str, Any]]:
    """Columns as they will be printed: a struct's members one by one, one level deep."""
    import pyarrow

    for field in schema:
        if pyarrow.types.is_struct(field.type):
            for inner in field.type:
                yield f"{field.name}.{inner.name}", inner
        else:
            yield field.name, field


def _label(field: Any) -> str:
    for key in (b"label", b"description", b"comment"):
        value = (field.metadata or {}).get(key)
        if value:
            return str(value[:MAX_LABEL_CHARS].decode("utf-8", "replace"))
    return ""


def _rows(batches: Iterator[Any], limits: ReadLimits, budget: Budget) -> Iterator[Row]:
    import pyarrow

    while True:
        try:
            batch = next(batches, None)
            if batch is not None:
                batch.validate(full=True)  # offsets that point outside would be followed
        except MemoryError:
            raise Unreadable(Reason.LIMIT_MEMORY) from None
        except (*PARSER_FAULTS, pyarrow.ArrowException):
            raise Unreadable(Reason.MALFORMED) from None
        if batch is None:
            return
        budget.expand(batch.nbytes)
        for start in range(0, batch.num_rows, BATCH_ROWS):
            part = batch.slice(start, BATCH_ROWS)
            try:
                columns = list(_columns(part, limits))
            except (*PARSER_FAULTS, pyarrow.ArrowException):
                raise Unreadable(Reason.MALFORMED) from None
            yield from zip(*columns, strict=True)


def _columns(batch: Any, limits: ReadLimits) -> Iterator[list[str]]:
    import pyarrow

    for field, column in zip(batch.schema, batch.columns, strict=True):
        if pyarrow.types.is_struct(field.type):
            for inner in column.flatten():
                yield _texts(inner, limits)
        else:
            yield _texts(column, limits)


def _texts(column: Any, limits: ReadLimits) -> list[str]:
    """A column's values as text: dates in ISO form, categories by their names, bytes as Latin-1 text."""
    most = limits.max_cell_chars
    cells: list[str] = []
    for value in column.to_pylist():
        if value is None or value != value:
            cells.append("")
            continue
        text = value if type(value) is str else _text(value)
        if len(text) > most:
            raise Unreadable(Reason.LIMIT_CELL)
        cells.append(text)
    return cells


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
    if isinstance(value, list):
        return "; ".join(map(str, value[:50]))
    return str(value).removesuffix(" 00:00:00")
