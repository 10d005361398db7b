"""Alerts for programs of people: what the inbox and an alert's page do, by personal token."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from console import desk
from console.api.answers import ERRORS
from console.choice import Choice
from console.doors import ByToken, Db, Now
from console.schema import Alert

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=ERRORS(400, 401, 403, 413))
AlertId = Annotated[str, Path(min_length=1, max_length=80)]
_Filter = Annotated[str, Query(max_length=300)]
_Ids = Annotated[
    list[Annotated[str, Field(max_length=80)]], Field(min_length=1, max_length=desk.MOST_AT_ONCE)
]


class AlertLine(BaseModel):
    """An alert without its record."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    agent: str
    hostname: str
    revision: int
    first_seen: float
    updated: float
    severity: int
    disposition: str
    reason: str
    zone: str
    tier: str
    outcome: str
    finding: str
    title: str
    name: str
    path: str
    sha256: str
    volume: str
    person: str
    entry: str
    records: int
    state: str
    determination: str | None
    decided_by: str | None
    decided_at: float | None
    note: str | None
    assignee: str | None


class AlertPage(BaseModel):
    """A page of alerts; `following` is the query string of the next one, "" at the end."""

    alerts: list[AlertLine]
    total: int
    """Counted up to 1001."""
    following: str


class TimelineStep(BaseModel):
    """One thing that happened."""

    at: float
    who: str
    what: str
    detail: str


class AlertWhole(BaseModel):
    """An alert with its OCSF record and its timeline."""

    alert: AlertLine
    record: dict[str, Any]
    timeline: list[TimelineStep]
    related: dict[str, list[str]]
    """Ids of other alerts, with what they share."""


class Decision(BaseModel):
    """A determination about some alerts."""

    alerts: _Ids
    determination: Literal["true_positive", "false_positive", "authorised", "inconclusive"]
    note: Annotated[str, Field(max_length=desk.MOST_NOTE)] = ""


class Note(BaseModel):
    """What the next one is to know about some alerts."""

    alerts: _Ids
    note: Annotated[str, Field(min_length=1, max_length=desk.MOST_NOTE)]


class Assignment(BaseModel):
    """Who is on some alerts; "" is nobody, `@me` whoever asks."""

    alerts: _Ids
    to: Annotated[str, Field(max_length=64)]


class View(BaseModel):
    """Filters under a name; `query` is what stands behind the `?` of the inbox's address."""

    model_config = ConfigDict(from_attributes=True)
    name: Annotated[str, Field(min_length=1, max_length=80)]
    query: Annotated[str, Field(max_length=2000)]


class ViewName(BaseModel):
    """Which of one's own views."""

    name: Annotated[str, Field(min_length=1, max_length=80)]


@router.get("/alerts", responses=ERRORS(422))
def list_alerts(
    caller: ByToken,
    db: Db,
    now: Now,
    state: Literal["open", "decided", "closed", "all"] = "open",
    q: _Filter = "",
    zone: _Filter = "",
    tier: _Filter = "",
    disposition: _Filter = "",
    outcome: _Filter = "",
    agent: _Filter = "",
    determination: _Filter = "",
    person: _Filter = "",
    volume: _Filter = "",
    sha256: _Filter = "",
    assignee: _Filter = "",
    severity: Annotated[int, Query(ge=0, le=6)] = 0,
    days: Annotated[int, Query(ge=0, le=36500)] = 0,
    after: _Filter = "",
    size: Annotated[int, Query(ge=1, le=500)] = 50,
) -> AlertPage:
    """The inbox: what needs a decision first, the gravest first, then the newest."""
    choice = Choice.of(
        {
            "state": state, "q": q, "zone": zone, "tier": tier, "disposition": disposition,
            "outcome": outcome, "agent": agent, "determination": determination, "person": person,
            "volume": volume, "sha256": sha256, "assignee": assignee, "severity": str(severity),
            "days": str(days), "after": after,
        }
    )  # fmt: skip
    found = desk.inbox(db, caller, choice, now, size)
    lines = [AlertLine.model_validate(a) for a in found.alerts]
    return AlertPage(alerts=lines, total=found.total, following=found.following)


@router.get("/alerts/{alert_id}", responses=ERRORS(404, 422))
def show_alert(alert_id: AlertId, caller: ByToken, db: Db, now: Now) -> AlertWhole:
    """One alert; the look is told to the audit."""
    found = desk.look(db, caller, alert_id, now)
    return AlertWhole(
        alert=AlertLine.model_validate(found),
        record=json.loads(found.record),
        timeline=[TimelineStep(**asdict(step)) for step in desk.timeline(db, found)],
        related={other.alert.id: list(other.why) for other in desk.related(db, found)},
    )


@router.post("/decisions", responses=ERRORS(404, 422))
def decide(wanted: Decision, caller: ByToken, db: Db, now: Now) -> list[AlertLine]:
    """Record a determination about up to 500 alerts, all or none."""
    return _told(desk.decide(db, caller, wanted.alerts, wanted.determination, wanted.note, now))


@router.post("/notes", responses=ERRORS(404, 422))
def note(wanted: Note, caller: ByToken, db: Db, now: Now) -> list[AlertLine]:
    """Write a note about up to 500 alerts without deciding; it stays in their timelines."""
    return _told(desk.note(db, caller, wanted.alerts, wanted.note, now))


@router.post("/assignments", responses=ERRORS(404, 422))
def assign(wanted: Assignment, caller: ByToken, db: Db, now: Now) -> list[AlertLine]:
    """Say who is on up to 500 alerts."""
    return _told(desk.assign(db, caller, wanted.alerts, wanted.to, now))


@router.post("/alerts/{alert_id}/reopen", responses=ERRORS(404, 422))
def reopen(alert_id: AlertId, caller: ByToken, db: Db, now: Now) -> AlertLine:
    """Take a determination back."""
    return AlertLine.model_validate(desk.reopen(db, caller, alert_id, now))


@router.get("/views")
def list_views(caller: ByToken, db: Db) -> list[View]:
    """One's own saved views, by name."""
    return [View.model_validate(view) for view in desk.saved_views(db, caller)]


@router.post("/views", responses=ERRORS(422))
def save_view(wanted: View, caller: ByToken, db: Db, now: Now) -> View:
    """Keep filters under a name; a view of that name is replaced."""
    choice = Choice.of(dict(parse_qsl(wanted.query)))
    return View.model_validate(desk.save_view(db, caller, wanted.name.replace("\0", ""), choice, now))


@router.post("/views/forget", responses=ERRORS(404, 422))
def forget_view(wanted: ViewName, caller: ByToken, db: Db, now: Now) -> View:
    """Delete one."""
    return View.model_validate(desk.forget_view(db, caller, wanted.name.replace("\0", ""), now))


def _told(found: list[Alert]) -> list[AlertLine]:
    return [AlertLine.model_validate(alert) for alert in found]
