"""Agreements, exceptions, tunings and requests: what was handed in, who has signed, how it stands today.

A paper is a statement that approvers sign with their own keys, on their own machines (`agent.statements`).
Nobody can sign here, and no account stands for a signature: whoever hands a paper in only carries it. How
it stands is found out from the signed bytes each time it is looked at (`agent.validity`), against the
approvers of the configuration.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.signing import NotApproved, are_two_people, signers
from agent.statements import (
    GROUPS,
    BadStatement,
    Disposal,
    Envelope,
    Release,
    Revocation,
    ScopedException,
    Terms,
    Tuning,
    number_of,
    read,
    seal,
)
from agent.validity import ENDING_DAYS, Standing, Validity, days_left, is_overdue, validity
from config.settings import Approver
from console import audit, bundle, trial
from console.roles import Caller, Deed
from console.schema import Alert, Paper

_WORST = (
    Standing.PENDING, Standing.LAPSED, Standing.IN_FORCE, Standing.NOT_YET, Standing.REVOKED,
    Standing.EXPIRED,
)  # fmt: skip


class Unfit(ValueError):
    """What was handed in is not taken. The text says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One paper as it stands."""

    paper: Paper
    statement: Terms | ScopedException | Tuning | Release | Disposal
    envelope: Envelope
    validity: Validity
    overdue: bool
    reason: str = ""
    """Why it was revoked."""
    days_left: int | None = None
    """Of an exception."""

    @property
    def ending(self) -> bool:
        """An exception that soon is over."""
        in_force = self.validity.standing is Standing.IN_FORCE
        return in_force and self.days_left is not None and self.days_left <= ENDING_DAYS

    @property
    def standing(self) -> str:
        return self.validity.standing.value


def hand_in(
    db: Session, approvers: Sequence[Approver], by: Caller, untrusted: bytes | str, now: float
) -> Told:
    """A new paper, more signatures for one, or a revocation. Raises `Unfit`, `LookupError`.

    Each signature must be a known approver's and hold. A revocation counts with one.
    """
    by.require(Deed.FILE_TUNING)  # everybody who may hand in anything may hand in that
    try:
        envelope = read(untrusted)
        statement = envelope.statement()
        if isinstance(statement, Revocation):
            return _revoke(db, approvers, by, envelope, statement, now)
        by.require(_filing(envelope.kind))
        number = number_of(statement)
        match statement:
            case ScopedException():
                _check_alert(db, statement)
            case Tuning():
                _check_tuning(db, statement)
        return _add(db, approvers, by, envelope, number, now)
    except (BadStatement, NotApproved) as error:
        raise Unfit(str(error)) from None


def register(
    db: Session, approvers: Sequence[Approver], by: Caller, kinds: Iterable[str], now: float
) -> list[Told]:
    """All papers of these kinds: what waits for somebody first, then by when they were handed in."""
    kinds = list(kinds)
    for kind in kinds:
        by.require(_viewing(kind))
    rows = db.execute(select(Paper).where(Paper.kind.in_(kinds))).scalars()
    found = [told(row, approvers, now) for row in rows]
    return sorted(found, key=lambda t: (not t.overdue, _WORST.index(t.validity.standing), -t.paper.added_at))


def one(db: Session, approvers: Sequence[Approver], by: Caller, kind: str, number: str, now: float) -> Told:
    """One paper, and that somebody looked at it; raises `LookupError`."""
    by.require(_viewing(kind))
    paper = db.get(Paper, (kind, number.replace("\0", "")))
    if paper is None:
        raise LookupError(number)
    audit.append(db, now, by.name, "paper_viewed", f"{kind}:{paper.id}")
    return told(paper, approvers, now)


def revocation(told: Told, reason: str, now: float) -> Envelope:
    """What an approver signs to end one; raises `Unfit`. It does nothing before it is signed."""
    if told.paper.kind not in GROUPS:
        raise Unfit("a request is not revoked: it ends by itself")
    try:
        return seal(Revocation(told.paper.id, told.envelope.digest, reason, int(now)))
    except BadStatement as error:
        raise Unfit(str(error)) from None


def lines(found: Sequence[Told]) -> list[dict[str, Any]]:
    """The register of agreements as rows: for CSV, and for who asks for full details of authorised access."""
    return [
        {
            "agreement": t.paper.id, "standing": t.standing, "holder": t.statement.holder,
            "purpose": t.statement.purpose, "valid_from": t.statement.valid_from,
            "valid_until": t.statement.valid_until, "review_by": t.statement.review_by,
            "review_overdue": t.overdue, "approved_by": "; ".join(t.validity.approved_by),
            "conditions": "; ".join(t.statement.conditions), "content": "; ".join(t.statement.content),
            "layouts": "; ".join(t.statement.layouts), "roots": "; ".join(t.statement.roots),
            "devices": "; ".join(t.statement.devices), "revoked_because": t.reason, "lacks": t.validity.why,
        }
        for t in found
        if isinstance(t.statement, Terms)
    ]  # fmt: skip


def as_csv(found: Sequence[Told]) -> bytes:
    """`lines` as CSV. A cell that a spreadsheet would take for a formula is made text."""
    out = io.StringIO()
    if rows := lines(found):
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows({k: _no_formula(v) for k, v in row.items()} for row in rows)
    return out.getvalue().encode("utf-8", "backslashreplace")


def _no_formula(value: object) -> object:
    text = value if isinstance(value, str) else ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _check_alert(db: Session, wanted: ScopedException) -> None:
    """No exception without an alert that somebody found false; what two people signed before counts on."""
    alert = db.get(Alert, wanted.alert_id[:80].replace("\0", ""))
    known = db.get(Paper, ("exception", wanted.exception_id)) is not None
    if not known and (alert is None or alert.determination != "false_positive"):
        raise Unfit("it is about no alert that was found a false positive here")


def _check_tuning(db: Session, wanted: Tuning) -> None:
    """No new one that the detectors refuse: two people would sign it in vain."""
    if db.get(Paper, ("tuning", wanted.tuning_id)) is None and (fault := trial.fault_of(wanted.stanzas)):
        raise Unfit(fault)


def _filing(kind: str) -> Deed:
    return Deed.FILE_TUNING if kind == "tuning" else Deed.FILE_PAPERS


def _viewing(kind: str) -> Deed:
    return Deed.VIEW_TUNING if kind == "tuning" else Deed.VIEW_PAPERS


def _add(
    db: Session, approvers: Sequence[Approver], by: Caller, envelope: Envelope, number: str, now: float
) -> Told:
    who = signers(envelope, approvers)
    paper = db.get(Paper, (envelope.kind, number), with_for_update=True)
    if paper is None:
        if envelope.kind in GROUPS and any(db.get(Paper, (kind, number)) for kind in GROUPS):
            raise Unfit("another one has this id")
        paper = Paper(kind=envelope.kind, id=number, added_by=by.name, added_at=now)
    else:
        before = read(paper.envelope)
        if paper.revoked_at is not None:
            raise Unfit("it was revoked: what follows it needs an id of its own")
        if before.payload != envelope.payload:
            raise Unfit("another one has this id")
        envelope = before.with_signatures(envelope.signatures)
    event = "paper_handed_in"
    if paper.accepted_at is None and are_two_people(who := signers(envelope, approvers)):
        paper.accepted_at, event = now, "paper_approved"
    paper.envelope = json.dumps(envelope.to_json())
    db.add(paper)
    bundle.outdate(db)
    signed = [approver.name for approver in who]
    audit.append(
        db, now, by.name, event, f"{paper.kind}:{paper.id}", signed_by=signed, sha256=envelope.digest
    )
    db.flush()
    return told(paper, approvers, now)


def _revoke(
    db: Session, approvers: Sequence[Approver], by: Caller, envelope: Envelope, said: Revocation, now: float
) -> Told:
    who = signers(envelope, approvers)
    found = (db.get(Paper, (kind, said.agreement_id), with_for_update=True) for kind in GROUPS)
    paper = next((paper for paper in found if paper is not None), None)
    if paper is None:
        raise LookupError(said.agreement_id)
    by.require(_filing(paper.kind))
    if read(paper.envelope).digest != said.terms_sha256:
        raise Unfit("the revocation is of other terms under the same id")
    if not who:
        raise Unfit("the revocation is not signed by an approver")
    if paper.revoked_at is None:
        paper.revocation, paper.revoked_at = json.dumps(envelope.to_json()), now
        bundle.outdate(db)
        audit.append(db, now, by.name, "paper_revoked", f"{paper.kind}:{paper.id}", sha256=envelope.digest)
        db.flush()
    return told(paper, approvers, now)


def told(paper: Paper, approvers: Sequence[Approver], now: float) -> Told:
    """How a paper stands."""
    envelope = read(paper.envelope)
    statement = envelope.statement()
    assert not isinstance(statement, Revocation)
    accepted, revoked = paper.accepted_at is not None, paper.revoked_at is not None
    found = validity(envelope, approvers, now, accepted=accepted, revoked=revoked)
    overdue = isinstance(statement, Terms | Tuning) and is_overdue(statement, found.standing, now)
    reason = read(paper.revocation).as_kind(Revocation).reason if paper.revocation else ""
    left = days_left(statement, now) if isinstance(statement, ScopedException) else None
    return Told(paper, statement, envelope, found, overdue, reason, left)
