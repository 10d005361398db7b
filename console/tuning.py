"""Tuning of the fleet's detectors: proposed by an administrator, signed by two people elsewhere, carried.

A tuning is a paper like an agreement (`console.papers`): nobody signs here, and what nobody signed changes
nothing on any workstation. Of those in force the newest counts on each workstation that it is for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from agent.statements import BadStatement, Tuning, as_text, seal
from agent.validity import Standing, today
from config.settings import Approver
from config.tuning import may_find_less
from console import audit, papers
from console.papers import Told, Unfit
from console.roles import Caller, Deed

REVIEW_DAYS = 365
_AGENT = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an administrator chose: TOML, why, for which workstations (none: all), when to look again."""

    settings: str
    reason: str
    agents: tuple[str, ...] = ()
    review_days: int = REVIEW_DAYS


@dataclass(frozen=True, slots=True)
class Line:
    """One tuning in the register; `superseded`: a newer one in force is for every workstation."""

    told: Told
    statement: Tuning
    may_find_less: list[str]
    superseded: bool


def propose(db: Session, approvers: Sequence[Approver], by: Caller, wanted: Wanted, now: float) -> Told:
    """A paper without a signature; raises `Unfit`."""
    by.require(Deed.PROPOSE_TUNING)
    if not all(_AGENT.fullmatch(agent) for agent in wanted.agents):
        raise Unfit("workstations are named by their ids, as the page Agents has them")
    if not 1 <= wanted.review_days <= 5 * 365:
        raise Unfit("it is looked at again within five years")
    review = today(now + wanted.review_days * 86400).isoformat()
    try:
        envelope = seal(Tuning.made(wanted.settings, wanted.reason, wanted.agents, review, now))
    except BadStatement as error:
        raise Unfit(str(error)) from None
    told = papers.hand_in(db, approvers, by, as_text(envelope), now)
    audit.append(db, now, by.name, "tuning_proposed", f"tuning:{told.paper.id}")
    return told


def register(db: Session, approvers: Sequence[Approver], by: Caller, now: float) -> list[Line]:
    """All tunings, the newest first."""
    found = papers.register(db, approvers, by, ("tuning",), now)
    lines: list[Line] = []
    superseded = False
    for told in sorted(found, key=_age, reverse=True):
        statement = told.statement
        assert isinstance(statement, Tuning)
        counts = told.validity.standing is Standing.IN_FORCE
        lines.append(Line(told, statement, may_find_less(statement.stanzas), counts and superseded))
        superseded = superseded or (counts and not statement.agents)
    return lines


def _age(told: Told) -> tuple[int, str]:
    return (told.statement.made_at, told.paper.id)
