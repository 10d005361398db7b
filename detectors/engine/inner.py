"""Tables within cells: a column whose cells are lines of a table, JSON, or names with values.

A sheet may hold a delimited file that was never cut, and a table of events has its data in one column. Such
a column is cut once more; what comes out is judged as strictly as a region deep in a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain

from detectors.engine.cutting import parsed
from detectors.engine.dialect import Dialect, candidates
from detectors.engine.header import header_depth
from detectors.engine.key_values import records, table_of
from detectors.engine.literals import braced
from detectors.engine.runs import runs
from detectors.engine.table import Row

LEAST_CELLS = 5
LEAST_WIDTH = 4
LEAST_QUALITY = 0.7
MOST_COLUMNS = 60
MOST_CHARS = 1024 * 1024
MOST_DEPTH = 6
MOST_MEMBERS = 200
_CUT_AT = "\t;|,:^~¦\x01\x1f"

Inner = tuple[list[str] | None, list[list[str]]]
"""Names of variables, if any, and records."""


def cut_alike(cells: Sequence[str]) -> Dialect | None:
    """How to cut cells that are lines of one table, each into as many; None if they are anything else."""
    if len(cells) < LEAST_CELLS or not any(
        all(cell.count(mark) >= LEAST_WIDTH - 1 for cell in cells) for mark in _CUT_AT
    ):
        return None
    best, most = None, 0.0
    for dialect in candidates("\n".join(cells)):
        found = runs(dialect, cells) if dialect.delimiter in _CUT_AT else []
        if len(found) != 1 or found[0].last - found[0].first < len(cells):
            continue
        run = found[0]
        if run.width >= LEAST_WIDTH and run.quality >= LEAST_QUALITY and run.weight > most:
            best, most = dialect, run.weight
    return best


def inner(header: Sequence[str] | None, rows: Sequence[Row]) -> Iterator[Inner]:
    """What the cells of each column hold, where that is a table of its own."""
    if len(rows) < LEAST_CELLS:
        return
    for position in range(min(MOST_COLUMNS, max(map(len, rows)))):
        first = next((row[position] for row in rows if position < len(row) and row[position].strip()), "")
        if not _may_hold(first):
            continue
        cells = [row[position].strip() for row in rows if position < len(row) and row[position].strip()]
        if len(cells) < max(LEAST_CELLS, len(rows) // 2):
            continue
        name = header[position] if header and position < len(header) else ""
        yield from _held(name, _within(cells, MOST_CHARS))


def _may_hold(cell: str) -> bool:
    return (
        cell.lstrip()[:1] in ("{", "[")
        or _are_paired([cell])
        or max(map(cell.count, _CUT_AT)) >= LEAST_WIDTH - 1
    )


def _within(cells: list[str], chars: int) -> list[str]:
    """The first cells, as many as are short enough together."""
    for count, cell in enumerate(cells):
        chars -= len(cell)
        if chars < 0:
            return cells[:count]
    return cells


def _held(name: str, cells: list[str]) -> Iterator[Inner]:
    if len(cells) < LEAST_CELLS:
        return
    if all(cell[0] in "{[" for cell in cells):
        objects = list(chain.from_iterable(map(_objects, cells)))
        found = table_of(objects or braced(cells), least_keys=3)
        if found is not None:
            yield found.header, list(map(list, found.rows))
        return
    if _are_paired(cells):
        lines = [line for cell in cells for line in (*_lines(cell), "")]
        yield from ((table.header, list(map(list, table.rows))) for table in records(lines))
        return
    dialect = cut_alike(cells)
    if dialect is not None:
        with_name = [name, *cells] if name.count(dialect.delimiter) >= LEAST_WIDTH - 1 else cells
        cut = parsed(dialect, "\n".join(with_name))
        depth = header_depth(cut[:30])
        yield (cut[0], cut[1:]) if depth == 1 else (None, cut[depth:])


def _lines(cell: str) -> list[str]:
    """The lines of a cell; their ends may be written as a backslash with an n."""
    return cell.splitlines() if "\n" in cell else cell.replace("\\,", ",").split("\\n")


def _are_paired(cells: Sequence[str]) -> bool:
    """Whether each cell has several marks between names and values."""
    return any(all(cell.count(mark) >= 2 for cell in cells) for mark in ":=")


def _objects(cell: str) -> Iterator[dict[str, str]]:
    """The objects that a cell holds, each as one record: its members' members get dotted names."""
    try:
        value = json.loads(cell, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            record: dict[str, str] = {}
            _flatten(one, "", record, MOST_DEPTH)
            yield record


def _flatten(value: object, name: str, record: dict[str, str], depth: int) -> None:
    if isinstance(value, dict) and depth and len(record) < MOST_MEMBERS:
        for key, member in value.items():
            _flatten(member, f"{name}.{key}" if name else key, record, depth - 1)
    elif isinstance(value, list):
        record[name] = "; ".join(str(one) for one in value[:MOST_MEMBERS] if not isinstance(one, dict | list))
    elif value is not None and len(record) < MOST_MEMBERS:
        record[name] = str(value)
