"""The part of the ledger that remembers roots and what was seen in them."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.database import Event
from agent.known_folders import KnownFolders
from agent.protocol import Identity
from agent.schema import RootRow
from agent.standing import HELD, Seen, Standing

_SEEN_PENDING_MOST = 500
_HELD = f"standing IN ({Standing.OLD:d}, {Standing.RELEASED:d}) AND disposition = 'detected'"


class Memory(KnownFolders):
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
                "INSERT INTO roots (root_id, path, zone, handling, volume, attached_at, contact)"
                " VALUES (?,?,?,?,?,?,?)"
                " ON CONFLICT (root_id) DO UPDATE SET path = excluded.path, zone = excluded.zone,"
                " handling = excluded.handling, volume = excluded.volume,"
                " attached_at = excluded.attached_at, detached_at = NULL,"
                " contact = CASE contact WHEN '{}' THEN excluded.contact ELSE contact END",
                (root.root_id, os.fsencode(root.path), root.zone, root.handling,
                 json.dumps(root.volume), root.attached_at, json.dumps({"since": root.attached_at})),
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
        examined, or waits for a person, and was not met since `started_at`, is there no more and no
        longer counts. The first complete one ends the first contact."""
        self.flush()
        with self._transaction() as db:
            if all_met:
                db.execute(
                    "DELETE FROM seen WHERE root_id = ? AND judged_at < ?"  # noqa: S608
                    f" AND (outcome = 'unreadable' OR {_HELD})",
                    (root_id, swept["started_at"]),
                )
            db.execute("UPDATE roots SET swept = ? WHERE root_id = ?", (json.dumps(dict(swept)), root_id))
            if swept.get("complete"):
                db.execute(
                    "UPDATE roots SET contact = json_set(contact, '$.ended', ?)"
                    " WHERE root_id = ? AND json_extract(contact, '$.ended') IS NULL",
                    (time.time(), root_id),
                )

    def root(self, root_id: str) -> RootRow | None:
        return next((r for r in self.roots() if r.root_id == root_id), None)

    def roots(self) -> list[RootRow]:
        return [
            RootRow(
                **{**dict(r), "path": os.fsdecode(r["path"]),
                   "volume": json.loads(r["volume"]), "swept": json.loads(r["swept"]),
                   "contact": json.loads(r["contact"])}
            )
            for r in self._rows("SELECT * FROM roots ORDER BY attached_at")
        ]  # fmt: skip

    # -- seen

    def unseen(self, root_id: str, files: Sequence[Identity], digest: str) -> list[int]:
        """The indexes of those files that have not been judged as they are now under `digest`."""
        return self.meet(root_id, files, digest)[0]

    def meet(self, root_id: str, files: Sequence[Identity], digest: str) -> tuple[list[int], bool]:
        """The indexes of those files that have not been judged as they are now under `digest`, and
        whether all are quiet: none of those, and none that counts only as long as it is met."""
        needed = []
        quiet = True
        for index, file in enumerate(files):
            row = self._seen(root_id, file.relpath)
            if row is None or row[2:4] != (_version(file), digest):
                needed.append(index)
            if row is not None and (row[4] == "unreadable" or _is_held(row)):
                self._seen_pending[root_id, row[1]] = (*row[:7], time.time(), row[8])  # it is still there
                quiet = False
        return needed, quiet and not needed

    def _seen(self, root_id: str, name: str) -> tuple[Any, ...] | None:
        relpath = os.fsencode(name)
        row = self._seen_pending.get((root_id, relpath))
        if row is None:
            rows = self._rows("SELECT * FROM seen WHERE root_id = ? AND relpath = ?", (root_id, relpath))
            row = tuple(rows[0]) if rows else None
        return row

    def seen(self, root_id: str, relpath: str) -> Seen | None:
        """What is remembered of a name, whatever version of it was judged."""
        row = self._seen(root_id, relpath)
        if row is None:
            return None
        _, _, size, mtime_ns, ctime_ns = map(int, row[2].split(":"))
        return Seen(size, mtime_ns, ctime_ns, row[4], Standing(row[8]))

    def saw(
        self,
        root_id: str,
        file: Identity,
        digest: str,
        outcome: str,
        reason: str,
        disposition: str,
        standing: Standing = Standing.NEW,
    ) -> None:
        """Remember a judgement, lazily: it is written with the next transition or `flush`."""
        relpath = os.fsencode(file.relpath)
        self.doubt_folder(root_id, file.relpath)
        self._seen_pending[root_id, relpath] = (
            root_id, relpath, _version(file), digest, outcome, reason, disposition, time.time(), int(standing)
        )  # fmt: skip
        if len(self._seen_pending) >= _SEEN_PENDING_MOST:
            self.flush()

    def forget(self, root_id: str, relpath: str) -> None:
        """Have a file judged again, whatever is remembered."""
        with self._transaction() as db:
            self.doubt_folder(root_id, relpath)
            self._seen_pending.pop((root_id, os.fsencode(relpath)), None)
            db.execute("DELETE FROM seen WHERE root_id = ? AND relpath = ?", (root_id, os.fsencode(relpath)))

    def flush(self) -> None:
        if self._seen_pending or self._folders_pending:
            with self._transaction():
                pass

    def _write_pending(self) -> None:
        super()._write_pending()
        self._db.executemany(
            "INSERT OR REPLACE INTO seen VALUES (?,?,?,?,?,?,?,?,?)", self._seen_pending.values()
        )

    def _pending_written(self) -> None:
        super()._pending_written()
        self._seen_pending.clear()

    def not_examined(self, root_id: str) -> dict[str, int]:
        """How many files of a root were judged unreadable, by reason."""
        self.flush()
        sql = (
            "SELECT reason, count(*) AS n FROM seen WHERE root_id = ? AND outcome = 'unreadable'"
            " GROUP BY reason"
        )
        return {r["reason"]: r["n"] for r in self._rows(sql, (root_id,))}

    def file_count(self, root_id: str, taken: int) -> int:
        """How many files a root has, as far as is on the disk: those of its last sweep, or those judged
        and left and the `taken` ones, whichever is more."""
        judged = self._rows("SELECT count(*) AS n FROM seen WHERE root_id = ?", (root_id,))[0]["n"]
        rows = self._rows("SELECT swept FROM roots WHERE root_id = ?", (root_id,))
        swept = json.loads(rows[0]["swept"]).get("files", 0) if rows else 0
        return max(int(swept), int(judged) + taken)

    def judge_again(self, root_id: str) -> None:
        """Have all that was found and left in a root judged again by the next sweep."""
        self.flush()
        with self._transaction() as db:
            db.execute(
                "UPDATE seen SET digest = '' WHERE root_id = ? AND disposition = 'detected'", (root_id,)
            )

    # -- first contact

    def contact(self, root_id: str) -> dict[str, Any]:
        """How the first contact with a root stands: see `RootRow.contact`."""
        rows = self._rows("SELECT contact FROM roots WHERE root_id = ?", (root_id,))
        found: dict[str, Any] = json.loads(rows[0]["contact"]) if rows else {}
        return found

    def held(self, root_id: str) -> dict[str, int]:
        """How many old files of a root wait for a person, by outcome."""
        self.flush()
        sql = f"SELECT outcome, count(*) AS n FROM seen WHERE root_id = ? AND {_HELD} GROUP BY outcome"  # noqa: S608
        return {r["outcome"]: r["n"] for r in self._rows(sql, (root_id,))}

    def decide_old(
        self, root_id: str, to: Standing, since: float | None, before: float | None, by: str, event: Event
    ) -> int:
        """A person has decided about old files of a root, all of them or those last modified in a span
        of time. Those that wait are judged again; how many there are."""
        self.flush()
        standings = [Standing.OLD, Standing.RELEASED]
        if to is Standing.RELEASED:  # what was accepted can be enforced after all
            standings.append(Standing.ACCEPTED)
        span = f"root_id = ? AND standing IN ({','.join(str(int(s)) for s in standings)})"
        values: list[Any] = [root_id]
        for limit, sign in ((since, ">="), (before, "<")):
            if limit is not None:
                span += f" AND modified(version) {sign} ?"
                values.append(limit)
        self._db.create_function("modified", 1, lambda v: int(v.split(":")[3]) / 1e9, deterministic=True)
        with self._transaction() as db:
            waiting = db.execute(
                f"UPDATE seen SET standing = ?, digest = '' WHERE {span} AND disposition = 'detected'",  # noqa: S608
                [to, *values],
            ).rowcount
            db.execute(f"UPDATE seen SET standing = ? WHERE {span}", [to, *values])  # noqa: S608
            decision: dict[str, Any] = {"accepted_by": by} if to is Standing.ACCEPTED else {}
            if to is Standing.RELEASED and since is None and before is None:
                decision["enforced"] = True
            db.execute(
                "UPDATE roots SET contact = json_patch(contact, ?) WHERE root_id = ?",
                (json.dumps(decision), root_id),
            )
            self._queue([{**event, "files": waiting}])
        return int(waiting)


def _is_held(row: tuple[Any, ...]) -> bool:
    return row[8] in HELD and row[6] == "detected"


def _version(file: Identity) -> str:
    """Which version of a file, as text: inode numbers and times can be larger than SQLite's integers."""
    return f"{file.dev}:{file.ino}:{file.size}:{file.mtime_ns}:{file.ctime_ns}"
