"""Tables on their side: variables down the side, or one value a row. Set upright, and judged once more.

A register may be written with a record in each column, or as (record, variable, value). Tables of statistics
have the same look, so only names of variables open this door, and what comes out is judged
as strictly as a region deep in a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from detectors.engine.columns import number
from detectors.engine.header import kind
from detectors.engine.lexicon import Lexicon
from detectors.engine.table import Row
from detectors.row_subject import PEOPLE

MOST_CELLS = 100_000
MOST_VARIABLES = 100
MOST_RECORDS = 300
LEAST_RECORDS = 5
LEAST_NAMES = 3
LEAST_LONG = 10


def upright(
    header: Sequence[str] | None, rows: Sequence[Row], lexicon: Lexicon
) -> Iterator[tuple[list[str], list[Row]]]:
    """The table set upright, in each way that its names allow: (names of variables, records)."""
    if sum(map(len, rows)) > MOST_CELLS or not rows:
        return
    named = [list(header)] if header else []
    yield from _transposed([*named, *rows], lexicon)
    yield from _spread(rows, lexicon)


def speak_of_people(names: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether at least three names, and half of all, are names of variables about people, of two concepts."""
    if len(set(names)) < len(names):
        return False
    known = [
        {w.concept for w in lexicon.match(name) if w.family in PEOPLE and w.strength >= 1.0} for name in names
    ]
    hits = sum(map(bool, known))
    several = len(set().union(*known)) >= 2
    return several and hits >= LEAST_NAMES and 2 * hits >= len(names)


def are_columns(rows: Sequence[Row]) -> bool:
    """Whether each of a few long rows holds one kind of value, and not all the same: columns of a table."""
    width = min(map(len, rows), default=0)
    if not LEAST_NAMES <= len(rows) <= MOST_VARIABLES or width < max(LEAST_LONG, 2 * len(rows)):
        return False
    kinds = [Counter(map(kind, row[:MOST_RECORDS])) for row in rows]
    main = [max((k for k in found if k != "b"), key=found.__getitem__, default="b") for found in kinds]
    pure = sum(
        found[k] + found["b"] * (k != "b") >= 0.95 * found.total()
        for found, k in zip(kinds, main, strict=True)
    )
    return len({*main} - {"b"}) > 1 and pure >= 0.9 * len(rows)


def _transposed(rows: Sequence[Row], lexicon: Lexicon) -> Iterator[tuple[list[str], list[Row]]]:
    """One record in each column, its variables' names in the first."""
    width = min(map(len, rows))
    if not (LEAST_NAMES <= len(rows) <= MOST_VARIABLES) or width <= max(LEAST_RECORDS, len(rows)):
        return
    names = [row[0].strip() for row in rows]
    if speak_of_people(names, lexicon):
        yield (
            names,
            [list(record) for record in zip(*(row[1 : MOST_RECORDS + 1] for row in rows), strict=False)],
        )


def _spread(rows: Sequence[Row], lexicon: Lexicon) -> Iterator[tuple[list[str], list[Row]]]:
    """One value a row: the record's number, the variable's name, the value, in whatever order of columns."""
    width = len(rows[0])
    if (
        not 3 <= width <= 5
        or len(rows) < LEAST_RECORDS * LEAST_NAMES
        or any(len(row) != width for row in rows)
    ):
        return
    columns = [[cell.strip() for cell in column] for column in zip(*rows, strict=True)]
    for at, column in enumerate(columns):
        names = list(dict.fromkeys(column))
        if not LEAST_NAMES <= len(names) <= len(rows) // LEAST_RECORDS or any(
            number(n) is not None for n in names
        ):
            continue
        if not speak_of_people(names, lexicon):
            continue
        rest = [k for k in range(width) if k != at]
        key = min(rest, key=lambda k: (abs(len(set(columns[k])) - len(rows) / len(names)), k))
        value = max((k for k in rest if k != key), key=lambda k: len(set(columns[k])))
        records: dict[str, dict[str, str]] = {}
        for owner, name, cell in zip(columns[key], column, columns[value], strict=True):
            records.setdefault(owner, {})[name] = cell
        if len(records) >= LEAST_RECORDS and 3 * sum(map(len, records.values())) >= 2 * len(records) * len(
            names
        ):
            yield names, [[record.get(name, "") for name in names] for record in records.values()]
