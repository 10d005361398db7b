"""What people do with alerts: look, take on, decide. Pages and programs come here alike.

Each deed asks for its right, and leaves its entry in the audit in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, bindparam, or_, select, union
from sqlalchemy.orm import Session, defer

from console import audit
from console.choice import DETERMINATIONS, PAGE, Choice, Page, page
from console.roles import Caller, Deed, Role, roles_of
from console.schema import Alert, AuditEntry, Person, SavedView, Update

MOST_AT_ONCE = 500
MOST_NOTE = 4000
_MOST_RELATED = 12
_SHARED = ("sha256", "volume", "person")
# made once: to make a statement costs more than to run it
_PEOPLE = select(Person.name, Person.roles).where(Person.disabled.is_(False)).order_by(Person.name)
_VIEWS = select(SavedView).where(SavedView.person == bindparam("person")).order_by(SavedView.name)
_UPDATES = select(Update.at, Update.disposition, Update.reason, Update.status).where(
    Update.alert == bindparam("alert")
)
_DEEDS = (
    select(AuditEntry.at, AuditEntry.actor, AuditEntry.action, AuditEntry.detail)
    .where(AuditEntry.subject == bindparam("subject"), AuditEntry.action != "alert_viewed")
    .order_by(AuditEntry.sequence)
)


class Unfit(ValueError):
    """What was asked cannot be done as it was put. The text says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an alert's timeline."""

    at: float
    who: str
    what: str
    detail: str = ""


class Other(NamedTuple):
    """What is told of an alert beside another."""

    id: str
    agent: str
    hostname: str
    name: str
    title: str
    sha256: str
    volume: str
    person: str
    state: str
    determination: str | None
    updated: float


@dataclass(frozen=True, slots=True)
class Related:
    """Another alert that shares something with this one."""

    alert: Other
    why: tuple[str, ...]


def inbox(db: Session, caller: Caller, choice: Choice, now: float, size: int = PAGE) -> Page:
    """The alerts of a choice, told to the audit as one look."""
    caller.require(Deed.VIEW_ALERTS)
    found = page(db, choice, now, size)
    told = {k: v for k, v in asdict(choice).items() if v}
    audit.append(db, now, caller.name, "alerts_listed", "", shown=len(found.alerts), **told)
    return found


def look(db: Session, caller: Caller, alert_id: str, now: float) -> Alert:
    """One alert with its record; raises `LookupError`."""
    caller.require(Deed.VIEW_ALERTS)
    found = db.get(Alert, alert_id[:80].replace("\0", ""))
    if found is None:
        raise LookupError(alert_id)
    audit.append(db, now, caller.name, "alert_viewed", f"alert:{found.id}")
    return found


def decide(
    db: Session, caller: Caller, ids: Sequence[str], determination: str, note: str, now: float
) -> list[Alert]:
    """Record a determination about each; raises `Unfit` or `LookupError`, and then none is decided."""
    caller.require(Deed.DECIDE)
    if determination not in DETERMINATIONS:
        raise Unfit("a determination is one of " + ", ".join(DETERMINATIONS))
    if len(note) > MOST_NOTE:
        raise Unfit(f"a note has at most {MOST_NOTE} characters")
    if determination == "authorised" and not note.strip():
        raise Unfit("say in the note who authorised it, and by which agreement")
    found = _several(db, ids)
    for alert in found:
        before = alert.determination or ""
        alert.state, alert.determination, alert.decided_on = "decided", determination, "console"
        alert.decided_by, alert.decided_at, alert.note = caller.name, now, note.strip()
        audit.append(
            db, now, caller.name, "alert_decided", f"alert:{alert.id}",
            determination=determination, before=before, note=note.strip(),
        )  # fmt: skip
    return found


def note(db: Session, caller: Caller, ids: Sequence[str], words: str, now: float) -> list[Alert]:
    """Write down what the next one is to know, and decide nothing; raises `Unfit` or `LookupError`."""
    caller.require(Deed.DECIDE)
    if not 0 < len(words.strip()) <= MOST_NOTE:
        raise Unfit(f"a note has 1 to {MOST_NOTE} characters")
    found = _several(db, ids)
    for alert in found:
        audit.append(db, now, caller.name, "alert_noted", f"alert:{alert.id}", note=words.strip())
    return found


def reopen(db: Session, caller: Caller, alert_id: str, now: float) -> Alert:
    """Take a determination that was made here back; raises `Unfit` or `LookupError`."""
    caller.require(Deed.DECIDE)
    alert = _several(db, [alert_id])[0]
    if alert.determination is None:
        raise Unfit("nothing was decided about it")
    before = alert.determination
    alert.state, alert.determination, alert.decided_on = "open", None, None
    alert.decided_by, alert.decided_at, alert.note = None, None, None
    audit.append(db, now, caller.name, "alert_reopened", f"alert:{alert.id}", before=before)
    return alert


