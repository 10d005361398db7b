"""How many alerts of which kind, and how often each detector was wrong: what whoever tunes needs to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from console import audit
from console.roles import Caller, Deed
from console.schema import Alert

KINDS = ("undecided", "true_positive", "false_positive", "authorised", "inconclusive")
DAY = 86400
_MOST_BARS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One label with its alerts by determination, in the order of `KINDS`."""

    label: str
    numbers: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.numbers)


@dataclass(frozen=True, slots=True)
class Detector:
    """What became of the alerts for which a detector spoke."""

    name: str
    alerts: int
    decided: int
    false: int

    @property
    def rate(self) -> float | None:
        """False alarms among those that are decided as true or false; None where there are none."""
        return self.false / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class Trends:
    """Counts of the alerts that were first seen within a span of time."""

    days: int
    total: int
    over_time: tuple[Bar, ...]
    zones: tuple[Bar, ...]
    tiers: tuple[Bar, ...]
    dispositions: tuple[Bar, ...]
    determinations: tuple[Bar, ...]
    detectors: tuple[Detector, ...]


def trends(db: Session, caller: Caller, days: int, now: float) -> Trends:
    """Over the last `days` days; told to the audit."""
    caller.require(Deed.VIEW_TRENDS)
    audit.append(db, now, caller.name, "trends_viewed", "", days=days)
    since = now - days * DAY
    over_time = _over_time(db, days, now)
    determinations = Counter[str]()
    for bar in over_time:
        determinations.update(dict(zip(KINDS, bar.numbers, strict=True)))
    return Trends(
        days,
        sum(bar.total for bar in over_time),
        over_time,
        _bars(_counted(db, Alert.zone, since)),
        _bars(_counted(db, Alert.tier, since)),
        _bars(_counted(db, Alert.disposition, since)),
        tuple(Bar(kind, tuple(determinations[k] if k == kind else 0 for k in KINDS)) for kind in KINDS),
        _detectors(_counted(db, Alert.detectors, since)),
    )


def _counted(db: Session, column: Any, since: float) -> list[tuple[str, str, int]]:
    """(value, determination, number)"""
    query = select(column, Alert.determination, func.count()).where(Alert.first_seen >= since)
    found = db.execute(query.group_by(column, Alert.determination))
    return [(str(value), kind or "undecided", number) for value, kind, number in found]


def _over_time(db: Session, days: int, now: float) -> tuple[Bar, ...]:
    """By day, or by week from 90 days on; spans without alerts are there with nothing."""
    width = DAY if days < 90 else 7 * DAY
    last = int(now // width)
    first = int((now - days * DAY) // width)
    quotient = Alert.first_seen / width
    on_sqlite = db.get_bind().dialect.name == "sqlite"
    span = cast(quotient if on_sqlite else func.floor(quotient), Integer)
    query = select(span, Alert.determination, func.count()).where(Alert.first_seen >= now - days * DAY)
    found: dict[int, Counter[str]] = {number: Counter() for number in range(first, last + 1)}
    for number, kind, count in db.execute(query.group_by(span, Alert.determination)):
        found.setdefault(number, Counter())[kind or "undecided"] += count
    return tuple(
        Bar(_date(number * width), tuple(found[number][kind] for kind in KINDS)) for number in sorted(found)
    )


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _bars(counted: Iterable[tuple[str, str, int]]) -> tuple[Bar, ...]:
    """The most frequent first."""
    found: dict[str, Counter[str]] = {}
    for value, kind, number in counted:
        found.setdefault(value or "none", Counter())[kind] += number
    bars = [Bar(value, tuple(kinds[kind] for kind in KINDS)) for value, kinds in found.items()]
    return tuple(sorted(bars, key=lambda bar: (-bar.total, bar.label))[:_MOST_BARS])


def _detectors(counted: Iterable[tuple[str, str, int]]) -> tuple[Detector, ...]:
    found: dict[str, Counter[str]] = {}
    for names, kind, number in counted:
        for name in names.split():
            found.setdefault(name, Counter())[kind] += number
    made = [
        Detector(
            name, kinds.total(), kinds["true_positive"] + kinds["false_positive"], kinds["false_positive"]
        )
        for name, kinds in found.items()
    ]
    return tuple(sorted(made, key=lambda d: (-(d.rate or 0), -d.alerts, d.name))[:40])
