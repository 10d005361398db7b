"""A false alarm becomes an exception: what an analyst proposes, for two people to sign, out of an alert.

It is a paper like an agreement (`console.papers`): nothing is let be before an Information Asset Owner and a
Data Protection Officer have signed it, and it ends by itself. Its id begins with the alert's, as a digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agent.statements import (
    MAX_EXCEPTION_DAYS,
    BadStatement,
    ScopedException,
    as_text,
    seal,
)
from agent.validity import Standing, today
from config.settings import Approver
from console import audit, papers
from console.papers import Told, Unfit
from console.records import text
from console.roles import Caller, Deed
from console.schema import Alert, Paper

DEFAULT_DAYS = 90
SCOPES = ("content", "layout")
PLACES = ("anywhere", "folder", "device")
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LAYOUT = re.compile(r"[bdnt]{8,300}", re.ASCII)
_FOLDER = re.compile(r"/[^\\\x00-\x1f\x7f]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an analyst chose: by what the file is told, where, how long, and why."""

    scope: str
    every_agent: bool
    place: str
    days: int
    reason: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What an alert's record tells that a scope can be made of; "" is not told."""

    content: str
    layout: str
    folder: str
    device: str


def offer(alert: Alert) -> Offer:
    """What of an alert may be excepted. A layout is none where identifiers are confirmed, or unless it is of
    records of people: workstations would not let it count."""
    unmapped = json.loads(alert.record).get("unmapped")
    layout = text(unmapped, "layout")
    volume = unmapped.get("volume") if isinstance(unmapped, dict) else None
    folder = alert.path.rpartition("/")[0]
    return Offer(
        alert.sha256 if _DIGEST.fullmatch(alert.sha256) else "",
        layout if _LAYOUT.fullmatch(layout) and alert.tier != "confirmed" else "",
        folder if _FOLDER.fullmatch(folder) and len(folder) < 1000 else "",
        text(volume, "uuid"),
    )


def is_open_to(alert: Alert) -> bool:
    """Whether an exception can be proposed: it was a false alarm, and about records of people."""
    return alert.determination == "false_positive" and alert.outcome == "microdata"


def propose(
    db: Session, approvers: Sequence[Approver], by: Caller, alert_id: str, wanted: Wanted, now: float
) -> Told:
    """A paper without a signature; raises `Unfit`, `LookupError`."""
    by.require(Deed.DECIDE)
    alert = db.get(Alert, alert_id[:80].replace("\0", ""))
    if alert is None:
        raise LookupError(alert_id)
    if not is_open_to(alert):
        raise Unfit("only an alert about records that was found a false positive can become an exception")
    if not 1 <= wanted.days < MAX_EXCEPTION_DAYS:
        raise Unfit(f"an exception holds 1 to {MAX_EXCEPTION_DAYS - 1} days")
    try:
        envelope = seal(_statement(db, alert, wanted, now))
    except BadStatement as error:
        raise Unfit(str(error)) from None
    told = papers.hand_in(db, approvers, by, as_text(envelope), now)
    audit.append(db, now, by.name, "exception_proposed", f"alert:{alert.id}", exception=told.paper.id)
    return told


def of_alerts(
    db: Session, approvers: Sequence[Approver], alerts: Iterable[str], now: float
) -> dict[str, list[Told]]:
    """The exceptions that came of these alerts, the newest first."""
    prefixes = [Paper.id.startswith(_prefix(alert)) for alert in alerts]
    if not prefixes:
        return {}
    found: dict[str, list[Told]] = {}
    rows = db.execute(select(Paper).where(Paper.kind == "exception", or_(*prefixes))).scalars()
    for told in sorted((papers.told(row, approvers, now) for row in rows), key=lambda t: -t.paper.added_at):
        assert isinstance(told.statement, ScopedException)
        found.setdefault(told.statement.alert_id, []).append(told)
    return found


def excepted(
    db: Session, approvers: Sequence[Approver], alerts: Sequence[Alert], now: float
) -> dict[str, str]:
    """Of the alerts of a page those that an exception in force came of, with its last day."""
    wanted = [a.id for a in alerts if a.determination == "false_positive"]
    marks: dict[str, str] = {}
    for alert, found in of_alerts(db, approvers, wanted, now).items():
        for told in found:
            if told.validity.standing is Standing.IN_FORCE and isinstance(told.statement, ScopedException):
                marks[alert] = max(marks.get(alert, ""), told.statement.valid_until)
    return marks


def _statement(db: Session, alert: Alert, wanted: Wanted, now: float) -> ScopedException:
    told = offer(alert)
    what = {"content": told.content, "layout": told.layout}.get(wanted.scope, "")
    where = {"anywhere": "-", "folder": told.folder, "device": told.device}.get(wanted.place, "")
    if not what or not where:
        raise Unfit("the alert does not tell what this scope would be made of")
    count = len(of_alerts(db, (), [alert.id], now).get(alert.id, ()))
    return ScopedException(
        exception_id=f"{_prefix(alert.id)}{count + 1}",
        alert_id=alert.id,
        decided_by=alert.decided_by or "",
        reason=wanted.reason.strip(),
        content=(what,) if wanted.scope == "content" else (),
        layouts=(what,) if wanted.scope == "layout" else (),
        agents=() if wanted.every_agent else (alert.agent,),
        roots=(where,) if wanted.place == "folder" else (),
        devices=(where,) if wanted.place == "device" else (),
        valid_until=today(now + wanted.days * 86400).isoformat(),
        made_at=int(now),
    )


def _prefix(alert_id: str) -> str:
    return f"EXC-{hashlib.sha256(alert_id.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}-"
