"""Agents, trends, custody, audit, accounts and erasure for programs of people, by personal token."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from console import audit, bundle, desk, enrolment, fleet, people, reading, retention, trends
from console.api.alerts import AlertLine
from console.api.answers import ERRORS
from console.choice import PAGE
from console.doors import ByToken, Db, In, Now
from console.roles import Deed, Role, roles_of
from console.schema import Person

router = APIRouter(prefix="/api/v1", tags=["oversight"], responses=ERRORS(400, 401, 403, 413))
_Word = Annotated[str, Query(max_length=200)]
_Name = Annotated[str, Path(min_length=1, max_length=64)]


class FromAttributes(BaseModel):
    """Out of the objects that the pages show."""

    model_config = ConfigDict(from_attributes=True)


class AgentLine(FromAttributes):
    """One agent."""

    id: str
    hostname: str
    version: str
    config_digest: str
    enrolled_at: float
    revoked_at: float | None
    seen_at: float
    beat_at: float | None
    roots: int
    uncovered: int
    bundle: int | None
    papers_refused: int
    tuning: str


class AgentPage(BaseModel):
    """Agents by id; `following` is the `after` of the next page, "" at the end."""

    agents: list[AgentLine]
    following: str
    counts: dict[str, int]
    bundle: int
    """The serial number of the newest bundle of papers: who has a lower one is behind."""


class AgentWhole(FromAttributes):
    """One agent with its roots."""

    agent: AgentLine
    roots: list[fleet.Root]
    waiting: int
    """Alerts of it that need a decision."""
    papers_fault: str
    """Why its last try to get a bundle of papers brought nothing; "" if it did."""


class TokenWanted(BaseModel):
    """An enrolment token that is to be made."""

    note: Annotated[str, Field(max_length=200)] = ""
    agent: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,64}$")] | None = None


class TokenMade(BaseModel):
    """Shown this once."""

    token: str


class BarLine(FromAttributes):
    """Alerts under one label, by determination in the order of `kinds`."""

    label: str
    numbers: list[int]


class DetectorLine(FromAttributes):
    """How often a detector was wrong."""

    name: str
    alerts: int
    decided: int
    false: int
    rate: float | None


class TrendsTold(FromAttributes):
    """Counts of what was first seen within `days` days."""

    days: int
    total: int
    over_time: list[BarLine]
    zones: list[BarLine]
    tiers: list[BarLine]
    dispositions: list[BarLine]
    determinations: list[BarLine]
    detectors: list[DetectorLine]
    kinds: list[str] = list(trends.KINDS)


class HeldLine(AlertLine):
    """`review_at`: when the entry is due for review, as the workstation told."""

    review_at: float | None


class CustodyPage(BaseModel):
    """Alerts about what lies in a vault; `following` is the `after` of the next page."""

    entries: list[HeldLine]
    following: str


class AuditLine(FromAttributes):
    """One entry of the audit."""

    sequence: int
    at: float
    actor: str
    action: str
    subject: str
    detail: str
    prev: str
    digest: str


class AuditLines(BaseModel):
    """The newest first; `following` is the `before` of the next page, 0 at the end."""

    entries: list[AuditLine]
    following: int


class Verified(BaseModel):
    """What the check of the audit's chain found."""

    entries: int
    faults: list[audit.Fault]


class Erasure(BaseModel):
    """Erase what was decided or closed, and last changed more than `days` days ago."""

    days: Annotated[int, Field(ge=1, le=36500)]


class Erased(BaseModel):
    """How many alerts went."""

    erased: int


class PersonLine(BaseModel):
    """An account."""

    name: str
    roles: list[str]
    second_factor: bool
    disabled: bool


class NewPerson(BaseModel):
    """An account that is to be made."""

    name: Annotated[str, Field(max_length=63)]
    password: Annotated[str, Field(min_length=people.LEAST_CHARS, max_length=people.MOST_CHARS)]
    roles: Annotated[list[Role], Field(min_length=1, max_length=5)]


