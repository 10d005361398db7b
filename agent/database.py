"""The ledger's file: opening, checking, migrating it, and its transactions."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from agent.schema import MIGRATIONS

Event = dict[str, Any]
"""An audit event: `event` and whatever tells it; the audit log adds number, time and chain."""


class LedgerError(Exception):
    """The ledger cannot be read or written; nothing may be removed from anywhere any more."""


class WrongState(LedgerError):
    """A transition was asked for that the entry's state does not allow."""


class Database:
    """One connection. `open` is the supervisor's only one; `read_only` gives another process a view."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None) -> None:
        self._db = connection
        self._path = path
        self._file = _number(path) if path else None
        self._db.row_factory = sqlite3.Row

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the ledger, bring it to the newest version, and check that it is whole."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            db = sqlite3.connect(path, isolation_level=None, timeout=10.0)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                db.execute(f"PRAGMA {pragma}")
            if (fault := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise LedgerError(f"the ledger {path} is damaged: {fault}")
            _migrate(db, path)
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(f"the ledger {path} cannot be opened: {error}") from error
        return cls(db, path)

    @classmethod
    def read_only(cls, path: Path) -> Self:
        """A view for the command line; sees what is committed, writes nothing."""
        try:
            db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
            if _version(db) != len(MIGRATIONS):
                raise LedgerError(f"the ledger {path} is of another version of recordwarden")
        except sqlite3.Error as error:
            raise LedgerError(f"the ledger {path} cannot be read: {error}") from error
        return cls(db)

    def flush(self) -> None:
        """Write what waits for the next transaction."""

    def check_in_place(self) -> None:
        """Raises `LedgerError` if the file was deleted or replaced: what is written would be lost."""
        if self._path is not None and _number(self._path) != self._file:
            raise LedgerError(f"the ledger {self._path} was removed or replaced while the service ran")

    @property
    def written(self) -> int:
        """How many rows were written so far; what is pending does not count."""
        return self._db.total_changes

    def close(self) -> None:
        self.flush()
        self._db.close()

    # -- plumbing

    def _write_pending(self) -> None:
        """Lazy rows go with whatever transaction comes next."""

    def _pending_written(self) -> None:
        """They are on the disk."""

    @contextmanager
    def _transaction(self, events: Sequence[Event] = ()) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._queue(events)
                self._write_pending()
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise LedgerError(f"the ledger cannot be written: {error}") from error
        self._pending_written()

    def _queue(self, events: Sequence[Event]) -> None:
        for event in events:
            told = json.dumps({"time": time.time(), **event})
            self._db.execute("INSERT INTO audit_queue (event) VALUES (?)", (told,))

    def _rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise LedgerError(f"the ledger cannot be read: {error}") from error

    # -- meta

    def meta(self, key: str) -> str | None:
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0]["value"] if rows else None

    def set_meta(self, key: str, value: str, events: Sequence[Event] = ()) -> None:
        with self._transaction(events) as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def forget_meta(self, key: str) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM meta WHERE key = ?", (key,))

    # -- audit

    def queue_audit(self, events: Sequence[Event]) -> None:
        with self._transaction(events):
            pass

    def audit_waiting(self) -> list[tuple[int, Event]]:
        """Events that are committed but perhaps not yet in the audit log, in order."""
        return [
            (r["number"], json.loads(r["event"]))
            for r in self._rows("SELECT * FROM audit_queue ORDER BY number")
        ]

    def audited(self, number: int, head: Mapping[str, str]) -> None:
        """All events up to this one are in the audit log, whose head goes into `meta`."""
        with self._transaction() as db:
            db.execute("DELETE FROM audit_queue WHERE number <= ?", (number,))
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", head.items())


def columns(row: Any) -> dict[str, Any]:
    """A dataclass by its fields; `asdict` would copy a verdict or a record value by value."""
    return {f.name: getattr(row, f.name) for f in fields(row)}


def _number(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    version = _version(db)
    if version > len(MIGRATIONS):
        raise LedgerError(f"the ledger {path} is of a newer version of recordwarden")
    for number, sql in enumerate(MIGRATIONS[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {sql}; PRAGMA user_version = {number}; COMMIT;")
