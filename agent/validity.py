"""Whether what people signed holds today: found out from the signed bytes, never from a mark beside them.

Pure, and used by the service's register and by the review console alike, so that both say the same.
Days are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from agent.signing import NotApproved, signers, two_people
from agent.statements import Disposal, Envelope, Release, ScopedException, Terms, Tuning, day
from config.settings import Approver

ENDING_DAYS = 14
"""An exception that ends this soon is told as ending: somebody has to renew it, or mend what it excuses."""


class Standing(StrEnum):
    """Where an agreement, an exception or a request stands today."""

    PENDING = "pending"
    """Lacks a signature."""
    NOT_YET = "not_yet"
    IN_FORCE = "in_force"
    """For a request: approved by both, and not over yet."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    LAPSED = "lapsed"
    """A key that signed it is no approver's any more, or what is kept of it was changed."""


@dataclass(frozen=True, slots=True)
class Validity:
    """How it stands; `why` tells what is lacking, `approved_by` whose signatures hold."""

    standing: Standing
    why: str = ""
    approved_by: tuple[str, ...] = ()


def validity(
    envelope: Envelope, approvers: Sequence[Approver], now: float, *, accepted: bool, revoked: bool = False
) -> Validity:
    """How a statement stands at `now`. `accepted`: both signatures held once, so who left since counts.

    Raises `BadStatement` for a payload that is none.
    """
    statement = envelope.statement()
    who: tuple[str, ...] = ()
    try:
        found = signers(envelope, approvers, retired=accepted)
        who = tuple(approver.name for approver in found)
        two_people(found)
    except NotApproved as error:
        return Validity(Standing.LAPSED if accepted else Standing.PENDING, str(error), who)
    if revoked:
        return Validity(Standing.REVOKED, "", who)
    match statement:
        case Terms():
            if today(now) < day(statement.valid_from):
                return Validity(Standing.NOT_YET, "", who)
            over = today(now) > day(statement.valid_until)
        case ScopedException():
            over = today(now) > day(statement.valid_until)
        case Release() | Disposal():
            over = now > statement.expires_at
        case _:
            over = False
    return Validity(Standing.EXPIRED if over else Standing.IN_FORCE, "", who)


def is_overdue(terms: Terms | Tuning, standing: Standing, now: float) -> bool:
    """The review of an agreement or a tuning is due, though it is in force."""
    return standing is Standing.IN_FORCE and day(terms.review_by) < today(now)


def days_left(statement: ScopedException, now: float) -> int:
    """How many whole days an exception still holds after today; below 0 if it is over."""
    return (day(statement.valid_until) - today(now)).days


def today(now: float) -> date:
    """The day (UTC) of a moment in seconds since 1970."""
    return datetime.fromtimestamp(now, UTC).date()
