"""Erasing alerts by age: what was decided or closed and is old enough goes, with all that it told.

What stays is that its records came (their ids, so that none is counted anew) and the audit, which names
alerts by id, and has the notes that people wrote.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from config.console import Console
from console import audit, sessions, signatures
from console.database import Database
from console.roles import Caller, Deed
from console.schema import Alert, Update

DAY = 86400
_AT_ONCE = 1000


class Unfit(ValueError):
    """An age that cannot be meant."""


def erase(db: Session, caller: Caller, days: int, now: float) -> int:
    """Erase what was last changed more than `days` days ago; gives back how many. Raises `Unfit`."""
    caller.require(Deed.ERASE)
    if not 1 <= days <= 36500:
        raise Unfit("days must be 1 to 36500")
    return _erase(db, caller.name, days, now)


def tidy(database: Database, rules: Console, now: float) -> None:
    """What is done from time to time without anybody asking."""
    with database.transaction() as db:
        sessions.tidy(db, rules, now)
        signatures.tidy(db, now)
        if rules.retention_days is not None:
            _erase(db, "retention", rules.retention_days, now)


def _erase(db: Session, by: str, days: int, now: float) -> int:
    erased = 0
    old = select(Alert.id).where(Alert.updated < now - days * DAY, Alert.state != "open").limit(_AT_ONCE)
    while ids := list(db.execute(old).scalars()):
        db.execute(delete(Alert).where(Alert.id.in_(ids)))
        db.execute(update(Update).where(Update.alert.in_(ids)).values(disposition="", reason="", status=""))
        erased += len(ids)
    if erased:
        audit.append(db, now, by, "alerts_erased", "", days=days, erased=erased)
    return erased
