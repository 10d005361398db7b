"""SQLite: every table, from memory, whatever mode the file was left in."""

from __future__ import annotations

import io
import sqlite3

import pytest

from detectors.engine.table import ReadLimits, Row, Table, Unreadable
from detectors.readers import database
from detectors.readers.database import read


def made(*statements: str) -> bytes:
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    return connection.serialize()


def found(data: bytes) -> list[tuple[Table, list[Row]]]:
    kept = []
    for content in read(io.BytesIO(data), "application/vnd.sqlite3", ReadLimits()):
        assert isinstance(content, Table)
        kept.append((content, list(content.rows)))
    return kept


PEOPLE = (
    "CREATE TABLE people (id, name, pay)",
    "INSERT INTO people VALUES (1, 'Ann', 1.5), (2, NULL, x'4142')",
)


def test_every_table_is_read_with_its_name() -> None:
    kept = found(made(*PEOPLE, 'CREATE TABLE "odd ""name" (a)', 'INSERT INTO "odd ""name" VALUES (7)'))
    assert [(t.context, t.header) for t, _ in kept] == [
        (["people"], ["id", "name", "pay"]),
        (['odd "name'], ["a"]),
    ]
    assert kept[0][1] == [["1", "Ann", "1.5"], ["2", "", "AB"]]


def test_a_database_left_in_wal_mode_is_read() -> None:
    data = bytearray(made(*PEOPLE))
    data[18:20] = b"\2\2"
    assert len(found(bytes(data))[0][1]) == 2


def test_text_that_is_no_utf8_is_read() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a)")
    connection.execute("INSERT INTO t VALUES (CAST(x'e9e8' AS TEXT))")
    connection.commit()
    assert len(found(connection.serialize())[0][1]) == 1


def test_a_database_that_is_too_large_for_memory_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_BYTES", 100)
    with pytest.raises(Unreadable, match="limit_memory"):
        found(made(*PEOPLE))


def test_a_view_that_never_ends_does_not_hold_the_worker() -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    assert [t.context for t, _ in found(made(*PEOPLE, f"CREATE VIEW trap AS {endless}"))] == [["people"]]
