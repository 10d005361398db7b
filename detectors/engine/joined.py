"""Records that go over several rows: by turns, or under a mark of what each row is.

What comes out has no names, and is judged as strictly as a region deep in a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from detectors.engine.header import kind
from detectors.engine.table import Row

MOST_ROWS_EACH = 4
MOST_MARKS = 6
MOST_MARK_CHARS = 6
LEAST_RECORDS = 10
SHARE = 0.9
_LOOK = 9

Kinds = tuple[str, ...]


def joined(header: Sequence[str] | None, rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The records that `rows` are if some of them make one, in each way that they allow."""
    if header is not None or len(rows) < 2 * LEAST_RECORDS:
        return
    marks = Counter(row[0] for row in rows if row and 0 < len(row[0]) <= MOST_MARK_CHARS)
    often = [mark for mark, count in marks.most_common(MOST_MARKS) if count >= LEAST_RECORDS]
    if len(often) > 1 and sum(marks[mark] for mark in often) >= SHARE * len(rows) and _are_marks(rows, often):
        yield from ([row[1:] for row in rows if row and row[0] == mark] for mark in often)
        rows = [row for row in rows if row and row[0] in often]
    yield from _by_turns(rows)


def _are_marks(rows: Sequence[Row], marks: Sequence[str]) -> bool:
    """Whether rows of one mark are alike, and rows of two are not."""
    usual = [_usual([row[1:] for row in rows if row and row[0] == mark]) for mark in marks]
    return None not in usual and len(set(usual)) == len(usual)


def _by_turns(rows: Sequence[Row]) -> Iterator[list[Row]]:
    first = [_kinds(row) for row in rows[:_LOOK]]
    for each in range(2, MOST_ROWS_EACH + 1):
        if first[0] == first[1] or first[: len(first) - each] != first[each:]:
            continue
        usual = [_usual(rows[k::each]) for k in range(each)]
        if None not in usual and len(set(usual)) == each:
            yield [
                [cell for row in rows[at : at + each] for cell in row]
                for at in range(0, len(rows) - each + 1, each)
            ]
            return


def _usual(rows: Sequence[Row]) -> Kinds | None:
    """What nearly all of these rows look like; None if they do not look alike."""
    kinds, often = Counter(map(_kinds, rows)).most_common(1)[0]
    return kinds if often >= SHARE * len(rows) else None


def _kinds(row: Row) -> Kinds:
    return tuple(map(kind, row))
