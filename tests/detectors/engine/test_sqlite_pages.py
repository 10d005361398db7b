"""Write-ahead logs: a database that is all in its log, rows of single pages, broken pages."""

from __future__ import annotations

import io
import random
import sqlite3
from pathlib import Path

import pytest

from detectors.engine.sqlite_pages import Log, page_rows
from detectors.engine.table import ReadLimits, Table, Unreadable
from detectors.readers.database import read

WAL = "application/x-sqlite-wal"
ROWS = [(i, f"made up {i}", i / 4, None) for i in range(400)]


def log(folder: Path, *, emptied: bool) -> bytes:
    """The log beside a database that is still open; `emptied` once after the table was made."""
    path = folder / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=wal")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE people (id, name, pay, note)")
    connection.executemany("INSERT INTO people VALUES (?,?,?,?)", ROWS[:200])
    connection.commit()
    if emptied:
        connection.execute("PRAGMA wal_checkpoint(truncate)")
    connection.executemany("INSERT INTO people VALUES (?,?,?,?)", ROWS[200:])
    connection.commit()
    data = Path(f"{path}-wal").read_bytes()
    connection.close()
    return data


def tables(data: bytes) -> list[tuple[list[str] | None, list[list[str]]]]:
    return [
        (c.header, [list(row) for row in c.rows])
        for c in read(io.BytesIO(data), WAL, ReadLimits())
        if isinstance(c, Table)
    ]


def test_a_database_that_is_all_in_its_log_is_read_with_its_names(tmp_path: Path) -> None:
    (table,) = tables(log(tmp_path, emptied=False))
    assert table[0] == ["id", "name", "pay", "note"]
    assert [row[1] for row in table[1]] == [name for _, name, _, _ in ROWS]


def test_rows_are_taken_out_of_pages_where_the_rest_is_elsewhere(tmp_path: Path) -> None:
    rows = [row for header, found in tables(log(tmp_path, emptied=True)) for row in found if len(row) == 4]
    assert {row[1] for row in rows} >= {name for _, name, _, _ in ROWS[200:]}
    assert ["399", "made up 399", "99.75", ""] in rows


def test_damage_gives_rows_or_a_reason(tmp_path: Path) -> None:
    data, pick = log(tmp_path, emptied=True), random.Random(3)
    for _ in range(60):
        torn = bytearray(data[: pick.randrange(40, len(data))])
        for _ in range(8):
            torn[pick.randrange(32, len(torn))] = pick.randrange(256)
        try:
            tables(bytes(torn))
        except Unreadable as stopped:
            assert stopped.reason.value in ("malformed", "limit_memory", "limit_columns", "limit_cell")
    for head in (b"", data[:20], data[:8] + bytes(24)):
        with pytest.raises(Unreadable):
            Log(io.BytesIO(head))


def test_a_page_of_noise_has_no_rows_that_end_the_reader() -> None:
    pick = random.Random(5)
    for _ in range(200):
        for row in page_rows(b"\x0d" + pick.randbytes(1023)):
            assert len(row) <= 2000
