"""Reading the audit, which is audited too: pages, the newest first, and the check of its chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import audit
from console.roles import Caller, Deed
from console.schema import AuditEntry

PAGE = 100


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the newest first; `following` is where the next page begins, 0 at the end."""

    entries: Sequence[AuditEntry]
    following: int


def entries(
    db: Session, caller: Caller, now: float, actor: str = "", subject: str = "", before: int = 0
) -> AuditPage:
    """The entries before a sequence (0: all), by actor and subject if given."""
    caller.require(Deed.VIEW_AUDIT)
    query = select(AuditEntry).order_by(AuditEntry.sequence.desc()).limit(PAGE + 1)
    if actor:
        query = query.where(AuditEntry.actor == actor.replace("\0", ""))
    if subject:
        query = query.where(AuditEntry.subject == subject.replace("\0", ""))
    if before:
        query = query.where(AuditEntry.sequence < before)
    found = list(db.execute(query).scalars())
    audit.append(db, now, caller.name, "audit_viewed")
    return AuditPage(found[:PAGE], found[PAGE - 1].sequence if len(found) > PAGE else 0)


def verify(db: Session, caller: Caller, now: float) -> tuple[int, list[audit.Fault]]:
    """`audit.verify`, by somebody."""
    caller.require(Deed.VIEW_AUDIT)
    count, faults = audit.verify(db)
    audit.append(db, now, caller.name, "audit_verified", "", entries=count, faults=len(faults))
    return count, faults
