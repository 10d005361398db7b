"""Is it a table of statistics? Totals, rounding, withheld cells, years across the top.

Runbook: this detector only ever speaks against records. If it fires on a file that does hold records,
look for a second table in the same file; each table is judged by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import lt, sub

from detectors.engine.columns import Column, is_band, is_mark
from detectors.engine.stanza import Bounds
from detectors.engine.view import TableView

FEATURES = (
    "total_row",
    "total_column",
    "total_words",
    "marks",
    "percent_cells",
    "thousands",
    "multiples_of_five",
    "period_names",
    "names_alike",
    "count_by_key",
    "published_words",
    "rows_to_hundred",
    "symmetric",
    "time_key",
    "place_share",
    "band_key",
    "large_counts",
    "area_key",
    "period_steps",
)
LEAST_SHARED = 5

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|"
    r"dec(?:ember)?|ionawr|chwefror|mawrth|ebrill|mai|mehefin|gorffennaf|awst|medi|hydref|tachwedd|rhagfyr)"
)
_PERIOD = re.compile(
    rf"(?:(?:\d{{1,2}} )?{_MONTH}[ -]?)?(?:x|y|fy ?)?(?:19|20)\d\d"
    rf"(?:[/-]\d{{2,4}})?(?: ?q[1-4])?(?: ?\[?[prn]\]?)?|q[1-4]|"
    rf"{_MONTH}|(?:mon|tues?|wed|thu(?:rs)?|fri|sat|sun)(?:day|nesday|urday)?",
    re.I,
)
_WORD, _DIGITS = re.compile(r"[a-z]+"), re.compile(r"\d+")
_AREA = re.compile(r"[EWSNKJL]\d{8}")
_TOTAL = re.compile(r"(?:grand |sub-?)?(?:totals?|all|cyfanswm)(?: \w+)?", re.I)


@dataclass(frozen=True)
class Options:
    """Tuning of this detector. `cap` is the most a table may score once it is plainly derived counts;
    `doubt` is taken off the log-odds of a table whose chance of being statistics is `doubt_from` or more."""

    enabled: bool = True
    weight: float = 1.0
    doubt: float = field(default=0.3, metadata={"bounds": Bounds(0.0, 5.0)})
    doubt_from: float = field(default=0.2, metadata={"bounds": Bounds(0.0, 1.0)})
    cap: float = field(default=0.25, metadata={"bounds": Bounds(0.0, 0.49)})


def measure(t: TableView) -> dict[str, float]:
    """Measures that speak for published statistics; shares are of the numeric columns unless said."""
    numeric = t.numeric
    k = max(1, len(numeric))
    total_row, total_column = _totals(t)
    names = [c.name for c in t.columns if c.name]
    around = "\n".join([" " + " ".join(_WORD.findall(line.lower())) + " " for line in t.context])
    said = t.lexicon.context
    counts = [c for c in numeric if c.whole and _middle(c) >= 50]
    return {
        "total_row": total_row,
        "total_column": total_column,
        "total_words": min(
            1.0, sum(len([*filter(_TOTAL.fullmatch, c.counts)]) for c in t.used if c.textual) / 2
        ),
        "marks": sum(
            len(c.parsed) < len(c.counts) and any(map(is_mark, c.counts.keys() - c.parsed.keys()))
            for c in numeric
        )
        / k,
        "percent_cells": sum("%" in "".join(list(c.counts)[:30]) for c in t.used) / max(1, len(t.used)),
        "thousands": sum("," in "".join(list(c.parsed)[:30]) for c in numeric) / k,
        "multiples_of_five": sum(all(v % 5 == 0 for v in c.parsed.values()) for c in counts) / k,
        "period_names": sum(bool(_PERIOD.fullmatch(x)) for x in names) / max(1, len(names)),
        "names_alike": _alike(names),
        "count_by_key": _count_by_key(t),
        "published_words": min(1.0, sum(f" {w} " in around for w in said["published"]) / 3),
        "rows_to_hundred": _hundred(numeric, t.rows),
        "symmetric": _symmetric(numeric, t.rows),
        "time_key": _time_key(t),
        "place_share": max((s.get("other.place", 0.0) for s in t.cell_concepts), default=0.0),
        "band_key": _band_key(t),
        "large_counts": len(counts) / k,
        "area_key": max((_area_key(c) for c in t.used), default=0.0),
        "period_steps": _time_steps(t),
    }


def _middle(c: Column) -> float:
    return abs(c.ordered[len(c.ordered) // 2])


def _near(a: float, b: float, terms: int) -> bool:
    return abs(a - b) <= 0.005 * abs(a) + 0.6 + (5.0 * terms**0.5 if a % 5 == 0 and a > 50 else 0.0)


def _totals(t: TableView) -> tuple[float, float]:
    """Share of columns in which one row sums the others; 1 if a column sums the other columns."""
    columns = [c for c in t.numeric if c.whole and len(c.numbers) >= 3]
    if not columns:
        return 0.0, 0.0
    hits = 0
    for c in columns[:40]:
        largest = c.ordered[-1]
        rest = sum(c.numbers) - largest
        hits += largest > 20 and _near(largest, rest, len(c.numbers))
    full = [c for c in columns if len(c.numbers) == t.rows]
    across = 0.0
    if len(full) >= 3:
        rows = list(zip(*(c.numbers for c in full[:30]), strict=True))[:40]
        sums = [max(r) > 20 and _near(max(r), sum(r) - max(r), len(r)) for r in rows]
        across = float(sum(sums) >= 0.8 * len(sums))
    return hits / len(columns[:40]), across


def _alike(names: list[str]) -> float:
    """Share of names that differ from another only by digits ("q1", "q2", "2019", "2020")."""
    stems: dict[str, int] = {}
    for name in names:
        stem = _DIGITS.sub("0", name)
        stems[stem] = stems.get(stem, 0) + 1
    return sum(v for v in stems.values() if v > 1) / len(names) if names else 0.0


def _count_by_key(t: TableView) -> float:
    """Share of rows with a key of their own, where few coded columns stand beside few columns of counts."""
    counted = {
        c.position
        for c, words in zip(t.columns, t.words, strict=True)
        if c.numeric and any(w.concept in ("count", "rate", "moment") for w in words)
    }
    keys = [c for c in t.coded if c.position not in counted]
    if not counted or not keys or t.rows < 3 or len(keys) > 8 or len(counted) > 12:
        return 0.0
    return len(set(zip(*(c.cells for c in keys), strict=True))) / t.rows


def _hundred(numeric: list[Column], n: int) -> float:
    full = [c.numbers for c in numeric if len(c.numbers) == n]
    if len(full) < 3 or n < 3:
        return 0.0
    sums = [sum(r) for r in zip(*full[:40], strict=True)][:60]
    whole = [s for s in sums if abs(s - 100) <= 1.01 or abs(s - 1) <= 0.011]
    return len(whole) / len(sums)


def are_shares(t: TableView) -> bool:
    """Whether nearly all rows are percentages of one whole, with nothing beside them but their base."""
    full = [c for c in t.numeric if len(c.numbers) == t.rows]
    if t.rows < LEAST_SHARED or len(full) < 3:
        return False
    for shares in (full, full[:-1]) if len(full) > 3 else (full,):
        sums = [sum(r) for r in zip(*(c.numbers for c in shares[:40]), strict=True)][:60]
        whole = sum(abs(s - 100) <= 1.01 for s in sums)
        if whole >= 0.95 * len(sums) and all(c.distinct > 2 for c in shares):
            return True
    return False


def _symmetric(numeric: list[Column], n: int) -> float:
    full = [c.numbers for c in numeric if len(c.numbers) == n]
    if len(full) != n or n < 4:
        return 0.0
    same = sum(abs(full[i][j] - full[j][i]) < 1e-9 for i in range(n) for j in range(i))
    return 2 * same / (n * (n - 1))


def _time_key(t: TableView) -> float:
    """1 if a column of years or dates rises, or names the row once for each value of another column."""
    best = 0.0
    for c in t.used:
        year = c.whole and c.kinds >= 4 and all(1700 <= v <= 2100 for v in c.parsed.values())
        period = c.textual and sum(bool(_PERIOD.fullmatch(x)) for x in list(c.counts)[:20]) >= 0.8 * min(
            20, c.distinct
        )
        if not (year or c.dates or period) or t.rows < 4:
            continue
        if c.kinds == c.filled and (c.sorted or period):
            return 1.0
        steps = sum(map(lt, c.series, c.series[1:])) / max(1, len(c.series) - 1)
        best = max(best, 0.7 if steps > 0.75 else 0.2 if year or period else 0.0)
    return best


def _area_key(c: Column) -> float:
    """Codes of areas in the nine places of the Office for National Statistics: 1 if each names its row."""
    if not c.textual or c.filled < 4 or not all(_AREA.fullmatch(x) for x in list(c.counts)[:40]):
        return 0.0
    return 1.0 if c.distinct == c.filled else 0.4 if c.filled >= 3 * c.distinct else 0.1


def _time_steps(t: TableView) -> float:
    """Share of rows whose year or period is one more than the row's before: a panel, unit by unit."""
    best = 0.0
    for c in t.used[:8]:
        if c.whole and c.kinds >= 3 and len(c.numbers) >= 8 and c.filled >= 2 * c.kinds:
            best = max(best, list(map(sub, c.numbers[1:], c.numbers)).count(1.0) / (len(c.numbers) - 1))
    return best


def _band_key(t: TableView) -> float:
    """Ranges ("20-24") that name each row, alone or with few other codes."""
    for c in t.used:
        texts = list(c.counts)[:30]
        if c.textual and len(texts) >= 3 and sum(map(is_band, texts)) >= 0.6 * len(texts):
            return 1.0 if c.distinct == c.filled else 0.3 if c.filled < 4 * c.distinct else 0.0
    return 0.0
