"""Cells that say more than a value: a code with its label (`[1] Male`), a value behind its variable's name.

Such a column is taken apart once more: codes give way to their labels, and words that all its cells begin
with to a name. What comes out is judged as strictly as a region deep in a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from detectors.engine.table import Row

LEAST_ROWS = 10
LEAST_COLUMNS = 2
LEAST_NAMED = 3
LEAST_NAME = 2
SHARE = 0.9
MOST_COLUMNS = 200
MOST_CHARS = 80
_CODED = re.compile(r"[\[(]?(-?\d{1,3})(?:[\])]\s*|\s*[.:=)–-]\s*|\s+)([^\W\d_].*)")
_BEFORE = re.compile(r"\W*([^\W\d_](?:[\w ./()'-]*[^\W\d_)])?)[\s:=([<\"'-]*")
"""A name at the beginning of a cell, and what parts it from the value."""

Labelled = tuple[list[str] | None, list[list[str]]]
"""Names of variables, if any, and records."""


def labelled(header: Sequence[str] | None, rows: Sequence[Row]) -> Iterator[Labelled]:
    """The records with labels for codes, or with names for what each column begins with."""
    if len(rows) < LEAST_ROWS:
        return
    width = min(MOST_COLUMNS, max(map(len, rows)))
    columns = [[row[at].strip() if at < len(row) else "" for row in rows] for at in range(width)]
    found = [_without_codes(cells) for cells in columns]
    if sum(map(bool, found)) >= LEAST_COLUMNS:
        whole = [labels or cells for labels, cells in zip(found, columns, strict=True)]
        yield list(header) if header else None, [list(record) for record in zip(*whole, strict=True)]
    if header is None:
        yield from _named(columns)


def _without_codes(cells: Sequence[str]) -> list[str]:
    """The labels, if nearly all cells are a code with one, each code with its own; else nothing."""
    written = [cell for cell in cells if cell]
    if len(written) < LEAST_ROWS or not _CODED.fullmatch(written[0][:MOST_CHARS]):
        return []
    parts = {cell: _CODED.fullmatch(cell[:MOST_CHARS]) for cell in set(written)}
    told = {cell: match for cell, match in parts.items() if match}
    if sum(cell in told for cell in written) < SHARE * len(written) or len(told) < 2:
        return []
    labels = {match.group(1): match.group(2) for match in told.values()}
    if len(labels) < len(told) or len(set(labels.values())) < len(told) or 2 * len(told) > len(written):
        return []
    return [told[cell].group(2) if cell in told else cell for cell in cells]


def _named(columns: Sequence[Sequence[str]]) -> Iterator[Labelled]:
    """The columns under the words that all cells of each begin with, if most have such."""
    names = [_name([cell for cell in cells if cell]) for cells in columns]
    if sum(map(bool, names)) < max(LEAST_NAMED, SHARE * sum(any(cells) for cells in columns) - 1):
        return
    kept = [(name, cells) for name, cells in zip(names, columns, strict=True) if name]
    values = [[cell[len(name) :].strip(" :=()[]\"'.;") for cell in cells] for name, cells in kept]
    header = [match.group(1) if (match := _BEFORE.match(name)) else name for name, _ in kept]
    yield header, [list(record) for record in zip(*values, strict=True)]


def _name(cells: Sequence[str]) -> str:
    """The beginning of all cells that is a name, with what parts it from the values; "" if there is none."""
    if len(cells) < LEAST_ROWS or len(set(cells)) < 2:
        return ""
    first, last = min(cells)[:MOST_CHARS], max(cells)  # what these two share, all do
    shared = next((first[:at] for at, mark in enumerate(first) if last[at : at + 1] != mark), first)
    match = _BEFORE.match(shared)
    whole = shared[: match.end()] if match else ""
    while whole and whole[-1].isalnum():  # half of a word that the values begin with
        whole = whole[:-1]
    return whole if sum(map(str.isalpha, whole)) >= LEAST_NAME else ""
