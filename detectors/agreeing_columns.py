"""Do columns of one row agree as a person's do? Age and year of birth, a choice, people within households.

Runbook: these are relations between columns, so they stand whatever the columns are called. A choice among
columns that carry its answers, a person number that starts again with each household, or visits of unequal
number are records of people; an age that goes with a year of birth is a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, pairwise, permutations
from operator import ne

from detectors.engine.columns import Column
from detectors.engine.view import TableView

FEATURES = (
    "age_and_birth",
    "work_and_school",
    "choice_of_columns",
    "alternatives",
    "uneven_runs",
    "counts_within",
    "heaped",
    "one_of_several",
    "spans",
)
MOST_COLUMNS = 40
_BEFORE_DIGITS = re.compile(r"^[a-z]+(?=\d+$)")
_LAST_DIGITS = re.compile(r"([A-Za-z])(\d+)$")


@dataclass(frozen=True)
class Options:
    """Tuning of this detector."""

    enabled: bool = True
    weight: float = 1.0


def measure(t: TableView) -> dict[str, float]:
    """Relations between the columns of a sample; 0 where there is none."""
    m = max(1, len(t.used))
    whole = [c for c in t.used if c.whole and len(c.numbers) == t.rows and c.kinds >= 5][:12]
    ages = [c for c in whole if c.ordered[0] >= 0 and c.ordered[-1] <= 110]
    names = [c.name or "" for c in t.columns[:MOST_COLUMNS]]
    return {
        "age_and_birth": float(any(_add_up(a, b) for a in ages for b in whole if _births(b))),
        "work_and_school": float(
            t.rows >= 8
            and any(_makes_six(*three) for three in permutations([c for c in whole[:8] if c in ages], 3))
        ),
        "choice_of_columns": _choice(t, names),
        "alternatives": _alternatives(names),
        "uneven_runs": _uneven(t),
        "counts_within": _within(t),
        "heaped": sum(heaped(c) for c in t.used) / m,
        "one_of_several": _one_of(t) / m,
        "spans": _spans(t),
    }


def _births(c: Column) -> bool:
    return c.ordered[0] >= 1850 and c.ordered[-1] <= 2030


def _add_up(age: Column, birth: Column) -> bool:
    """An age and a year of birth make one and the same year, give or take one."""
    first = age.numbers[0] + birth.numbers[0]
    if not 1900 <= first <= 2060 or len(age.numbers) < 5:
        return False
    sums = [x + y for x, y in zip(age.numbers, birth.numbers, strict=True)]
    return max(sums) - min(sums) <= 1 and not (age.sorted or birth.sorted)


def _makes_six(age: Column, school: Column, work: Column) -> bool:
    """Potential experience as labour economists take it: age less years of schooling less six."""
    rows = zip(age.numbers, school.numbers, work.numbers, strict=True)
    return (
        all(a - s - w in (5, 6, 7) or (w == 0 and a - s <= 7) for a, s, w in rows)
        and max(school.numbers) <= 25
    )


def _choice(t: TableView, names: Sequence[str]) -> float:
    """1 if the answers of one column stand, as a beginning, an end or a number, in names of the others."""
    low = [n.lower() for n in names]
    for c in t.used[:MOST_COLUMNS]:
        if not (c.textual and 2 <= c.distinct <= 12 and c.filled >= 2 * c.distinct and t.rows >= 5):
            continue
        said = 0
        for text in c.counts:
            word = text.lower()
            tail = _BEFORE_DIGITS.sub("", word)
            if len(word) < 2:
                continue
            hits = sum(
                1
                for j, n in enumerate(low)
                if j != c.position and len(n) > len(tail) and (n.endswith(tail) or n.startswith(word))
            )
            said += hits > 0
        if said >= max(2, 0.75 * c.distinct):
            return 1.0
    return 0.0


def _alternatives(names: Sequence[str]) -> float:
    """Share of names that come of a grid: several stems, each with the same endings after a mark."""
    parts: dict[str, set[str]] = {}
    for name in names:
        head, mark, tail = _LAST_DIGITS.sub(r"\1_\2", name).replace(".", "_").rpartition("_")
        if mark and head and tail:
            parts.setdefault(tail.lower(), set()).add(head.lower())
    if len(parts) < 2:
        return 0.0
    sets = list(parts.values())
    alike = sum(len(a) for a in sets if len(a) >= 2 and sum(a == b for b in sets) >= 2)
    return min(1.0, alike / max(1, len(names)))


def _uneven(t: TableView) -> float:
    """1 if a record number comes in runs of unequal length, each value once: visits, spells, members."""
    for c in t.used[:10]:
        lengths = _lengths(c)
        if len(lengths) >= 5 and _vary(lengths) and sum(lengths) >= 1.5 * len(lengths):
            return 1.0
    return 0.0


def _vary(lengths: Sequence[int]) -> bool:
    """Lengths that differ more than those of months do; the last run may be cut off."""
    return max(lengths[:-1]) >= 1.5 * min(lengths[:-1])


def _lengths(c: Column) -> list[int]:
    """The lengths of a column's runs if no value comes back after its run; else nothing."""
    if not (c.whole or c.textual) or c.distinct < 5 or c.filled < len(c.cells) or c.distinct == len(c.cells):
        return []
    if 1 + sum(map(ne, c.cells, c.cells[1:])) != c.distinct:
        return []
    return [len([*run]) for _, run in groupby(c.cells)]


