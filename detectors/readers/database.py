"""SQLite databases and their write-ahead logs, read from memory, because a worker can open no path."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import chain, groupby
from typing import BinaryIO

from detectors.engine.sqlite_pages import Log
from detectors.engine.streams import read_at, size_of
from detectors.engine.table import Content, ReadLimits, Row, Table, Unreadable
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/vnd.sqlite3", "application/x-sqlite-wal"})
MAX_BYTES = 128 * 1024**2
MAX_TABLES = 2_000
MAX_STEPS = 400
"""Times 100,000 instructions of SQLite that finding one row may take; a trap is slower."""

_FAULTS = (sqlite3.Error, OverflowError, ValueError)


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield each table with its rows, the hidden ones of full-text indexes left to their owners."""
    if media_type == "application/x-sqlite-wal":
        yield from _log(stream, limits)
        return
    size = size_of(stream)
    if size > MAX_BYTES:
        raise Unreadable(Reason.LIMIT_MEMORY)
    yield from _database(bytearray(read_at(stream, 0, size)), limits)


def _log(stream: BinaryIO, limits: ReadLimits) -> Iterator[Content]:
    """The database, if all of it is in its log; else the rows there are, of as many columns together."""
    log = Log(stream)
    whole = log.database(MAX_BYTES)
    if whole is not None:
        yield from _database(whole, limits)
    else:
        budget = limits.spending()
        for _, rows in groupby(log.rows(), key=len):
            budget.enter()
            first = next(rows)
            texts = ([_text(value, limits) for value in row] for row in chain([first], rows))
            yield Table(None, texts)
    if log.cut:
        raise Unreadable(Reason.MALFORMED)


def _database(data: bytearray, limits: ReadLimits) -> Iterator[Content]:
    size = len(data)
    if size < 512 or not data.startswith(b"SQLite format 3\0"):
        raise Unreadable(Reason.MALFORMED)
    if data[18:20] == b"\2\2":
        data[18:20] = b"\1\1"  # a write-ahead log cannot be opened from memory; the file itself can
    connection = sqlite3.connect(":memory:")
    try:
        try:
            connection.deserialize(data)
            del data
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA cell_size_check=ON")
            connection.text_factory = _as_text
            names = _tables(connection)
        except _FAULTS:
            raise Unreadable(Reason.MALFORMED) from None
        for name in names:
            yield from _table(connection, name, limits)
    finally:
        connection.close()


def _as_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%'"
    ).fetchmany(MAX_TABLES + 1)
    if len(found) > MAX_TABLES:
        raise Unreadable(Reason.LIMIT_ENTRIES)
    return [str(name) for (name,) in found]


def _table(connection: sqlite3.Connection, name: str, limits: ReadLimits) -> Iterator[Table]:
    quoted = '"' + name.replace('"', '""') + '"'
    try:
        cursor = connection.execute(f"SELECT * FROM {quoted}")  # noqa: S608
    except _FAULTS:
        raise Unreadable(Reason.MALFORMED) from None
    header = [str(column[0]) for column in cursor.description]
    if len(header) > limits.max_columns:
        raise Unreadable(Reason.LIMIT_COLUMNS)
    yield Table(header, _rows(connection, cursor, limits), [name[:200]])


def _rows(connection: sqlite3.Connection, cursor: sqlite3.Cursor, limits: ReadLimits) -> Iterator[Row]:
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return steps > MAX_STEPS

    connection.set_progress_handler(step, 100_000)
    while True:
        steps = 0
        try:
            rows = cursor.fetchmany(200)
        except _FAULTS:
            raise Unreadable(Reason.MALFORMED) from None
        if not rows:
            return
        for row in rows:
            yield [_text(value, limits) for value in row]


def _text(value: object, limits: ReadLimits) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value[: limits.max_cell_chars].decode("utf-8", "replace")
    text = f"{value:.12g}" if isinstance(value, float) else str(value)
    if len(text) > limits.max_cell_chars:
        raise Unreadable(Reason.LIMIT_CELL)
    return text
