"""Taking in what agents send: each alert counted once by its id, each of its records once by its revision."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from console.database import insert_for, insert_new
from console.fleet import roots_of, tuning_of
from console.records import ACTIVITY, FINDING, Malformed, checked, columns_of, key_of, number, seconds, text
from console.schema import Agent, Alert, Update
from console.shown import shown

MOST_RECORDS = 200
_PEOPLES = ("state", "determination", "decided_on", "decided_by", "decided_at", "note")
"""Columns that a determination made here keeps, whatever an agent sends later."""


@dataclass(slots=True)
class Taken:
    """What became of a batch."""

    accepted: int = 0
    known: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)


def alerts(db: Session, agent: Agent, untrusted: Sequence[object], now: float) -> Taken:
    """Take records of class 2006. `agent`'s row is locked, so that its batches come one after the other."""
    taken = Taken()
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for index, entry in enumerate(untrusted):
        try:
            record, plain = checked(entry, FINDING, agent.id)
            alert, revision = key_of(record)
            row = {"id": alert, "agent": agent.id, "revision": revision, "record": plain, "received": now}
            row |= columns_of(record)
        except Malformed as why:
            taken.refused.append({"index": index, "code": why.code})
            continue
        taken.known += (alert, revision) in rows
        rows[alert, revision] = {**row, "index": index, "status": shown(text(record, "status")[:40])[:40]}
    _leave_out_others(db, agent, rows, taken)
    if rows:
        _write(db, rows, taken)
        agent.config_digest = _digest(rows) or agent.config_digest
    agent.seen_at = now
    taken.refused.sort(key=lambda r: r["index"])
    return taken


def _digest(rows: dict[tuple[str, int], dict[str, Any]]) -> str:
    """The configuration that the newest of these was judged under."""
    newest = max(rows.values(), key=lambda row: row["updated"])
    return shown(text(json.loads(newest["record"]), "finding_info", "analytic", "version"))[:64]


def heartbeats(db: Session, agent: Agent, untrusted: Sequence[object], now: float) -> Taken:
    """Take records of class 6007, of which the newest is kept."""
    taken = Taken()
    agent.seen_at = now
    for index, entry in enumerate(untrusted):
        try:
            record, plain = checked(entry, ACTIVITY, agent.id)
            at = seconds(record, "time")
        except Malformed as why:
            taken.refused.append({"index": index, "code": why.code})
            continue
        if agent.beat_at is not None and at <= agent.beat_at:
            taken.known += 1
            continue
        taken.accepted += 1
        agent.beat_at, agent.heartbeat = at, plain
        agent.hostname = shown(text(record, "device", "hostname"))[:255] or agent.hostname
        agent.version = shown(text(record, "metadata", "product", "version"))[:40] or agent.version
        agent.config_digest = shown(text(record, "unmapped", "config_digest"))[:64] or agent.config_digest
        agent.bundle = number(record, 2**53, "unmapped", "papers", "serial") or agent.bundle
        agent.papers_refused = number(record, 2000, "unmapped", "papers", "refused")
        tuning = tuning_of(record)
        agent.tuning, agent.papers_refused = tuning.id, agent.papers_refused + len(tuning.refused)
        roots = roots_of(record)
        agent.roots, agent.uncovered = len(roots), sum(not root.covered for root in roots)
    return taken


def _leave_out_others(
    db: Session, agent: Agent, rows: dict[tuple[str, int], dict[str, Any]], taken: Taken
) -> None:
    """An id belongs to whoever told it first."""
    ids = {alert for alert, _ in rows}
    found = db.execute(select(Alert.id).where(Alert.id.in_(ids), Alert.agent != agent.id)).scalars()
    for other in set(found):
        for key in [k for k in rows if k[0] == other]:
            taken.refused.append({"index": rows.pop(key)["index"], "code": "other_agents"})


def _write(db: Session, rows: dict[tuple[str, int], dict[str, Any]], taken: Taken) -> None:
    updates = [
        {
            "alert": row["id"], "revision": row["revision"], "at": row["updated"],
            "received": row["received"],
            "disposition": row["disposition"], "reason": row["reason"], "status": row["status"],
        }
        for row in rows.values()
    ]  # fmt: skip
    new = {(key[0], key[1]) for key in insert_new(db, Update, updates)}
    taken.accepted += len(new)
    taken.known += len(rows) - len(new)
    newest: dict[str, dict[str, Any]] = {}
    for alert, revision in sorted(new):
        newest[alert] = {k: v for k, v in rows[alert, revision].items() if k not in ("index", "status")}
    if newest:
        _upsert(db, list(newest.values()))


def _upsert(db: Session, rows: list[dict[str, Any]]) -> None:
    """A later revision replaces the record; first_seen stays the earliest, people's decision stays theirs."""
    insert = insert_for(db, Alert)
    settled = func.coalesce(Alert.decided_on, "") == "console"
    changes: dict[str, Any] = {
        key: insert.excluded[key] for key in rows[0] if key not in ("id", "agent", "received", *_PEOPLES)
    }
    for key in _PEOPLES:
        changes[key] = case((settled, getattr(Alert, key)), else_=insert.excluded[key])
    is_later = Alert.revision < insert.excluded.revision
    statement = insert.on_conflict_do_update(
        index_elements=[Alert.id],
        set_=changes,
        where=and_(is_later, Alert.agent == insert.excluded.agent),
    )
    db.connection().execute(statement, rows)