def _within(t: TableView) -> float:
    """1 if a column counts 1, 2, 3 … anew within unequal runs of another: people within households."""
    counters = [c for c in t.used[:12] if c.whole and len(c.numbers) == t.rows and c.ordered[0] in (0.0, 1.0)]
    for outer in t.used[:6]:
        lengths = _lengths(outer)
        if len(lengths) < 4 or not _vary(lengths):
            continue
        expected = [float(k) for n in lengths for k in range(n)]
        for inner in counters:
            first = inner.numbers[0]
            if inner is not outer and all(
                a - first == b for a, b in zip(inner.numbers, expected, strict=True)
            ):
                return 1.0
    return 0.0


def heaped(c: Column) -> bool:
    """Whole numbers that end in 0 or 5 far oftener than chance and yet not always: as people report them."""
    if not c.whole or c.kinds < 10 or len(c.numbers) < 20:
        return False
    large = c.numbers if c.ordered[0] >= 10 else [v for v in c.numbers if abs(v) >= 10]
    if len(large) < 15 or (c.lag1 is not None and abs(c.lag1) > 0.6):
        return False
    share = [v % 5 for v in large].count(0.0) / len(large)
    return 0.45 <= share <= 0.97


def _one_of(t: TableView) -> int:
    """How many neighbouring columns of 0 and 1 are answers to one question: at most one of them is 1."""
    best = 0
    run: list[Column] = []
    for c in (*t.used, None):
        if (
            c is not None
            and c.whole
            and c.kinds == 2
            and set(c.parsed.values()) == {0.0, 1.0}
            and len(c.numbers) == t.rows >= 8
        ):
            run.append(c)
            continue
        best, run = max(best, _exclusive(run)), []
    return best


def _exclusive(run: Sequence[Column]) -> int:
    best, group = 0, list[Column]()
    for c in run[:MOST_COLUMNS]:
        taken = [sum(row) for row in zip(*(g.numbers for g in group), strict=True)] if group else []
        if group and any(a + b > 1 for a, b in zip(taken, c.numbers, strict=True)):
            group = []
        group.append(c)
        best = max(best, len(group))
    return best if best >= 3 else 0


def _spans(t: TableView) -> float:
    """1 if two columns of dates begin and end something on each row, rows in no order: episodes, cases."""
    dated = [c for c in t.used if c.dates and len(c.dates) >= 0.6 * t.rows][:5]
    for a, b in combinations(dated, 2):
        if len(a.dates) != len(b.dates) or len(a.dates) < 8:
            continue
        gaps = [y - x for x, y in zip(a.dates, b.dates, strict=True)]
        one_way = sum(g >= 0 for g in gaps) >= 0.95 * len(gaps) or sum(g <= 0 for g in gaps) >= 0.95 * len(
            gaps
        )
        rising = sum(x <= y for x, y in pairwise(a.dates)) >= 0.9 * (len(a.dates) - 1)
        if one_way and not rising and len(set(gaps)) > 3:
            return 1.0
    return 0.0