class PersonChange(BaseModel):
    """What is to be changed; what is null stays."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=5)] | None = None
    disabled: bool | None = None
    password: Annotated[str, Field(min_length=people.LEAST_CHARS, max_length=people.MOST_CHARS)] | None = None
    forget_totp: bool = False


@router.get("/agents", responses=ERRORS(422))
def list_agents(
    caller: ByToken,
    house: In,
    db: Db,
    now: Now,
    state: Annotated[str, Query(pattern=f"^({'|'.join(fleet.STATES)})$")] = "all",
    after: Annotated[str, Query(max_length=64)] = "",
) -> AgentPage:
    """The agents: versions, digests, and how many of their roots are not covered."""
    newest = bundle.newest(db, house.rules, house.approvers, now)
    found = fleet.fleet(db, caller, house.rules, newest, state, after.replace("\0", ""), now)
    lines = [AgentLine.model_validate(agent) for agent in found.agents]
    return AgentPage(agents=lines, following=found.following, counts=found.counts, bundle=newest.serial)


@router.get("/agents/{agent_id}", responses=ERRORS(404, 422))
def show_agent(agent_id: _Name, caller: ByToken, db: Db, now: Now) -> AgentWhole:
    """One agent with what it says of each root."""
    return AgentWhole.model_validate(fleet.one(db, caller, agent_id, now))


@router.post("/agents/tokens", status_code=201, responses=ERRORS(422))
def make_token(wanted: TokenWanted, caller: ByToken, db: Db, now: Now) -> TokenMade:
    """A token that enrols one agent, once, within 24 hours."""
    return TokenMade(token=enrolment.new_token(db, caller, wanted.note, wanted.agent, now))


@router.post("/agents/{agent_id}/revoke", responses=ERRORS(404, 422))
def revoke_agent(agent_id: _Name, caller: ByToken, db: Db, now: Now) -> AgentLine:
    """Take nothing more from an agent."""
    return AgentLine.model_validate(enrolment.revoke(db, caller, agent_id, now))


@router.get("/trends", responses=ERRORS(422))
def show_trends(
    caller: ByToken, db: Db, now: Now, days: Annotated[int, Query(ge=1, le=3650)] = 30
) -> TrendsTold:
    """How many alerts of which kind, and how often each detector was wrong."""
    return TrendsTold.model_validate(trends.trends(db, caller, days, now))


@router.get("/custody", responses=ERRORS(422))
def show_custody(caller: ByToken, db: Db, now: Now, after: _Word = "") -> CustodyPage:
    """What the vaults hold, as far as the workstations told."""
    found = desk.custody(db, caller, now, after.replace("\0", ""))
    following = f"{found[PAGE - 1].updated!r}~{found[PAGE - 1].id}" if len(found) > PAGE else ""
    return CustodyPage(entries=[HeldLine.model_validate(a) for a in found[:PAGE]], following=following)


@router.get("/audit", responses=ERRORS(422))
def show_audit(
    caller: ByToken,
    db: Db,
    now: Now,
    actor: _Word = "",
    subject: _Word = "",
    before: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> AuditLines:
    """Who looked at what and who did what, the newest first."""
    found = reading.entries(db, caller, now, actor, subject, before)
    return AuditLines(entries=[AuditLine.model_validate(e) for e in found.entries], following=found.following)


@router.post("/audit/verify")
def verify_audit(caller: ByToken, db: Db, now: Now) -> Verified:
    """Whether each entry continues the one before."""
    count, faults = reading.verify(db, caller, now)
    return Verified(entries=count, faults=faults[:100])


@router.post("/erasures", responses=ERRORS(422))
def erase(wanted: Erasure, caller: ByToken, db: Db, now: Now) -> Erased:
    """Erase old alerts, with all that they told."""
    return Erased(erased=retention.erase(db, caller, wanted.days, now))


@router.get("/people")
def list_people(caller: ByToken, db: Db) -> list[PersonLine]:
    """All accounts."""
    caller.require(Deed.MANAGE_PEOPLE)
    return [_told(person) for person in people.everybody(db)]


@router.post("/people", status_code=201, responses=ERRORS(422))
def add_person(wanted: NewPerson, caller: ByToken, db: Db, now: Now) -> PersonLine:
    """Make an account."""
    caller.require(Deed.MANAGE_PEOPLE)
    return _told(people.add(db, caller.name, wanted.name, wanted.password, frozenset(wanted.roles), now))


@router.patch("/people/{name}", responses=ERRORS(404, 422))
def change_person(name: _Name, wanted: PersonChange, caller: ByToken, db: Db, now: Now) -> PersonLine:
    """Change an account; its sessions end."""
    roles = frozenset(wanted.roles) if wanted.roles is not None else None
    person = people.change(
        db, caller, name, now,
        roles=roles, disabled=wanted.disabled, password=wanted.password, forget_totp=wanted.forget_totp,
    )  # fmt: skip
    return _told(person)


def _told(person: Person) -> PersonLine:
    return PersonLine(
        name=person.name,
        roles=sorted(roles_of(person.roles)),
        second_factor=person.totp is not None,
        disabled=person.disabled,
    )