def assign(db: Session, caller: Caller, ids: Sequence[str], to: str, now: float) -> list[Alert]:
    """Say who is on them; "" is nobody, `@me` the caller. Raises `Unfit` or `LookupError`."""
    caller.require(Deed.ASSIGN)
    to = caller.name if to == "@me" else to
    if to and to not in assignees(db):
        raise Unfit("nobody of that name may decide")
    found = _several(db, ids)
    for alert in found:
        if (alert.assignee or "") != to:
            alert.assignee = to or None
            audit.append(db, now, caller.name, "alert_assigned", f"alert:{alert.id}", to=to)
    return found


def assignees(db: Session) -> list[str]:
    """Who may decide, by name."""
    return [name for name, roles in db.execute(_PEOPLE) if Role.ANALYST in roles_of(roles)]


def related(db: Session, alert: Alert) -> list[Related]:
    """Other alerts with the same content, device, or person on the same workstation; the newest first."""
    shared = tuple(key for key in _SHARED if getattr(alert, key))
    if not shared:
        return []
    given = {key: getattr(alert, key) for key in ("id", "agent", *_SHARED)}
    others = [Other(*row) for row in db.execute(_sharing(shared), given)]
    newest = sorted(others, key=lambda other: -other.updated)[:_MOST_RELATED]
    return [Related(other, _in_common(alert, other)) for other in newest]


@cache
def _sharing(shared: tuple[str, ...]) -> CompoundSelect[Any]:
    """A part for each, so that each uses its index; made once, which saves most of what it costs here."""
    alike = {key: getattr(Alert, key) == bindparam(key) for key in ("agent", *_SHARED)}
    alike["person"] &= alike["agent"]
    return union(
        *(
            select(
                select(*(getattr(Alert, name) for name in Other._fields))
                .where(alike[key], Alert.id != bindparam("id"))
                .order_by(Alert.updated.desc())
                .limit(_MOST_RELATED)
                .subquery()
            )
            for key in shared
        )
    )


def timeline(db: Session, alert: Alert) -> list[Step]:
    """What became of it, in order: what its workstation told, and what people did here."""
    steps = [Step(alert.first_seen, alert.hostname, "found")]
    for at, disposition, reason, status in db.execute(_UPDATES, {"alert": alert.id}):
        steps.append(Step(at, alert.hostname, " · ".join(w for w in (disposition, reason) if w), status))
    for at, actor, action, detail in db.execute(_DEEDS, {"subject": f"alert:{alert.id}"}):
        steps.append(Step(at, actor, action.replace("_", " "), audit.particulars(detail)))
    return sorted(steps, key=lambda s: s.at)


def custody(db: Session, caller: Caller, now: float, after: str = "", size: int = PAGE) -> list[Alert]:
    """What the workstations hold, as far as they told: one alert for each entry of a vault, newest first."""
    caller.require(Deed.VIEW_CUSTODY)
    query = select(Alert).where(Alert.entry != "", Alert.disposition != "restored")
    if after.count("~") == 1:
        at, _, last = after.partition("~")
        try:
            moment = float(at)
        except ValueError:
            moment = 0.0
        query = query.where(or_(Alert.updated < moment, (Alert.updated == moment) & (Alert.id < last)))
    query = query.order_by(Alert.updated.desc(), Alert.id.desc())
    audit.append(db, now, caller.name, "custody_viewed")
    return list(db.execute(query.limit(size + 1)).scalars())


def saved_views(db: Session, caller: Caller) -> list[SavedView]:
    """The caller's own views, by name."""
    return list(db.execute(_VIEWS, {"person": caller.name}).scalars())


def save_view(db: Session, caller: Caller, name: str, choice: Choice, now: float) -> SavedView:
    """Keep a choice under a name; a view of that name is replaced. Raises `Unfit`."""
    caller.require(Deed.VIEW_ALERTS)
    name = " ".join(name.split())
    if not 0 < len(name) <= 80:
        raise Unfit("a view's name has 1 to 80 characters")
    saved = db.merge(SavedView(person=caller.name, name=name, query=choice.query[:2000]))
    audit.append(db, now, caller.name, "view_saved", f"view:{name}")
    return saved


def forget_view(db: Session, caller: Caller, name: str, now: float) -> SavedView:
    """Raises `LookupError`."""
    found = db.get(SavedView, (caller.name, name))
    if found is None:
        raise LookupError(name)
    db.delete(found)
    audit.append(db, now, caller.name, "view_forgotten", f"view:{name}")
    return found


def _several(db: Session, ids: Sequence[str]) -> list[Alert]:
    wanted = sorted({i.replace("\0", "") for i in ids})
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise Unfit(f"1 to {MOST_AT_ONCE} alerts at once")
    query = select(Alert).options(defer(Alert.record)).where(Alert.id.in_(wanted)).order_by(Alert.id)
    found = list(db.execute(query.with_for_update()).scalars())
    if len(found) != len(wanted):
        raise LookupError("an alert that does not exist")
    return found


def _in_common(one: Alert, other: Other) -> tuple[str, ...]:
    return tuple(
        why
        for why, same in (
            ("same content", one.sha256 and one.sha256 == other.sha256),
            ("same device", one.volume and one.volume == other.volume),
            ("same person", one.person and (one.person, one.agent) == (other.person, other.agent)),
        )
        if same
    )
