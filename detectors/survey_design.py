"""Traces of a survey or a register: record numbers, weights, missing codes, batteries of questions.

Runbook: these traces show that rows are sampled units. They say nothing of who the units are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import ne

from detectors.engine.columns import Column
from detectors.engine.view import TableView

FEATURES = (
    "key_dense",
    "key_wide",
    "key_runs",
    "weight_values",
    "missing_codes",
    "battery",
    "code_texts",
)

_CODES = frozenset(
    {-9.0, -8.0, -7.0, -6.0, -1.0, -99.0, -999.0, 98.0, 99.0, 998.0, 999.0, 9998.0, 9999.0, 99999.0}
)
_REFERENCE = re.compile(r"(?=[A-Za-z0-9]*\d)[A-Za-z]{0,4}[-_/]?[A-Fa-f0-9]{3,}[A-Za-z0-9-]*")


@dataclass(frozen=True)
class Options:
    """Tuning of this detector."""

    enabled: bool = True
    weight: float = 1.0


def measure(t: TableView) -> dict[str, float]:
    """Traces of the design of a data collection."""
    used, n = t.used, t.rows
    m = max(1, len(used))
    return {
        "key_dense": float(any(_dense(c, n) for c in used)),
        "key_wide": float(any(_wide_key(c, n) for c in used)),
        "key_runs": float(any(_runs(c, n) for c in used)),
        "weight_values": float(any(weight_like(c) for c in used)),
        "missing_codes": sum(missing_code(c) for c in used) / m,
        "battery": battery(t),
        "code_texts": sum(_references(c) for c in used) / m,
    }


def _dense(c: Column, n: int) -> bool:
    if not c.whole or c.kinds != n or n < 5:
        return False
    low, high = c.ordered[0], c.ordered[-1]
    return high - low <= 1.5 * n


def _wide_key(c: Column, n: int) -> bool:
    if c.kinds != n or n < 5:
        return False
    if c.whole:
        return (
            c.ordered[0] >= 0
            and c.ordered[-1] - c.ordered[0] > 3 * n
            and c.ordered[-1] > 999
            and not c.sorted
        )
    return c.textual and _references(c)


def _references(c: Column) -> bool:
    head = list(c.counts)[:40]
    return (
        c.textual and len(head) >= 5 and sum(bool(_REFERENCE.fullmatch(x)) for x in head) >= 0.9 * len(head)
    )


def _runs(c: Column, n: int) -> bool:
    """A record number repeated in runs: visits of a patient, waves of a panel."""
    if n < 12 or not 4 <= c.distinct <= n / 1.8 or not (c.whole or c.textual):
        return False
    changes = sum(map(ne, c.cells, c.cells[1:]))
    return changes == c.distinct - 1 and c.distinct >= 5 and not (c.textual and not _references(c))


def weight_like(c: Column) -> bool:
    """Positive real numbers of many values with a mean near 1: survey weights scaled to the sample."""
    if not c.numeric or c.whole or len(c.numbers) < 15 or c.kinds < 8:
        return False
    middle = c.mean
    return c.ordered[0] > 0 and 0.6 <= middle <= 1.7 and c.ordered[-1] <= 12 * middle and c.ordered[-1] > 1.15


def missing_code(c: Column) -> bool:
    """A code such as -9 or 99 that lies apart from the other values."""
    if not c.whole or c.kinds < 2:
        return False
    values = sorted(set(c.parsed.values()))
    ordinary = [v for v in values if v not in _CODES]
    if not ordinary or len(ordinary) == len(values):
        return False
    low, high = ordinary[0], ordinary[-1]
    negative = any(v < 0 for v in values if v in _CODES) and low >= 0
    return negative or values[-1] > max(10.0, 3 * high)


def battery(t: TableView) -> float:
    """Share of columns that are answers on one and the same short scale (at least four of them)."""
    scales: dict[tuple[float, ...] | tuple[str, ...], int] = {}
    for c in t.used:
        if not c.low or c.kinds > 11:
            continue
        key = (
            tuple(sorted(set(c.parsed.values()))) if c.whole else tuple(sorted(c.counts)) if c.textual else ()
        )
        if len(key) >= 2:
            scales[key] = scales.get(key, 0) + 1
    most = max(scales.values(), default=0)
    return most / len(t.used) if most >= 4 else 0.0
