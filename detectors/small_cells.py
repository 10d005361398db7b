"""Is a table bound for publication disclosive? Small counts that stand unsuppressed in an aggregate.

Runbook: gives the advisory `small_cells` only; the file is no microdata. Suppress or round before release, or
record why the counts may stand (census tables with perturbed counts hold true 1s and 2s).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.engine.columns import Column
from detectors.engine.stanza import Bounds
from detectors.engine.view import TableView


@dataclass(frozen=True)
class Options:
    """Tuning of this detector: counts from 1 up to `below` (not included) are small."""

    enabled: bool = True
    weight: float = 1.0
    below: int = field(default=5, metadata={"bounds": Bounds(2, 100)})
    min_cells: int = field(default=1, metadata={"bounds": Bounds(1, 1000)})


def find(t: TableView, options: Options) -> dict[int, int]:
    """Small counts by column position, in columns that count something."""
    found: dict[int, int] = {}
    for c, words in zip(t.columns, t.words, strict=True):
        counts = any(w.concept == "count" for w in words)
        if counts or _counting(c, options.below):
            small = sum(1 for v in c.numbers if 0 < v < options.below)
            if small >= options.min_cells:
                found[c.position] = small
    return found


def _counting(c: Column, below: int) -> bool:
    if not c.whole or len(c.numbers) < 3 or min(c.numbers) < 0:
        return False
    years = all(1700 <= v <= 2100 for v in c.numbers)
    return max(c.numbers) >= 10 * below and not years and not c.sorted
