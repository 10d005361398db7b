"""The agents: which there are, how far each says that it sees, and which have fallen silent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, defer

from config.console import Console
from console import audit
from console.records import text
from console.roles import Caller, Deed
from console.schema import Agent, Alert, Bundle, EnrolmentToken
from console.shown import shown

PAGE = 100
STATES = ("all", "silent", "uncovered", "behind", "revoked")


@dataclass(frozen=True, slots=True)
class Root:
    """What one agent says of one root. Its words are untrusted."""

    path: str
    zone: str
    coverage: str
    covered: bool
    fault: str
    proof: str
    swept_at: float | None
    files: int
    backlog: int
    not_examined: int
    held: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """A page of agents, and how many there are of each kind."""

    agents: Sequence[Agent]
    following: str
    counts: dict[str, int]
    versions: Sequence[tuple[str, int]]
    digests: Sequence[tuple[str, int]]
    tunings: Sequence[tuple[str, int]]
    bundle: Bundle


def is_silent(agent: Agent, rules: Console, now: float) -> bool:
    return agent.revoked_at is None and agent.seen_at < now - rules.silent_minutes * 60


def fleet(
    db: Session, caller: Caller, rules: Console, bundle: Bundle, state: str, after: str, now: float
) -> Fleet:
    """Agents by id, from the one after `after`; told to the audit. `bundle`: the newest one of papers."""
    caller.require(Deed.VIEW_AGENTS)
    silent: ColumnElement[bool] = Agent.seen_at < now - rules.silent_minutes * 60
    active: ColumnElement[bool] = Agent.revoked_at.is_(None)
    kinds: dict[str, list[ColumnElement[bool]]] = {
        "all": [active],
        "silent": [active, silent],
        "uncovered": [active, Agent.uncovered > 0],
        "behind": [active, func.coalesce(Agent.bundle, 0) < bundle.serial],
        "revoked": [Agent.revoked_at.is_not(None)],
    }
    counts = {
        name: db.execute(select(func.count()).select_from(Agent).where(*wanted)).scalar_one()
        for name, wanted in kinds.items()
    }
    query = select(Agent).options(defer(Agent.heartbeat)).where(*kinds.get(state, kinds["all"]))
    found = list(db.execute(query.where(Agent.id > after).order_by(Agent.id).limit(PAGE + 1)).scalars())
    audit.append(db, now, caller.name, "agents_listed")
    return Fleet(
        found[:PAGE],
        found[PAGE - 1].id if len(found) > PAGE else "",
        counts,
        _numbers(db, Agent.version),
        _numbers(db, Agent.config_digest),
        _numbers(db, Agent.tuning),
        bundle,
    )


@dataclass(frozen=True, slots=True)
class Tuned:
    """What one agent says of the fleet's tuning: which one it has, and what it was refused. Untrusted words,
    made visible."""

    id: str
    may_find_less: list[str]
    refused: list[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """One agent, what its last heartbeat says, and how many of its alerts wait for a decision."""

    agent: Agent
    roots: list[Root]
    tuning: Tuned
    papers_fault: str
    """Why its last try to get a bundle of papers brought nothing; "" if it did."""
    waiting: int


def one(db: Session, caller: Caller, agent_id: str, now: float) -> Seen:
    """One agent; raises `LookupError`."""
    caller.require(Deed.VIEW_AGENTS)
    found = db.get(Agent, agent_id[:64].replace("\0", ""))
    if found is None:
        raise LookupError(agent_id)
    waiting = select(func.count()).select_from(Alert).where(Alert.agent == found.id, Alert.state == "open")
    audit.append(db, now, caller.name, "agent_viewed", f"agent:{found.id}")
    beat = json.loads(found.heartbeat or "{}")
    fault = shown(text(beat, "unmapped", "papers", "fault")[:40])
    return Seen(found, roots_of(beat), tuning_of(beat), fault, db.execute(waiting).scalar_one())


def tuning_of(heartbeat: dict[str, Any]) -> Tuned:
    """Out of an OCSF record of class 6007."""
    unmapped = heartbeat.get("unmapped")
    told = unmapped.get("tuning") if isinstance(unmapped, dict) else None
    if not isinstance(told, dict):
        return Tuned("", [], [])
    less, refused = told.get("may_find_less"), told.get("refused")
    return Tuned(
        shown(text(told, "id"))[:64],
        [shown(key)[:80] for key in (less if isinstance(less, list) else [])[:100] if isinstance(key, str)],
        [shown(f"{key}: {text(refused, key)}")[:120] for key in list(refused)[:100]]
        if isinstance(refused, dict)
        else [],
    )


def open_tokens(db: Session, now: float) -> list[EnrolmentToken]:
    """Enrolment tokens that would still let an agent in."""
    alive = (EnrolmentToken.used_at.is_(None), EnrolmentToken.expires_at > now)
    return list(db.execute(select(EnrolmentToken).where(*alive).order_by(EnrolmentToken.made_at)).scalars())


def roots_of(heartbeat: dict[str, Any]) -> list[Root]:
    """Out of an OCSF record of class 6007; what is not as it should be is left out."""
    unmapped = heartbeat.get("unmapped")
    told = unmapped.get("coverage") if isinstance(unmapped, dict) else None
    return [
        _root(entry) for entry in (told if isinstance(told, list) else [])[:500] if isinstance(entry, dict)
    ]


def _root(entry: dict[str, Any]) -> Root:
    swept = entry.get("swept_at")
    return Root(
        text(entry, "path"),
        text(entry, "zone"),
        text(entry, "coverage"),
        entry.get("covered") is True,
        text(entry, "fault"),
        text(entry, "proof"),
        float(swept) if _is_number(swept) and 0 < swept < 253_402_300_799 else None,
        _total(entry.get("files")),
        _total(entry.get("backlog")),
        _total(entry.get("not_examined")),
        _total(entry.get("held")),
    )


def _total(found: object) -> int:
    """A number, or the sum of the numbers in a table."""
    if isinstance(found, dict):
        return sum(_total(value) for value in found.values() if not isinstance(value, dict))
    return int(found) if _is_number(found) and 0 <= found < 2**53 else 0


def _is_number(found: object) -> TypeGuard[int | float]:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _numbers(db: Session, column: Any) -> list[tuple[str, int]]:
    counted = select(column, func.count()).where(Agent.revoked_at.is_(None)).group_by(column)
    return sorted(((str(v), n) for v, n in db.execute(counted)), key=lambda pair: (-pair[1], pair[0]))[:20]
