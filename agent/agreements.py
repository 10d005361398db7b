"""The register of Data Access Agreements, exceptions and tunings: what is in it, in force, covered by it.

All are in force only while the signatures of an Information Asset Owner and of a Data Protection
Officer hold (two people, two keys), between its days, and until it is revoked. That is found out from the
signed bytes each time the register is read, never from a mark in the ledger. Days are UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Generic, TypeVar

from agent.errors import NotFound, Refused
from agent.ledger import Ledger
from agent.platform.linux import inside
from agent.schema import AgreementRow
from agent.signing import NotApproved, are_two_people, signers
from agent.statements import (
    GROUPS,
    MAX_YEARS,
    BadStatement,
    Envelope,
    Revocation,
    ScopedException,
    Terms,
    Tuning,
    day,
    from_json,
    number_of,
    years_after,
)
from agent.validity import Standing, is_overdue, today, validity
from config.settings import Approver
from detectors.engine.verdict import Tier

T = TypeVar("T", Terms, ScopedException, Tuning)
_SIGN = "each approver signs with `recordwarden {} approve FILE --key KEYFILE`"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of a file when it is asked whether an agreement covers it; "" is not known."""

    path: str
    configured: bool
    """Its root is a folder of the configuration, not a volume that was mounted somewhere."""
    device: str
    sha256: str = ""
    layout: str = ""
    host_id: str = ""
    tier: Tier = Tier.CONFIRMED
    """How sure the judgement is; the surest if that is not known."""


@dataclass(frozen=True, slots=True)
class Registered(Generic[T]):
    """One agreement, exception or tuning as it stands; `why` tells what is lacking."""

    row: AgreementRow
    envelope: Envelope
    terms: T
    standing: Standing
    why: str = ""
    approved_by: tuple[str, ...] = ()

    def is_overdue(self, now: float) -> bool:
        """Its review is due, though it is in force."""
        return isinstance(self.terms, Terms | Tuning) and is_overdue(self.terms, self.standing, now)

    def to_json(self) -> dict[str, Any]:
        row = self.row
        return asdict(self.terms) | {
            "standing": self.standing.value, "why": self.why, "approved_by": list(self.approved_by),
            "terms_sha256": self.envelope.digest, "added_by": row.added_by, "added_at": row.added_at,
            "accepted_at": row.accepted_at, "revoked_at": row.revoked_at,
        }  # fmt: skip


Agreement = Registered[Terms]
Excepted = Registered[ScopedException]
RegisteredTuning = Registered[Tuning]


def covers(terms: Terms | ScopedException, seen: Sighting) -> str:
    """ "" if the scope covers what was seen, else what of it does not fit.

    A folder is matched only within configured roots: what is mounted at a path today need not be tomorrow.
    A layout excepts no file in which identifiers are confirmed: that it is built alike says too little then.
    """
    if isinstance(terms, ScopedException):
        if terms.agents and seen.host_id not in terms.agents:
            return "it is for other workstations"
        if not terms.content and seen.tier is Tier.CONFIRMED:
            return "it is confirmed: only its very content could be excepted"
    if terms.content and seen.sha256 not in terms.content:
        return "its content is not one that is named" if seen.sha256 else "its content is not known"
    if terms.layouts and seen.layout not in terms.layouts:
        return "its layout is not one that is named" if seen.layout else "its layout is not known"
    if terms.devices and seen.device not in terms.devices:
        return "it lies on another device"
    if terms.roots and not (seen.configured and any(inside(seen.path, root) for root in terms.roots)):
        return "it lies in another place"
    return ""


def standing(row: AgreementRow, approvers: Sequence[Approver], now: float) -> Registered[Any] | None:
    """How what a row holds stands at `now`; None if the ledger's row is none at all."""
    try:
        envelope = from_json(row.envelope)
        terms = _terms_of(envelope)
    except BadStatement:
        return None
    if number_of(terms) != row.agreement_id:
        why = "the ledger has it under another id"
        return Registered(row, envelope, terms, Standing.LAPSED, why)
    accepted, revoked = row.accepted_at is not None, row.revocation is not None
    found = validity(envelope, approvers, now, accepted=accepted, revoked=revoked)
    return Registered(row, envelope, terms, found.standing, found.why, found.approved_by)


