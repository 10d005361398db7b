"""Tables that stand side by side on one grid: which columns each of them takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from detectors.engine.header import filled
from detectors.engine.table import Row

MAX_SIDE_BY_SIDE = 6


def spans(body: Sequence[Row]) -> list[tuple[int, int]]:
    """Column ranges of tables that stand side by side; empty if it is one table."""
    width = max(map(len, body))
    if filled(body[0]) == width:
        return []
    used = [False] * width
    for row in body:
        for position, cell in enumerate(row):
            if cell and not cell.isspace():
                used[position] = True
    found: list[tuple[int, int]] = []
    for position in range(width):
        if used[position] and (position == 0 or not used[position - 1]):
            found.append((position, position + 1))
        elif used[position]:
            found[-1] = (found[-1][0], position + 1)
    if not 2 <= len(found) <= MAX_SIDE_BY_SIDE or any(last - first < 2 for first, last in found):
        return []
    gaps = [b[0] - a[1] for a, b in pairwise(found)]
    extents = {_extent(body, first, last) for first, last in found}
    names = [cell.strip() for cell in body[0] if cell.strip()]
    apart = min(gaps) >= 2 or len(extents) > 1 or len(set(names)) < len(names)
    return found if apart else []


def _extent(body: Sequence[Row], first: int, last: int) -> tuple[int, int]:
    rows = [i for i, row in enumerate(body) if filled(row[first:last])]
    return rows[0], rows[-1]
