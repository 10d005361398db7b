# ruff: noqa: E501
"""Statistics derived from tables of records: the hardest negatives, same words, same people, no records."""

from __future__ import annotations

import random
from collections import Counter

from benchmarks.made_up_people import Made


def _categories(t: Made) -> list[int]:
    found = []
    for j in range(len(t.header)):
        kinds = {row[j] for row in t.rows if j < len(row)}
        if 2 <= len(kinds) <= min(30, max(2, len(t.rows) // 3)):
            found.append(j)
    return found


def _numbers(t: Made) -> list[int]:
    found = []
    for j in range(len(t.header)):
        good = sum(_number(row[j]) is not None for row in t.rows[:100] if j < len(row))
        if good >= 0.8 * min(100, len(t.rows)) and len({row[j] for row in t.rows[:200]}) > 6:
            found.append(j)
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _shown(n: int, how: str) -> str:
    if how == "five":
        return "~" if 0 < n < 5 else str(round(n / 5) * 5)
    if how == "ten":
        return "~" if 0 < n < 5 else str(round(n / 10) * 10)
    return str(n)


def derived(t: Made, seed: int) -> list[Made]:
    """Up to four aggregates of a table of records: long counts, a crosstab with totals, group means, percentages."""
    r = random.Random(f"derive{seed}{t.name}")
    keys, amounts = _categories(t), _numbers(t)
    out: list[Made] = []
    if not keys or len(t.rows) < 8:
        return out
    name = f"{t.name}"
    chosen = r.sample(keys, min(len(keys), r.randint(1, 4)))
    counts = Counter(tuple(row[j] for j in chosen) for row in t.rows)
    how = r.choice(["plain", "plain", "five", "ten"])
    label = r.choice(["n", "count", "Freq", "N", "total", "cases", "headcount", "Number"])
    listed = sorted(counts.items())
    if r.random() < 0.3:
        r.shuffle(listed)
    rows = [[*k, _shown(v, how)] for k, v in listed]
    if len(rows) >= 3:
        out.append(Made(name, "aggregate", [*(t.header[j] for j in chosen), label], rows))
    if len(keys) >= 2:
        a, b = r.sample(keys, 2)
        across = sorted({row[b] for row in t.rows})[:15]
        table = Counter((row[a], row[b]) for row in t.rows)
        rows = []
        for k in sorted({row[a] for row in t.rows}):
            cells = [table[k, x] for x in across]
            rows.append([k, *(_shown(v, how) for v in cells), _shown(sum(cells), how)])
        rows.append(
            ["Total", *(_shown(sum(table[row[0], x] for row in rows), how) for x in across), str(len(t.rows))]
        )
        out.append(Made(name, "aggregate", [t.header[a], *across, "Total"], rows))
    if amounts:
        k = r.choice(keys)
        chosen = r.sample(amounts, min(len(amounts), r.randint(1, 5)))
        groups: dict[str, list[list[str]]] = {}
        for row in t.rows:
            groups.setdefault(row[k], []).append(row)
        rows = []
        for g in sorted(groups):
            cells = [g, str(len(groups[g]))]
            for j in chosen:
                values = [v for row in groups[g] if (v := _number(row[j])) is not None]
                cells.append(f"{sum(values) / len(values):.2f}" if values else "")
            rows.append(cells)
        prefix = r.choice(["mean_", "avg ", "Mean ", ""])
        if len(rows) >= 3:
            out.append(
                Made(
                    name,
                    "aggregate",
                    [t.header[k], r.choice(["n", "N", "count"]), *(prefix + t.header[j] for j in chosen)],
                    rows,
                )
            )
    k = r.choice(keys)
    one = Counter(row[k] for row in t.rows)
    if len(one) >= 3:
        rows = [[x, str(v), f"{100 * v / len(t.rows):.1f}"] for x, v in one.most_common()]
        out.append(Made(name, "aggregate", [t.header[k], "count", r.choice(["%", "percent", "pct"])], rows))
    return out
