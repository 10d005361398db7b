"""Which alerts somebody wants to see: a choice out of a query string, and the page that it gives.

What needs a decision comes first: open before decided before closed, the gravest first, then the newest.
Pages follow each other by the last row's place in that order, so that the last costs what the first does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, defer

from console.schema import Alert

_Row = TypeVar("_Row")
PAGE = 50
MOST_COUNTED = 1000
STATES = ("open", "decided", "closed", "all")
DETERMINATIONS = ("true_positive", "false_positive", "authorised", "inconclusive")
DAYS = (1, 7, 30, 90, 365)
_EXACT = ("zone", "tier", "disposition", "outcome", "agent", "determination", "person", "volume", "sha256")


@dataclass(frozen=True, slots=True)
class Choice:
    """Filters; "" is no filter."""

    state: str = "open"
    q: str = ""
    """A part of the name, path, workstation or id."""
    zone: str = ""
    tier: str = ""
    disposition: str = ""
    outcome: str = ""
    agent: str = ""
    determination: str = ""
    person: str = ""
    volume: str = ""
    sha256: str = ""
    assignee: str = ""
    """A name, or `nobody`."""
    severity: int = 0
    """At least this."""
    days: int = 0
    """Changed within so many days."""
    after: str = ""
    """Where the page before ended."""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Choice:
        """Out of a query string; what is not understood is as if it were not there."""
        state = query.get("state", "open")
        texts = {
            key: query.get(key, "").replace("\0", "").strip()[:300]
            for key in ("q", "assignee", "after", *_EXACT)
        }
        return cls(
            state=state if state in STATES else "open",
            severity=_whole(query.get("severity", ""), 6),
            days=_whole(query.get("days", ""), 36500),
            **texts,
        )

    @property
    def query(self) -> str:
        """The query string of this choice from its first page."""
        return urlencode(
            {k: v for k, v in asdict(self).items() if v and k != "after" and (k, v) != ("state", "open")}
        )

    def following(self, last: Alert) -> str:
        """The query string of the page after the one that ends with `last`."""
        query = replace(self, after="").query
        after = urlencode({"after": f"{last.state}~{last.severity}~{last.updated!r}~{last.id}"})
        return f"{query}&{after}" if query else after


@dataclass(frozen=True, slots=True)
class Page:
    """One page of alerts, without their records."""

    alerts: Sequence[Alert]
    following: str
    """The query string of the next page; "" at the end."""
    total: int
    """How many there are, counted up to `MOST_COUNTED` + 1."""

    @property
    def total_text(self) -> str:
        return f"more than {MOST_COUNTED:,}" if self.total > MOST_COUNTED else f"{self.total:,}"


def page(db: Session, choice: Choice, now: float, size: int = PAGE) -> Page:
    """The alerts of a choice from where it stands."""
    wanted = conditions(choice, now)
    before = _after(choice)
    found = list(db.execute(_rows(wanted, before, choice, size + 1)).scalars())
    if before is None and len(found) <= size:
        return Page(found, "", len(found))
    counted = select(Alert.id).where(*wanted).limit(MOST_COUNTED + 1).subquery()
    total = db.execute(select(func.count()).select_from(counted)).scalar_one()
    following = choice.following(found[size - 1]) if len(found) > size else ""
    return Page(found[:size], following, total)


def _rows(
    wanted: Sequence[ColumnElement[bool]], before: ColumnElement[bool] | None, choice: Choice, most: int
) -> Select[Alert]:
    """Which ones is found in the index alone; only those rows are read, and they are long."""
    ids = _ordered(select(Alert.id).where(*wanted, *(() if before is None else (before,))), choice)
    these = ids.limit(most).subquery()
    found = select(Alert).options(defer(Alert.record)).join(these, Alert.id == these.c.id)
    return _ordered(found, choice)


def conditions(choice: Choice, now: float) -> list[ColumnElement[bool]]:
    """The choice as SQL; where it stands is not in it."""
    found: list[ColumnElement[bool]] = []
    if choice.state != "all":
        found.append(Alert.state == choice.state)
    found += [getattr(Alert, key) == getattr(choice, key) for key in _EXACT if getattr(choice, key)]
    if choice.assignee:
        nobody = choice.assignee == "nobody"
        found.append(Alert.assignee.is_(None) if nobody else Alert.assignee == choice.assignee)
    if choice.severity:
        found.append(Alert.severity >= choice.severity)
    if choice.days:
        found.append(Alert.updated >= now - choice.days * 86400)
    if choice.q:
        found.append(
            or_(
                func.lower(Alert.path).contains(choice.q.lower(), autoescape=True),
                func.lower(Alert.hostname).contains(choice.q.lower(), autoescape=True),
                Alert.id.startswith(choice.q, autoescape=True),
            )
        )
    return found


def _ordered(query: Select[_Row], choice: Choice) -> Select[_Row]:
    """`state` sorts by its name backwards: open, decided, closed."""
    order: list[Any] = [Alert.severity.desc(), Alert.updated.desc(), Alert.id.desc()]
    return query.order_by(Alert.state.desc(), *order) if choice.state == "all" else query.order_by(*order)


def _after(choice: Choice) -> ColumnElement[bool] | None:
    parts = choice.after.split("~", 3)
    if len(parts) != 4:
        return None
    state, last = parts[0], parts[3]
    try:
        severity, updated = int(parts[1]), float(parts[2])
    except ValueError:
        return None
    if not -1 <= severity <= 99 or not math.isfinite(updated):
        return None
    later = or_(
        Alert.severity < severity,
        and_(Alert.severity == severity, Alert.updated < updated),
        and_(Alert.severity == severity, Alert.updated == updated, Alert.id < last),
    )
    if choice.state != "all":
        return and_(Alert.severity <= severity, later)
    return or_(Alert.state < state, and_(Alert.state == state, later))


def _whole(text: str, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 9 else 0
