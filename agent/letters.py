"""The part of the ledger that holds alerts, where each must still go, and what was decided about it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Collection, Sequence
from typing import Any

from agent.database import Database, Event, columns
from agent.schema import HEARTBEAT, AlertRow, AlertState, Delivery

_EVIDENCE = "'$.unmapped.findings', '$.data_security.discovery_details'"


class Letters(Database):
    """Alerts, deliveries, determinations."""

    # -- alerts and their deliveries

    def tell(self, alert: AlertRow, sinks: Sequence[str], events: Sequence[Event] = ()) -> None:
        """An alert (or a record) that has no custody behind it."""
        with self._transaction(events) as db:
            self._put_alert(db, alert, sinks)

    def _put_alert(self, db: sqlite3.Connection, alert: AlertRow, sinks: Sequence[str]) -> None:
        row = columns(alert) | {"path": os.fsencode(alert.path), "record": json.dumps(alert.record)}
        names, values = ",".join(row), ",".join(f":{name}" for name in row)
        news = ",".join(f"{name} = excluded.{name}" for name in row if name != "alert_id")
        db.execute(
            f"INSERT INTO alerts ({names}) VALUES ({values})"  # noqa: S608 - our own column names
            f" ON CONFLICT (alert_id) DO UPDATE SET {news}",
            row,
        )
        if alert.state is AlertState.RELEASED:
            db.executemany(
                "INSERT INTO deliveries (alert_id, sink, revision, state, next_at) VALUES (?,?,?,'pending',?)"
                " ON CONFLICT (alert_id, sink) DO UPDATE SET revision = excluded.revision,"
                " state = 'pending', attempts = 0, next_at = excluded.next_at",
                [(alert.alert_id, sink, alert.revision, time.time()) for sink in sinks],
            )

    def alert(self, alert_id: str) -> AlertRow | None:
        rows = self._rows("SELECT * FROM alerts WHERE alert_id = ?", (alert_id,))
        return _alert(rows[0]) if rows else None

    def alerts_starting(self, start: str) -> list[AlertRow]:
        """Those whose id starts so; two at most are enough to know that it is not clear."""
        sql = "SELECT * FROM alerts WHERE substr(alert_id, 1, ?) = ? LIMIT 2"
        return [_alert(r) for r in self._rows(sql, (len(start), start))]

    def alert_about(self, file_key: str) -> AlertRow | None:
        """The newest alert about this very version of a file."""
        sql = "SELECT * FROM alerts WHERE file_key = ? ORDER BY updated_at DESC LIMIT 1"
        rows = self._rows(sql, (file_key,))
        return _alert(rows[0]) if rows else None

    def alerts(self, *, recorded: bool = False, since: float = 0.0, limit: int = -1) -> list[AlertRow]:
        """Alerts, the newest first; with `recorded`, what was allowed and written down as well."""
        sql = (
            "SELECT * FROM alerts WHERE updated_at >= ? AND (? OR state != 'recorded')"
            " AND file_key != ? ORDER BY updated_at DESC LIMIT ?"
        )
        return [_alert(r) for r in self._rows(sql, (since, recorded, HEARTBEAT, limit))]

    def due(
        self, sink: str, now: float, limit: int, busy: Collection[str] = (), *, slim: bool = False
    ) -> list[Delivery]:
        """What may be sent to one sink now, the oldest first, without the alerts that are `busy`; `slim`:
        without their evidence."""
        if limit <= 0:
            return []
        record = f"json_remove(a.record, {_EVIDENCE})" if slim else "a.record"
        sql = (
            "SELECT d.alert_id FROM deliveries d JOIN alerts a USING (alert_id) WHERE d.sink = ?"
            " AND a.state = 'released' AND d.state = 'pending' AND d.next_at <= ?"
            " ORDER BY a.updated_at LIMIT ?"
        )
        ids = [r["alert_id"] for r in self._rows(sql, (sink, now, limit + len(busy)))]
        one = (
            f"SELECT d.*, {record} AS record FROM deliveries d JOIN alerts a USING (alert_id)"  # noqa: S608
            " WHERE d.alert_id = ? AND d.sink = ?"
        )
        free = [alert_id for alert_id in ids if alert_id not in busy][:limit]
        return [
            Delivery(
                r["alert_id"], r["sink"], r["revision"], r["attempts"],
                r["delivered_at"] is None, json.loads(r["record"]),
            )
            for alert_id in free for r in self._rows(one, (alert_id, sink))
        ]  # fmt: skip

    def delivered(self, alert_id: str, sink: str, revision: int) -> None:
        """The sink has it; an update that came meanwhile stays pending."""
        with self._transaction() as db:
            db.execute(
                "UPDATE deliveries SET delivered_at = ?, error = '',"
                " state = CASE WHEN revision = ? THEN 'delivered' ELSE state END"
                " WHERE alert_id = ? AND sink = ?",
                (time.time(), revision, alert_id, sink),
            )

    def undelivered(self, alert_id: str, sink: str, *, error: str, next_at: float, permanent: bool) -> None:
        with self._transaction() as db:
            db.execute(
                "UPDATE deliveries SET attempts = attempts + 1, error = ?, next_at = ?, state = ?"
                " WHERE alert_id = ? AND sink = ?",
                (error, next_at, "dead" if permanent else "pending", alert_id, sink),
            )

    def send_again(
        self, sinks: Sequence[str], alert_id: str | None = None, events: Sequence[Event] = ()
    ) -> int:
        """Dead letters of these sinks (of one alert, or of all) become pending again; how many."""
        with self._transaction(events) as db:
            return sum(
                db.execute(
                    "UPDATE deliveries SET state = 'pending', attempts = 0, next_at = 0"
                    " WHERE sink = ? AND state = 'dead' AND alert_id = coalesce(?, alert_id)",
                    (sink, alert_id),
                ).rowcount
                for sink in sinks
            )

    def undelivered_letters(self, limit: int) -> list[dict[str, Any]]:
        """What did not arrive yet: `alert_id`, `sink`, `state` (pending, dead), `attempts`, `error`,
        `next_at`, `path`; dead letters first, then the oldest."""
        sql = (
            "SELECT d.alert_id, d.sink, d.state, d.attempts, d.error, d.next_at, a.path FROM deliveries d"
            " JOIN alerts a USING (alert_id) WHERE d.state != 'delivered'"
            " ORDER BY d.state = 'pending', a.updated_at LIMIT ?"
        )
        return [dict(r) | {"path": os.fsdecode(r["path"])} for r in self._rows(sql, (limit,))]

    def adopt(self, sinks: Sequence[str]) -> None:
        """Released alerts that have a delivery nowhere wait for these sinks from now on."""
        with self._transaction() as db:
            for sink in sinks:
                db.execute(
                    "INSERT OR IGNORE INTO deliveries (alert_id, sink, revision, state, next_at)"
                    " SELECT alert_id, ?, revision, 'pending', 0 FROM alerts WHERE state = 'released'"
                    " AND alert_id NOT IN (SELECT alert_id FROM deliveries WHERE sink = ?)"
                    " AND alert_id NOT IN (SELECT alert_id FROM deliveries WHERE state = 'delivered')",
                    (sink, sink),
                )

    def delivery_counts(self) -> dict[str, dict[str, int]]:
        """For each sink: how many deliveries are in each state."""
        counts: dict[str, dict[str, int]] = {}
        for r in self._rows("SELECT sink, state, count(*) AS n FROM deliveries GROUP BY sink, state"):
            counts.setdefault(r["sink"], {})[r["state"]] = r["n"]
        return counts

    def delivery_errors(self) -> dict[str, str]:
        """For each sink with something pending or dead: the newest complaint."""
        sql = "SELECT sink, error, max(next_at) FROM deliveries WHERE error != '' GROUP BY sink"
        return {r["sink"]: r["error"] for r in self._rows(sql)}

    # -- determinations

    def determine(
        self,
        alert: AlertRow,
        root_id: str,
        sha256: str,
        sinks: Sequence[str] = (),
        events: Sequence[Event] = (),
    ) -> None:
        """An analyst decided; with a content digest it also holds for the same bytes in that root."""
        with self._transaction(events) as db:
            self._put_alert(db, alert, sinks)
            if sha256:
                db.execute(
                    "INSERT OR REPLACE INTO determinations VALUES (?,?,?,?,?,?,?)",
                    (sha256, root_id, alert.determination, alert.alert_id, alert.note,
                     alert.decided_by, alert.updated_at),
                )  # fmt: skip

    def determination(self, sha256: str, root_id: str) -> tuple[str, str] | None:
        """(determination, alert id) for this content in this root."""
        sql = "SELECT determination, alert_id FROM determinations WHERE sha256 = ? AND root_id = ?"
        rows = self._rows(sql, (sha256, root_id))
        return (rows[0]["determination"], rows[0]["alert_id"]) if rows else None

    def determination_of_content(self, sha256: str) -> tuple[str, str] | None:
        """(determination, alert id) for this content wherever it was found, the newest."""
        sql = (
            "SELECT determination, alert_id FROM determinations WHERE sha256 = ?"
            " ORDER BY decided_at DESC LIMIT 1"
        )
        rows = self._rows(sql, (sha256,))
        return (rows[0]["determination"], rows[0]["alert_id"]) if rows else None


def _alert(row: sqlite3.Row) -> AlertRow:
    plain = dict(row)
    plain["path"] = os.fsdecode(plain["path"])
    plain["record"] = json.loads(plain["record"])
    plain["state"] = AlertState(plain["state"])
    return AlertRow(**plain)
