"""Small tables of one file that are alike: a form for each person, or a few rows of one list on each sheet.

Each by itself has too few rows to have a shape. Together they are judged as one table, if their names are
those of variables about people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detectors.engine.header import kind
from detectors.engine.key_values import table_of
from detectors.engine.lexicon import Lexicon
from detectors.engine.table import Row, Table
from detectors.engine.turned import LEAST_NAMES, MOST_VARIABLES, speak_of_people

MOST_ROWS = 100
MOST_RECORDS = 1000
MOST_POOLS = 64
MOST_CELL_CHARS = 400
LEAST_TABLES = 5
MOST_WIDE = 12

Record = dict[str, str]


class Pooled:
    """Takes the small tables of a file one after another; keeps a bounded number of records."""

    def __init__(self) -> None:
        self._pools: dict[tuple[str, ...], list[list[Record]]] = {}
        self._records = 0

    def take(self, header: Sequence[str] | None, rows: Sequence[Row]) -> None:
        """One table, if it is small: as a form, else under its header."""
        if not 0 < len(rows) < MOST_ROWS or self._records >= MOST_RECORDS:
            return
        form = _form([header, *rows] if header else rows)
        if form:
            self._add((next(iter(form)),), [form])
        elif header and LEAST_NAMES <= len(header) <= MOST_VARIABLES:
            self._add(tuple(header), [_record(header, row) for row in rows])

    def _add(self, names: tuple[str, ...], records: list[Record]) -> None:
        if names in self._pools or len(self._pools) < MOST_POOLS:
            self._records += len(records)
            self._pools.setdefault(names, []).append(records)

    def absorb(self, other: Pooled, form: Record) -> None:
        """What another stream of the same file has, and the one form that it may be besides."""
        if self._records >= MOST_RECORDS:
            return
        if LEAST_NAMES <= len(form) <= MOST_VARIABLES and not other:
            self._add((next(iter(form)),), [form])
        for names, parts in other._pools.items():
            for records in parts:
                self._add(names, records)

    def __bool__(self) -> bool:
        return bool(self._pools)

    def tables(self, lexicon: Lexicon) -> Iterator[Table]:
        """The pools that may be records of people."""
        for parts in self._pools.values():
            table = None
            if len(parts) >= LEAST_TABLES:
                table = table_of([record for part in parts for record in part], LEAST_NAMES)
            if table is not None and table.header and speak_of_people(table.header, lexicon):
                yield table


def _form(rows: Sequence[Row]) -> Record:
    """Names with values, in one or two pairs of columns; empty if the table is none such."""
    rows = _without_numbers(rows)
    width = max(map(len, rows))
    if width not in (2, 4) or not LEAST_NAMES <= len(rows) * width // 2 <= MOST_VARIABLES:
        return {}
    pairs = [(row[j].strip().rstrip(" :?"), row[j + 1]) for row in rows for j in range(0, len(row) - 1, 2)]
    form = {name: value.strip()[:MOST_CELL_CHARS] for name, value in pairs if name}
    if len(form) < len([name for name, _ in pairs if name]) or any(kind(name) != "t" for name in form):
        return {}
    return form if len(form) >= LEAST_NAMES else {}


def _without_numbers(rows: Sequence[Row]) -> list[Row]:
    """The rows without blank columns, and without a first one that only numbers them."""
    width = max(map(len, rows))
    cells = [[row[at].strip() if at < len(row) else "" for row in rows] for at in range(width)]
    kept = [column for column in cells if any(column)] if width <= MOST_WIDE else cells
    if len(kept) > 2 and all(cell.rstrip(".)").isdecimal() for cell in kept[0] if cell):
        kept = kept[1:]
    return [list(row) for row in zip(*kept, strict=True)] or [[]]


def _record(header: Sequence[str], row: Row) -> Record:
    return {name: cell[:MOST_CELL_CHARS] for name, cell in zip(header, row, strict=False) if name}
