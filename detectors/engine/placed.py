"""Where a program says that each variable of the data below it stands: SAS's `input`, SPSS's `data list`.

Places are given by first and last column (`age 6-7`), by a pointer (`@6 age 2.`) or by a width after each
name (`age 2.`), counted from 1. Data written so need no blank between two values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from detectors.engine.layout import Layout

LEAST_PLACED = 3
LEAST_LINES = 3
MOST_PLACE = 32_000
_STATEMENT = re.compile(
    r"\binput\s([^;]{1,8000}+);|\bdata list\b[^/.]{0,400}+/\s*+(?:1\s)?([^./]{1,8000}+)", re.I
)
_TOKEN = re.compile(
    r"@\s*+(?P<pointer>\d{1,5})|\+(?P<skip>\d{1,5})|(?P<first>\d{1,5})(?:\s*+-\s*+(?P<last>\d{1,5}))?(?![\d.])"
    r"|\$?[A-Za-z_]{0,40}+(?P<width>\d{1,5})\.\d*+|(?P<name>[A-Za-z_][\w#]{0,60}+)|(?P<other>[^\s$])"
)
_ASIDE = re.compile(r"\([^()]*+\)|\$(?=\s)")


def placed(before: Sequence[str]) -> tuple[list[str], list[int]]:
    """Names and first places (from 0), rising, of the last such statement; nothing if one has no place."""
    found = [a or b for a, b in _STATEMENT.findall("\n".join(before))]
    names: list[str] = []
    places: list[tuple[int, int]] = []
    at = 1
    is_open = False
    for token in _TOKEN.finditer(_ASIDE.sub(" ", found[-1])) if found else ():
        part, text = token.lastgroup, token.group(token.lastgroup or 0)
        if part == "name":
            if is_open:
                return [], []
            names.append(text)
            is_open = True
        elif part == "pointer":
            at = int(text)
        elif part == "skip":
            at += int(text)
        elif not is_open or part == "other":
            return [], []
        else:
            first = int(token.group("first") or at)
            last = int(token.group("last") or (first if part == "first" else at + int(text) - 1))
            places.append((first - 1, last))
            at, is_open = last + 1, False
    rising = all(a[1] <= b[0] for a, b in pairwise(places))
    sound = all(0 <= first < last <= MOST_PLACE for first, last in places)
    if is_open or len(places) < LEAST_PLACED or not (rising and sound):
        return [], []
    return names, [first for first, _ in places]


def given_layout(lines: Sequence[str], behind: int, names: Sequence[str]) -> Layout | None:
    """The layout of the data from line `behind` on, if places are given above for all of `names`."""
    named, cuts = placed(lines[:behind])
    if named != list(names):
        return None
    until = behind
    while until < len(lines) and len(lines[until].rstrip()) > cuts[-1]:
        until += 1
    return Layout(tuple(cuts), behind, until, 0.0, is_given=True) if until - behind >= LEAST_LINES else None
