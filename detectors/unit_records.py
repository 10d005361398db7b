"""Is one row one record? Exchangeable rows, repeated codes, repeated combinations, a unit key.

Runbook: a high `row_order` or `combinations_unique` speaks for a table of statistics; many coded columns
and repeated combinations speak for records. Look at the columns named by position before releasing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import log10

from detectors.engine.columns import Column, centred, mean, together
from detectors.engine.view import TableView

FEATURES = (
    "rows",
    "columns",
    "rows_per_column",
    "coded_share",
    "binary_share",
    "scale_share",
    "whole_share",
    "real_share",
    "text_share",
    "date_share",
    "row_order",
    "row_order_share",
    "sorted_share",
    "combinations_unique",
    "combinations_single",
    "rows_repeated",
    "grid_full",
    "related",
    "blank_share",
    "zero_share",
    "decimals",
    "text_length",
    "values_distinct",
    "magnitude_spread",
    "label_unique",
    "whole_distinct",
    "skewed",
    "codes_in_blocks",
    "codes_in_turn",
    "codes_as_drawn",
)


@dataclass(frozen=True)
class Options:
    """Tuning of this detector."""

    enabled: bool = True
    weight: float = 1.0


def measure(t: TableView) -> dict[str, float]:
    """Shape measures of a sample; shares are of the columns that hold anything."""
    used, n = t.used, t.rows
    m = max(1, len(used))
    coded = t.coded
    series = [c for c in used if c.series]
    orders = [abs(c.lag1) for c in series[:60] if c.lag1 is not None]
    texts = [c for c in used if c.textual]
    reals = [c for c in t.numeric if not c.whole]
    wide = [c for c in t.numeric if c.kinds > 2]
    clumps = [k for c in coded[:60] if (k := c.clumped) is not None]
    unique, single = _combinations(coded, n)
    return {
        "rows": log10(max(1, n)),
        "columns": log10(max(1, t.width)),
        "rows_per_column": log10(max(1, n) / max(1, t.width)),
        "coded_share": sum(c.low for c in used) / m,
        "binary_share": sum(c.kinds == 2 and c.filled >= 5 for c in used) / m,
        "scale_share": sum(_scale(c) for c in used) / m,
        "whole_share": sum(c.whole for c in used) / m,
        "real_share": len(reals) / m,
        "text_share": len(texts) / m,
        "date_share": sum(bool(c.dates) for c in used) / m,
        "row_order": mean(orders) if orders else -1.0,
        "row_order_share": sum(o > 0.5 for o in orders) / m,
        "sorted_share": sum(c.sorted for c in series) / m,
        "combinations_unique": unique,
        "combinations_single": single,
        "rows_repeated": 1 - len(set(zip(*(c.cells for c in used), strict=True))) / n if n and used else 0.0,
        "grid_full": _grid(coded[:8], n),
        "related": _related(wide),
        "blank_share": 1 - mean([c.filled / n for c in used]) if n and used else 0.0,
        "zero_share": mean([c.numbers.count(0.0) / len(c.numbers) for c in wide]),
        "decimals": mean([_decimals(c) for c in reals]),
        "text_length": mean([mean([len(x) for x in list(c.counts)[:50]]) for c in texts]),
        "values_distinct": mean([c.kinds / c.filled for c in wide]) if wide else -1.0,
        "magnitude_spread": _magnitudes(wide),
        "label_unique": float(any(c.distinct == c.filled >= 5 and _wordy(c) for c in texts)),
        "whole_distinct": mean([c.kinds / c.filled for c in wide if c.whole]) if wide else -1.0,
        "skewed": mean([_skew(c) for c in wide]),
        "codes_in_blocks": mean([max(0.0, k) for k in clumps]) if clumps else -1.0,
        "codes_in_turn": mean([max(0.0, -k) for k in clumps]) if clumps else -1.0,
        "codes_as_drawn": sum(abs(k) < 0.25 for k in clumps) / m,
    }


def _scale(c: Column) -> bool:
    if not c.whole or not 3 <= c.kinds <= 11:
        return False
    values = c.parsed.values()
    return min(values) >= -9 and max(values) <= 10


def _wordy(c: Column) -> bool:
    head = list(c.counts)[:30]
    return sum(x[:1].isalpha() and sum(ch.isdigit() for ch in x) <= 1 for x in head) >= 0.8 * len(head)


def _combinations(coded: list[Column], n: int) -> tuple[float, float]:
    """Share of distinct combinations of the coded columns, and of rows whose combination is theirs alone."""
    if n < 4 or not coded:
        return -1.0, -1.0
    seen: dict[tuple[str, ...], int] = {}
    for key in zip(*(c.cells for c in coded[:30]), strict=True):
        seen[key] = seen.get(key, 0) + 1
    return len(seen) / n, sum(v == 1 for v in seen.values()) / n


def _grid(coded: list[Column], n: int) -> float:
    """Fullness of the best factorial grid in which every combination occurs once; 0 if there is none."""
    best = 0.0
    if n < 6:
        return best
    for size in (1, 2, 3, 4):
        for chosen in combinations(coded, size):
            cells = 1
            for c in chosen:
                cells *= c.kinds + (c.filled < n)
            if not n <= cells <= 1.6 * n or n / cells <= best:
                continue
            if len(set(zip(*(c.cells for c in chosen), strict=True))) == n:
                best = n / cells
    return best


def _related(wide: list[Column]) -> float:
    """Mean absolute correlation between numeric columns (the seven of most different values)."""
    chosen = sorted((c for c in wide if len(c.numbers) >= 5), key=lambda c: (-c.kinds, c.position))[:7]
    sides = [(len(c.numbers), centred(c.numbers[:150])) for c in chosen]
    found = []
    for (n, a), (m, b) in combinations(sides, 2):
        if n == m:
            r = together(a, b)
            if r is not None:
                found.append(abs(r))
    return mean(found) if found else -1.0


def _decimals(c: Column) -> float:
    texts = [x for x in list(c.parsed)[:40] if "." in x and "e" not in x.lower()]
    return min(8.0, mean([len(x) - x.index(".") - 1 for x in texts]))


def _magnitudes(wide: list[Column]) -> float:
    """Spread of the columns' typical sizes in powers of ten: small when all columns count the same thing."""
    sizes = []
    for c in wide:
        middle = abs(c.ordered[len(c.ordered) // 2])
        sizes.append(log10(middle) if middle > 1e-9 else -2.0)
    if len(sizes) < 2:
        return -1.0
    m = mean(sizes)
    return mean([abs(s - m) for s in sizes])


def _skew(c: Column) -> float:
    s = c.ordered
    low, middle, high = s[len(s) // 10], s[len(s) // 2], s[-1 - len(s) // 10]
    return ((high - middle) - (middle - low)) / (high - low) if high > low else 0.0
