"""The register of Data Access Agreements: what was handed in, what is in force, what it covers.

An agreement is in force only while the signatures of an Information Asset Owner and of a Data Protection
Officer hold (two people, two keys), between its days, and until it is revoked. That is found out from the
signed bytes each time the register is read, never from a mark in the ledger. Days are UTC.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.errors import NotFound, Refused
from agent.ledger import Ledger
from agent.platform.linux import inside
from agent.schema import AgreementRow
from agent.signing import NotApproved, are_two_people, signers
from agent.statements import MAX_YEARS, BadStatement, Envelope, Revocation, Terms, day, from_json, years_after
from agent.validity import Standing, is_overdue, today, validity
from config.settings import Approver

_SIGN = "each approver signs with `recordwarden agreements approve FILE --key KEYFILE`"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of a file when it is asked whether an agreement covers it; "" is not known."""

    path: str
    configured: bool
    """Its root is a folder of the configuration, not a volume that was mounted somewhere."""
    device: str
    sha256: str = ""
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement as it stands; `why` tells what is lacking."""

    row: AgreementRow
    envelope: Envelope
    terms: Terms
    standing: Standing
    why: str = ""
    approved_by: tuple[str, ...] = ()

    def is_overdue(self, now: float) -> bool:
        """Its review is due, though it is in force."""
        return is_overdue(self.terms, self.standing, now)


def covers(terms: Terms, seen: Sighting) -> str:
    """ "" if the scope covers what was seen, else what of it does not fit.

    A folder is matched only within configured roots: what is mounted at a path today need not be tomorrow.
    """
    if terms.content and seen.sha256 not in terms.content:
        return (
            "its content is not one that the agreement names" if seen.sha256 else "its content is not known"
        )
    if terms.layouts and seen.layout not in terms.layouts:
        return "its layout is not one that the agreement names" if seen.layout else "its layout is not known"
    if terms.devices and seen.device not in terms.devices:
        return "it lies on another device"
    if terms.roots and not (seen.configured and any(inside(seen.path, root) for root in terms.roots)):
        return "it lies in another place"
    return ""


def standing(row: AgreementRow, approvers: Sequence[Approver], now: float) -> Agreement | None:
    """How an agreement stands at `now`; None if the ledger's row is none at all."""
    try:
        envelope = from_json(row.envelope)
        terms = envelope.as_kind(Terms)
    except BadStatement:
        return None
    if terms.agreement_id != row.agreement_id:
        why = "the ledger has it under another id"
        return Agreement(row, envelope, terms, Standing.LAPSED, why)
    accepted, revoked = row.accepted_at is not None, row.revocation is not None
    found = validity(envelope, approvers, now, accepted=accepted, revoked=revoked)
    return Agreement(row, envelope, terms, found.standing, found.why, found.approved_by)


class Agreements:
    """The register of one machine. `refresh` after anything that changes it; checking dates needs none."""

    def __init__(
        self,
        ledger: Ledger,
        approvers: Callable[[], Sequence[Approver]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger, self._approvers, self._clock = ledger, approvers, clock
        self._checked: tuple[tuple[str, tuple[Approver, ...]], list[Agreement]] | None = None

    def all(self) -> list[Agreement]:
        """Each that was ever handed in, as it stands now."""
        rows, now = self._ledger.agreements(), self._clock()
        return [found for row in rows if (found := standing(row, self._approvers(), now))]

    def in_force(self) -> list[Agreement]:
        """Those in force now; signatures are checked again only after a change, or on another day."""
        key = (today(self._clock()).isoformat(), tuple(self._approvers()))
        if self._checked is None or self._checked[0] != key:
            self._checked = key, [a for a in self.all() if a.standing is Standing.IN_FORCE]
        return self._checked[1]

    def refresh(self) -> None:
        """Something changed: look again."""
        self._checked = None

    def covering(self, seen: Sighting) -> str | None:
        """The id of an agreement in force that covers what was seen."""
        return next((a.terms.agreement_id for a in self.in_force() if not covers(a.terms, seen)), None)

    def hand_in(self, envelope: Envelope, by: str) -> Agreement | None:
        """Take up terms, more signatures for them, or a revocation; None after a revocation.

        Raises `Refused`: nothing is taken up that is forged, or that was revoked, or that has another's id.
        """
        try:
            if envelope.kind == "revocation":
                self._revoke(envelope, by)
                return None
            return self._add(envelope, by)
        except (BadStatement, NotApproved) as error:
            raise Refused(f"the agreement is refused: {error}", _SIGN) from None
        finally:
            self.refresh()

    def has(self, envelope: Envelope) -> bool:
        """Whether handing this in would change nothing: these terms so signed, or a revocation."""
        statement = envelope.statement()
        if not isinstance(statement, Terms | Revocation):
            return False
        row = self._ledger.agreement(statement.agreement_id)
        if row is None or isinstance(statement, Revocation):
            return row is not None and row.revocation is not None
        before = from_json(row.envelope)
        settled = row.revocation is not None or row.accepted_at is not None
        more = {s.keyid for s in envelope.signatures} - {s.keyid for s in before.signatures}
        return settled and before.payload == envelope.payload and (row.revocation is not None or not more)

    def _add(self, envelope: Envelope, by: str) -> Agreement:
        terms = envelope.as_kind(Terms)
        now = self._clock()
        this_day = today(now)
        if day(terms.valid_until) < this_day:
            raise BadStatement("its last day is over")
        if day(terms.review_by) > years_after(this_day, MAX_YEARS):
            raise BadStatement(f"review_by must be at most {MAX_YEARS} years ahead")
        known = self._ledger.agreement(terms.agreement_id)
        if known is not None:
            before = from_json(known.envelope)
            if known.revocation is not None:
                raise BadStatement("it was revoked; an agreement that follows it needs an id of its own")
            if before.payload != envelope.payload:
                raise BadStatement("another agreement has this id")
            envelope = before.with_signatures(envelope.signatures)
        row = known or AgreementRow(terms.agreement_id, {}, by, now)
        row = replace(row, envelope=envelope.to_json())
        who = signers(envelope, self._approvers(), retired=row.accepted_at is not None)
        event = {
            "event": "agreement_added", "agreement": terms.agreement_id, "terms_sha256": envelope.digest,
            "holder": terms.holder, "signed_by": [a.name for a in who], "by": by,
        }  # fmt: skip
        if row.accepted_at is None and are_two_people(who):
            row = replace(row, accepted_at=now)
            event["event"] = "agreement_accepted"
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
        if from_json(row.envelope).digest != said.terms_sha256:
            raise BadStatement("the revocation is of other terms under the same id")
        who = signers(envelope, self._approvers())
        if not who:
            raise NotApproved("the revocation is not signed by an approver")
        if row.revocation is not None:
            return
        row = replace(row, revocation=envelope.to_json(), revoked_at=self._clock())
        event = {
            "event": "agreement_revoked", "agreement": said.agreement_id, "reason": said.reason,
            "signed_by": [a.name for a in who], "by": by,
        }  # fmt: skip
        self._ledger.put_agreement(row, [event])
