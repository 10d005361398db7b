"""The part of the ledger that remembers roots and what was seen in them."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.database import Database
from agent.protocol import Identity
from agent.schema import RootRow

_SEEN_PENDING_MOST = 500


class Memory(Database):
    """Roots, sweeps and judgements. `saw` is lazy; all else is on the disk when it returns."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None) -> None:
        super().__init__(connection, path)
        self._seen_pending: dict[tuple[str, bytes], tuple[Any, ...]] = {}

    # -- roots

    def attach(self, root: RootRow) -> None:
        """A root is being watched (again)."""
        event = {"event": "root_attached", "root": root.root_id, "path": root.path, "volume": root.volume}
        with self._transaction([event]) as db:
            db.execute(
                "INSERT INTO roots (root_id, path, zone, handling, volume, attached_at) VALUES (?,?,?,?,?,?)"
                " ON CONFLICT (root_id) DO UPDATE SET path = excluded.path, zone = excluded.zone,"
                " handling = excluded.handling, volume = excluded.volume,"
                " attached_at = excluded.attached_at, detached_at = NULL",
                (root.root_id, os.fsencode(root.path), root.zone, root.handling,
                 json.dumps(root.volume), root.attached_at),
            )  # fmt: skip

    def know(self, root: RootRow) -> None:
        """A root that is no place to watch, so that alerts can be about it; known already is well."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO roots (root_id, path, zone, handling, volume, attached_at)"
                " VALUES (?,?,?,?,?,?)",
                (root.root_id, os.fsencode(root.path), root.zone, root.handling,
                 json.dumps(root.volume), root.attached_at),
            )  # fmt: skip

    def detach(self, root_id: str, at: float) -> None:
        with self._transaction([{"event": "root_detached", "root": root_id}]) as db:
            db.execute("UPDATE roots SET detached_at = ? WHERE root_id = ?", (at, root_id))

    def swept(self, root_id: str, swept: Mapping[str, Any], *, all_met: bool = False) -> None:
        """A sweep has ended. With `all_met` it came across every file that there is: what could not be
        examined, and was not met since `started_at`, is there no more and no longer counts."""
        self.flush()
        with self._transaction() as db:
            if all_met:
                db.execute(
                    "DELETE FROM seen WHERE root_id = ? AND outcome = 'unreadable' AND judged_at < ?",
                    (root_id, swept["started_at"]),
                )
            db.execute("UPDATE roots SET swept = ? WHERE root_id = ?", (json.dumps(dict(swept)), root_id))

    def root(self, root_id: str) -> RootRow | None:
        return next((r for r in self.roots() if r.root_id == root_id), None)

    def roots(self) -> list[RootRow]:
        return [
            RootRow(
                **{**dict(r), "path": os.fsdecode(r["path"]),
                   "volume": json.loads(r["volume"]), "swept": json.loads(r["swept"])}
            )
            for r in self._rows("SELECT * FROM roots ORDER BY attached_at")
        ]  # fmt: skip

    # -- seen

    def unseen(self, root_id: str, files: Sequence[Identity], digest: str) -> list[int]:
        """The indexes of those files that have not been judged as they are now under `digest`."""
        needed = []
        for index, file in enumerate(files):
            relpath = os.fsencode(file.relpath)
            row = self._seen_pending.get((root_id, relpath))
            if row is None:
                rows = self._rows("SELECT * FROM seen WHERE root_id = ? AND relpath = ?", (root_id, relpath))
                row = tuple(rows[0]) if rows else None
            if row is None or row[2:4] != (_version(file), digest):
                needed.append(index)
            if row is not None and row[4] == "unreadable":
                self._seen_pending[root_id, relpath] = (*row[:7], time.time())  # it is still there
        return needed

    def saw(
        self, root_id: str, file: Identity, digest: str, outcome: str, reason: str, disposition: str
    ) -> None:
        """Remember a judgement, lazily: it is written with the next transition or `flush`."""
        relpath = os.fsencode(file.relpath)
        self._seen_pending[root_id, relpath] = (
            root_id, relpath, _version(file), digest, outcome, reason, disposition, time.time()
        )  # fmt: skip
        if len(self._seen_pending) >= _SEEN_PENDING_MOST:
            self.flush()

    def forget(self, root_id: str, relpath: str) -> None:
        """Have a file judged again, whatever is remembered."""
        with self._transaction() as db:
            self._seen_pending.pop((root_id, os.fsencode(relpath)), None)
            db.execute("DELETE FROM seen WHERE root_id = ? AND relpath = ?", (root_id, os.fsencode(relpath)))

    def flush(self) -> None:
        if self._seen_pending:
            with self._transaction():
                pass

    def _write_pending(self) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO seen VALUES (?,?,?,?,?,?,?,?)", self._seen_pending.values()
        )

    def _pending_written(self) -> None:
        self._seen_pending.clear()

    def not_examined(self, root_id: str) -> dict[str, int]:
        """How many files of a root were judged unreadable, by reason."""
        self.flush()
        sql = (
            "SELECT reason, count(*) AS n FROM seen WHERE root_id = ? AND outcome = 'unreadable'"
            " GROUP BY reason"
        )
        return {r["reason"]: r["n"] for r in self._rows(sql, (root_id,))}


def _version(file: Identity) -> str:
    """Which version of a file, as text: inode numbers and times can be larger than SQLite's integers."""
    return f"{file.dev}:{file.ino}:{file.size}:{file.mtime_ns}:{file.ctime_ns}"
