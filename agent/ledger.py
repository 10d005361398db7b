"""The ledger: what was seen, what is in custody, what must still be told.

SQLite in write-ahead mode with full synchronisation: when a verb returns, its transition is on the
disk. Each transition is one transaction and carries its audit events with it. Two are lazy: `saw`,
because a lost `seen` row costs one more judgement and nothing else, and `intend_soon`, for a file is
read and encrypted meanwhile; nothing may come of that before `write_intents`.

Any failure of the ledger is a `LedgerError`, and whoever sees one must stop the service: an agent
that cannot remember what it intends must not act.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.database import Database, Event, LedgerError, WrongState, columns
from agent.letters import Letters
from agent.memory import Memory
from agent.protocol import Identity
from agent.register import Register
from agent.schema import AlertRow, Entry, EntryState, RequestState
from agent.writer import Writer

__all__ = ["Event", "Ledger", "LedgerError", "WrongState"]

_ENTRY_BYTES = ("path", "aside")


class Ledger(Memory, Letters, Register, Database):
    """All of it; the verbs of custody are here."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None = None) -> None:
        super().__init__(connection, path)
        self._intents: list[Entry] = []

    def intend(self, entry: Entry) -> None:
        """The intent to take a file is durable before anything is done about it."""
        self.intend_soon(entry)
        self.write_intents()

    def intend_soon(self, entry: Entry) -> None:
        """The same with the next transition, at the latest by `write_intents`: unknown here until then."""
        self._intents.append(entry)

    def write_intents(self) -> None:
        """Every intent is on the disk."""
        if self._intents:
            with self._transaction():
                pass

    def _write_pending(self) -> None:
        super()._write_pending()
        for entry in self._intents:
            row = columns(entry) | {
                "path": os.fsencode(entry.path),
                "aside": os.fsencode(entry.aside),
                "identity": json.dumps(asdict(entry.identity)),
                "verdict": json.dumps(entry.verdict),
                "disposition": json.dumps(entry.disposition),
                "writer": json.dumps(asdict(entry.writer)) if entry.writer else "",
            }
            names, values = ",".join(row), ",".join(f":{name}" for name in row)
            self._db.execute(f"INSERT INTO entries ({names}) VALUES ({values})", row)  # noqa: S608

    def _pending_written(self) -> None:
        super()._pending_written()
        self._intents.clear()

    def commit_custody(self, entry: Entry, alert: AlertRow, events: Sequence[Event] = ()) -> None:
        """The file is in the vault and its alert is held; from now on the original may go."""
        with self._transaction(events) as db:
            self._move(db, entry.entry_id, (EntryState.INTENDED,), EntryState.VAULTED, {
                "sha256": entry.sha256, "size": entry.size,
                "ciphertext_sha256": entry.ciphertext_sha256, "ciphertext_size": entry.ciphertext_size,
                "aside": os.fsencode(entry.aside), "vaulted_at": entry.vaulted_at, "alert_id": alert.alert_id,
            })  # fmt: skip
            self._put_alert(db, alert, ())

    def conclude(
        self,
        entry_id: str,
        state: EntryState,
        reason: str,
        notice: bool,
        alert: AlertRow | None,
        sinks: Sequence[str],
        events: Sequence[Event] = (),
    ) -> None:
        """The removal ended one way or the other; the alert is released with what truly happened."""
        with self._transaction(events) as db:
            self._move(db, entry_id, (EntryState.VAULTED, EntryState.PUT_BACK), state, {
                "reason": reason, "notice": int(notice), "finished_at": time.time(),
            })  # fmt: skip
            if alert is not None:
                self._put_alert(db, alert, sinks)

    def revoke(
        self,
        entry_id: str,
        reason: str,
        *,
        alert: AlertRow | None = None,
        sinks: Sequence[str] = (),
        events: Sequence[Event] = (),
    ) -> None:
        """An intent that came to nothing; the original was never touched."""
        with self._transaction(events) as db:
            self._move(db, entry_id, (EntryState.INTENDED,), EntryState.REVOKED, {
                "reason": reason, "finished_at": time.time(),
            })  # fmt: skip
            if alert is not None:
                self._put_alert(db, alert, sinks)

    def lose_custody(self, entry_id: str, reason: str, events: Sequence[Event] = ()) -> None:
        """The ciphertext is gone or damaged before the removal was finished."""
        with self._transaction(events) as db:
            self._move(db, entry_id, (EntryState.VAULTED,), EntryState.PUT_BACK, {"reason": reason})

    def restored(
        self,
        entry_id: str,
        alert: AlertRow | None,
        sinks: Sequence[str],
        events: Sequence[Event] = (),
        *,
        request_id: str | None = None,
    ) -> None:
        """The content was given back; with `request_id` that release is over with it."""
        with self._transaction(events) as db:
            self._move(
                db, entry_id, (EntryState.QUARANTINED, EntryState.NOT_REMOVED, EntryState.RESTORED),
                EntryState.RESTORED, {"finished_at": time.time()},
            )  # fmt: skip
            if request_id is not None:
                self._advance(db, request_id, (RequestState.WRITTEN,), RequestState.DONE)
            if alert is not None:
                self._put_alert(db, alert, sinks)

    def disposed(
        self, entry_id: str, request_id: str, approved_by: Sequence[str], events: Sequence[Event]
    ) -> None:
        """Two people had the entry deleted: from now on its ciphertext is waste."""
        with self._transaction(events) as db:
            self._move(
                db, entry_id, (EntryState.QUARANTINED, EntryState.NOT_REMOVED, EntryState.RESTORED),
                EntryState.DISPOSED, {"finished_at": time.time()},
            )  # fmt: skip
            self._advance(
                db, request_id, (RequestState.REQUESTED,), RequestState.DONE, approved_by=approved_by
            )

    def _move(
        self,
        db: sqlite3.Connection,
        entry_id: str,
        allowed: Sequence[EntryState],
        to: EntryState,
        columns: Mapping[str, Any],
    ) -> None:
        names = "".join(f", {name} = :{name}" for name in columns)
        sql = f"UPDATE entries SET state = :to{names} WHERE entry_id = :entry_id AND {_in(allowed)}"  # noqa: S608
        done = db.execute(sql, {**columns, "to": to, "entry_id": entry_id})
        if done.rowcount != 1:
            raise WrongState(f"entry {entry_id} cannot become {to}")

    def entry(self, entry_id: str) -> Entry | None:
        rows = self._rows("SELECT * FROM entries WHERE entry_id = ?", (entry_id,))
        return _entry(rows[0]) if rows else None

    def state(self, root_id: str, entry_id: str) -> EntryState | None:
        """The state of an entry of this root; None if it has none such."""
        rows = self._rows("SELECT state FROM entries WHERE entry_id = ? AND root_id = ?", (entry_id, root_id))
        return EntryState(rows[0]["state"]) if rows else None

    def entries(
        self, *, states: Sequence[EntryState] = (), root_id: str | None = None, limit: int = -1
    ) -> list[Entry]:
        """Entries in any of `states` (all if empty), the newest first."""
        where = ["1"]
        if states:
            where.append(_in(states))
        if root_id is not None:
            where.append("root_id = :root_id")
        sql = f"SELECT * FROM entries WHERE {' AND '.join(where)}"  # noqa: S608
        sql += " ORDER BY intended_at DESC LIMIT :limit"
        return [_entry(r) for r in self._rows(sql, {"root_id": root_id, "limit": limit})]

    def entries_starting(self, start: str) -> list[Entry]:
        """Those whose id starts so; two at most are enough to know that it is not clear."""
        sql = "SELECT * FROM entries WHERE substr(entry_id, 1, ?) = ? LIMIT 2"
        return [_entry(r) for r in self._rows(sql, (len(start), start))]

    def entry_after(self, entry_id: str, states: Sequence[EntryState]) -> Entry | None:
        """The next entry in the order of ids, in any of `states`."""
        sql = f"SELECT * FROM entries WHERE entry_id > ? AND {_in(states)} ORDER BY entry_id LIMIT 1"  # noqa: S608
        rows = self._rows(sql, (entry_id,))
        return _entry(rows[0]) if rows else None

    def entry_ids(self, states: Sequence[EntryState]) -> set[str]:
        """The ids of all entries in any of `states`."""
        sql = f"SELECT entry_id FROM entries WHERE {_in(states)}"  # noqa: S608
        return {row["entry_id"] for row in self._rows(sql)}

    def entry_counts(self) -> dict[str, int]:
        """How many entries are in each state."""
        return {r[0]: r[1] for r in self._rows("SELECT state, count(*) FROM entries GROUP BY state")}

    def taken_since(self, root_id: str, since: float) -> int:
        """How many files a root has lost, or is losing, since then: what the breaker counts."""
        sql = (
            "SELECT count(*) FROM entries WHERE root_id = ? AND intended_at > ?"
            " AND state IN ('intended', 'vaulted', 'quarantined', 'restored')"
        )
        return int(self._rows(sql, (root_id, since))[0][0])


def _in(states: Sequence[EntryState]) -> str:
    return f"state IN ({','.join(repr(EntryState(s).value) for s in states)})"


def _entry(row: sqlite3.Row) -> Entry:
    plain = dict(row)
    for name in _ENTRY_BYTES:
        plain[name] = os.fsdecode(plain[name])
    plain["identity"] = Identity(**json.loads(plain["identity"]))
    plain["verdict"] = json.loads(plain["verdict"])
    plain["disposition"] = json.loads(plain["disposition"])
    plain["state"] = EntryState(plain["state"])
    plain["notice"] = bool(plain["notice"])
    plain["writer"] = Writer(**json.loads(plain["writer"])) if plain["writer"] else None
    return Entry(**plain)