class Agreements:
    """The register of one machine. `refresh` after anything that changes it; checking dates needs none.

    Exceptions and tunings share it with agreements: one id is never two of them.
    """

    def __init__(
        self,
        ledger: Ledger,
        approvers: Callable[[], Sequence[Approver]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._approvers, self._clock = ledger, approvers, clock
        self._checked: tuple[tuple[str, tuple[Approver, ...]], list[Registered[Any]]] | None = None

    def all(self) -> list[Agreement]:
        """Each agreement that was ever handed in, as it stands now."""
        return [found for found in self._every() if isinstance(found.terms, Terms)]

    def exceptions(self) -> list[Excepted]:
        """Each exception that was ever handed in, as it stands now."""
        return [found for found in self._every() if isinstance(found.terms, ScopedException)]

    def in_force(self) -> list[Agreement]:
        """Those in force now; signatures are checked again only after a change, or on another day."""
        return [found for found in self._in_force() if isinstance(found.terms, Terms)]

    def exceptions_in_force(self) -> list[Excepted]:
        """The same of exceptions."""
        return [found for found in self._in_force() if isinstance(found.terms, ScopedException)]

    def tunings(self) -> list[RegisteredTuning]:
        """Each tuning that was ever handed in, as it stands now, the newest first."""
        return _newest_first(self._every())

    def tunings_in_force(self) -> list[RegisteredTuning]:
        """The same of those in force; the first that is for a workstation counts there."""
        return _newest_first(self._in_force())

    def _every(self) -> list[Registered[Any]]:
        rows, now = self._ledger.agreements(), self._clock()
        return [found for row in rows if (found := standing(row, self._approvers(), now))]

    def _in_force(self) -> list[Registered[Any]]:
        key = (today(self._clock()).isoformat(), tuple(self._approvers()))
        if self._checked is None or self._checked[0] != key:
            self._checked = key, [a for a in self._every() if a.standing is Standing.IN_FORCE]
        return self._checked[1]

    def refresh(self) -> None:
        """Something changed: look again."""
        self._checked = None

    def covering(self, seen: Sighting) -> str | None:
        """The id of an agreement in force that covers what was seen."""
        return next((a.terms.agreement_id for a in self.in_force() if not covers(a.terms, seen)), None)

    def excepting(self, seen: Sighting) -> str | None:
        """The id of an exception in force that covers what was seen."""
        found = (e.terms for e in self.exceptions_in_force())
        return next((terms.exception_id for terms in found if not covers(terms, seen)), None)

    def hand_in(self, envelope: Envelope, by: str) -> Agreement | Excepted | RegisteredTuning | None:
        """Take up one of them, more signatures for it, or a revocation; None after a revocation.

        Raises `Refused`: nothing is taken up that is forged, or that was revoked, or that has another's id.
        """
        try:
            if envelope.kind == "revocation":
                self._revoke(envelope, by)
                return None
            return self._add(envelope, by)
        except (BadStatement, NotApproved) as error:
            what = envelope.kind if envelope.kind in GROUPS else "agreement"
            raise Refused(f"the {what} is refused: {error}", _SIGN.format(GROUPS[what])) from None
        finally:
            self.refresh()

    def has(self, envelope: Envelope) -> bool:
        """Whether handing this in would change nothing: these terms so signed, or a revocation."""
        statement = envelope.statement()
        if not isinstance(statement, Terms | ScopedException | Tuning | Revocation):
            return False
        row = self._ledger.agreement(number_of(statement))
        if row is None or isinstance(statement, Revocation):
            return row is not None and row.revocation is not None
        before = from_json(row.envelope)
        settled = row.revocation is not None or row.accepted_at is not None
        more = {s.keyid for s in envelope.signatures} - {s.keyid for s in before.signatures}
        return settled and before.payload == envelope.payload and (row.revocation is not None or not more)

    def _add(self, envelope: Envelope, by: str) -> Agreement | Excepted | RegisteredTuning:
        terms = _terms_of(envelope)
        number = number_of(terms)
        now = self._clock()
        this_day = today(now)
        if isinstance(terms, Terms | ScopedException) and day(terms.valid_until) < this_day:
            raise BadStatement("its last day is over")
        if isinstance(terms, Terms) and day(terms.review_by) > years_after(this_day, MAX_YEARS):
            raise BadStatement(f"review_by must be at most {MAX_YEARS} years ahead")
        if isinstance(terms, ScopedException) and day(terms.valid_until) > years_after(this_day, 1):
            raise BadStatement("it ends more than a year ahead")
        known = self._ledger.agreement(number)
        if known is not None:
            before = from_json(known.envelope)
            if known.revocation is not None:
                raise BadStatement("it was revoked; what follows it needs an id of its own")
            if before.payload != envelope.payload:
                raise BadStatement("another one has this id")
            envelope = before.with_signatures(envelope.signatures)
        row = known or AgreementRow(number, {}, by, now)
        row = replace(row, envelope=envelope.to_json())
        who = signers(envelope, self._approvers(), retired=row.accepted_at is not None)
        event: dict[str, Any] = {
            "event": f"{envelope.kind}_added", envelope.kind: number, "terms_sha256": envelope.digest,
            "signed_by": [a.name for a in who], "by": by,
        } | _told_of(terms)  # fmt: skip
        if row.accepted_at is None and are_two_people(who):
            row = replace(row, accepted_at=now)
            event["event"] = f"{envelope.kind}_accepted"
        self._ledger.put_agreement(row, [event])
        found = standing(row, self._approvers(), now)
        if found is None:
            raise BadStatement("not a whole agreement")
        return found

    def _revoke(self, envelope: Envelope, by: str) -> None:
        """One approver is enough to end what two have begun."""
        said = envelope.as_kind(Revocation)
        row = self._ledger.agreement(said.agreement_id)
        if row is None:
            raise NotFound("no agreement has this id", "see `recordwarden agreements list`")
        ended = from_json(row.envelope)
        if ended.digest != said.terms_sha256:
            raise BadStatement("the revocation is of other terms under the same id")
        who = signers(envelope, self._approvers())
        if not who:
            raise NotApproved("the revocation is not signed by an approver")
        if row.revocation is not None:
            return
        row = replace(row, revocation=envelope.to_json(), revoked_at=self._clock())
        event = {
            "event": f"{ended.kind}_revoked", ended.kind: said.agreement_id, "reason": said.reason,
            "signed_by": [a.name for a in who], "by": by,
        }  # fmt: skip
        self._ledger.put_agreement(row, [event])


def _terms_of(envelope: Envelope) -> Terms | ScopedException | Tuning:
    match envelope.kind:
        case "exception":
            return envelope.as_kind(ScopedException)
        case "tuning":
            return envelope.as_kind(Tuning)
    return envelope.as_kind(Terms)


def _newest_first(found: Sequence[Registered[Any]]) -> list[RegisteredTuning]:
    tunings = [each for each in found if isinstance(each.terms, Tuning)]
    return sorted(tunings, key=lambda each: (each.terms.made_at, each.terms.tuning_id), reverse=True)


def _told_of(terms: Terms | ScopedException | Tuning) -> dict[str, Any]:
    """What the audit log says of it besides its id and who signed."""
    if isinstance(terms, Terms):
        return {"holder": terms.holder}
    if isinstance(terms, Tuning):
        return {"reason": terms.reason, "settings": list(terms.settings), "agents": list(terms.agents)}
    return {"about": terms.alert_id, "reason": terms.reason, "valid_until": terms.valid_until}
