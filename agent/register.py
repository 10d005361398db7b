"""The part of the ledger that holds what people sign: requests, agreements, and what rests on them."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agent.database import Database, Event, WrongState
from agent.schema import AgreementRow, Entry, EntryState, ExemptionRow, RequestRow, RequestState

IN_CUSTODY = (EntryState.VAULTED, EntryState.QUARANTINED, EntryState.NOT_REMOVED, EntryState.RESTORED)


class Register(Database):
    """Releases and disposals, Data Access Agreements, exemptions by them, dates of review."""

    # -- requests

    def put_request(self, row: RequestRow, events: Sequence[Event] = ()) -> None:
        """A new one; its id can never be used again."""
        with self._transaction(events) as db:
            plain = asdict(row) | {
                "approved_by": json.dumps(row.approved_by),
                "detail": json.dumps(row.detail),
            }
            _insert(db, "requests", plain)

    def request(self, request_id: str) -> RequestRow | None:
        rows = self._rows("SELECT * FROM requests WHERE request_id = ?", (request_id,))
        return _request(rows[0]) if rows else None

    def requests(
        self, *, states: Sequence[RequestState] = (), act: str = "", sha256: str = ""
    ) -> list[RequestRow]:
        """Those in any of `states` (all if empty), the newest first."""
        sql = (
            "SELECT * FROM requests WHERE (:every OR state IN (SELECT value FROM json_each(:states)))"
            " AND :act IN ('', act) AND :sha256 IN ('', sha256) ORDER BY made_at DESC"
        )
        wanted = {"every": not states, "states": json.dumps(list(states)), "act": act, "sha256": sha256}
        return [_request(r) for r in self._rows(sql, wanted)]

    def advance(
        self,
        request_id: str,
        allowed: Sequence[RequestState],
        to: RequestState,
        detail: Mapping[str, Any] | None = None,
        events: Sequence[Event] = (),
        approved_by: Sequence[str] | None = None,
    ) -> None:
        """A request's next step; raises `WrongState` if it is not in one of `allowed`."""
        with self._transaction(events) as db:
            self._advance(db, request_id, allowed, to, detail, approved_by)

    def _advance(
        self,
        db: sqlite3.Connection,
        request_id: str,
        allowed: Sequence[RequestState],
        to: RequestState,
        detail: Mapping[str, Any] | None = None,
        approved_by: Sequence[str] | None = None,
    ) -> None:
        done = db.execute(
            "UPDATE requests SET state = :to, changed_at = :now, detail = coalesce(:detail, detail),"
            " approved_by = coalesce(:by, approved_by)"
            " WHERE request_id = :id AND state IN (SELECT value FROM json_each(:allowed))",
            {
                "allowed": json.dumps(list(allowed)),
                "to": to.value, "now": time.time(), "id": request_id,
                "detail": None if detail is None else json.dumps(dict(detail)),
                "by": None if approved_by is None else json.dumps(list(approved_by)),
            },
        )  # fmt: skip
        if done.rowcount != 1:
            raise WrongState(f"request {request_id} cannot become {to}")

    # -- agreements

    def put_agreement(self, row: AgreementRow, events: Sequence[Event] = ()) -> None:
        """A new one, or what has come to one that is there: signatures, a revocation."""
        plain = asdict(row) | {
            "envelope": json.dumps(row.envelope),
            "revocation": None if row.revocation is None else json.dumps(row.revocation),
        }
        with self._transaction(events) as db:
            _insert(db, "agreements", plain, "OR REPLACE ")

    def agreements(self) -> list[AgreementRow]:
        """All that were ever handed in, by their ids."""
        return [_agreement(r) for r in self._rows("SELECT * FROM agreements ORDER BY agreement_id")]

    def agreement(self, agreement_id: str) -> AgreementRow | None:
        rows = self._rows("SELECT * FROM agreements WHERE agreement_id = ?", (agreement_id,))
        return _agreement(rows[0]) if rows else None

    # -- exemptions

    def exempt(self, row: ExemptionRow) -> None:
        """A file is let be because of something that may end."""
        with self._transaction() as db:
            plain = asdict(row) | {"relpath": os.fsencode(row.relpath)}
            _insert(db, "exemptions", plain, "OR REPLACE ")

    def exemptions(self) -> list[ExemptionRow]:
        rows = self._rows("SELECT * FROM exemptions ORDER BY root_id, relpath")
        return [ExemptionRow(**{**dict(r), "relpath": os.fsdecode(r["relpath"])}) for r in rows]

    def proofs(self) -> list[tuple[str, str]]:
        """(basis, proof) of all exemptions, each once."""
        return [(r[0], r[1]) for r in self._rows("SELECT DISTINCT basis, proof FROM exemptions")]

    def exempted_by(self, basis: str) -> dict[str, int]:
        """How many files rest on each proof of this basis."""
        sql = "SELECT proof, count(*) FROM exemptions WHERE basis = ? GROUP BY proof"
        return {r[0]: r[1] for r in self._rows(sql, (basis,))}

    def lift(self, basis: str, proof: str) -> set[str]:
        """Have all files judged again that rest on this; the roots in which they are."""
        self.flush()  # what was seen just now would come back with this very transaction
        with self._transaction() as db:
            found = db.execute(
                "SELECT DISTINCT root_id FROM exemptions WHERE basis = ? AND proof = ?", (basis, proof)
            ).fetchall()
            db.execute(
                "DELETE FROM seen WHERE (root_id, relpath) IN"
                " (SELECT root_id, relpath FROM exemptions WHERE basis = ? AND proof = ?)",
                (basis, proof),
            )
            db.execute("DELETE FROM exemptions WHERE basis = ? AND proof = ?", (basis, proof))
        return {r[0] for r in found}

    # -- review

    def review(self, entry_id: str, until: float, note: str, by: str, events: Sequence[Event]) -> None:
        """Somebody looked at an entry; it is due again at `until`."""
        with self._transaction(events) as db:
            db.execute(
                "INSERT OR REPLACE INTO reviews VALUES (?,?,?,?,?)", (entry_id, until, note, by, time.time())
            )

    def review_dates(self) -> dict[str, float]:
        """The dates that people set, by entry."""
        return {r[0]: r[1] for r in self._rows("SELECT entry_id, review_at FROM reviews")}

    def review_at(self, row: Entry, after_days: float) -> float | None:
        """When one entry is due for review (`review_date`)."""
        found = self._rows("SELECT entry_id, review_at FROM reviews WHERE entry_id = ?", (row.entry_id,))
        return review_date(row, dict(map(tuple, found)), after_days)

    def due_for_review(self, now: float, after_seconds: float) -> int:
        """How many entries in custody are past their date."""
        sql = (
            "SELECT count(*) FROM entries LEFT JOIN reviews USING (entry_id)"
            " WHERE state IN (SELECT value FROM json_each(?)) AND coalesce(review_at, vaulted_at + ?) < ?"
        )
        return int(self._rows(sql, (json.dumps(IN_CUSTODY), after_seconds, now))[0][0])


def review_date(row: Entry, dates: Mapping[str, float], after_days: float) -> float | None:
    """When an entry is due for review: by the date that somebody set, else by its age; None if never."""
    if row.vaulted_at is None or row.state not in IN_CUSTODY:
        return None
    return dates.get(row.entry_id, row.vaulted_at + after_days * 86400.0)


def _insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any], how: str = "") -> None:
    names, values = ",".join(row), ",".join(f":{name}" for name in row)
    db.execute(f"INSERT {how}INTO {table} ({names}) VALUES ({values})", dict(row))  # noqa: S608


def _request(row: sqlite3.Row) -> RequestRow:
    plain = dict(row)
    plain["state"] = RequestState(plain["state"])
    plain["approved_by"] = tuple(json.loads(plain["approved_by"]))
    plain["detail"] = json.loads(plain["detail"])
    return RequestRow(**plain)


def _agreement(row: sqlite3.Row) -> AgreementRow:
    plain = dict(row)
    plain["envelope"] = json.loads(plain["envelope"])
    plain["revocation"] = json.loads(plain["revocation"]) if plain["revocation"] else None
    return AgreementRow(**plain)
