"""Which stretches of lines one dialect cuts into the rows of a table, and how much each of them weighs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from detectors.engine.dialect import (
    MAX_CELLS,
    MAX_QUOTED_LINES,
    PIPES,
    TEX,
    WEAK,
    WIKI,
    Dialect,
    cells_of,
    column_kind,
    numbered_rows,
    quality,
    sampled,
    sampled_quality,
)

_ANY = -1
MIN_QUALITY = 0.45
MAX_RAGGED_QUALITY = 0.8


@dataclass(frozen=True, slots=True)
class Run:
    """Lines `first` up to, not with, `last`, that one dialect cuts into `width` cells each."""

    first: int
    last: int
    width: int
    quality: float

    @property
    def weight(self) -> float:
        return (self.last - self.first) * (self.width - 1) / self.width * self.quality


def runs(dialect: Dialect, lines: Sequence[str], least: float = 0.0) -> list[Run]:
    """The stretches of `lines` that look like rows of a table in this dialect.

    They may be left out if they weigh no more than `least` together.
    """
    found: list[Run] = []
    if dialect.delimiter in ": " and dialect.quote is None and _most(dialect, lines) <= least:
        return found
    counts = _counts(dialect, lines)
    if dialect.plain:
        _add_plain(found, dialect, lines, counts)
    for first, last in () if dialect.plain else _worth_parsing(dialect, lines, counts):
        numbered = numbered_rows(dialect, lines[first:last])
        for width, group in groupby(numbered, key=lambda item: len(item[2])):
            part = list(group)
            if width >= 2:
                _add(found, dialect, part, width, first)
    if len(lines) - counts.count(0) < 0.8 * sum(map(bool, lines)):
        return found
    weight = sum(run.weight for run in found)
    if 2 * weight >= MAX_RAGGED_QUALITY * len(lines):
        return found  # no ragged run of these lines could weigh more
    ragged = _ragged(dialect, lines) if dialect.delimiter not in ": " else None
    if ragged is not None and ragged.weight > 2 * weight:
        return [ragged]
    return found


def _most(dialect: Dialect, lines: Sequence[str]) -> float:
    """What runs of these lines can weigh at most, none of them ragged, quotes not heeded."""
    cuts = [line.count(dialect.delimiter) for line in lines]
    most = max(cuts)
    return WEAK * (len(cuts) - cuts.count(0)) * most / (most + 1)


def _counts(dialect: Dialect, lines: Sequence[str]) -> list[int]:
    """How often each line is cut, quotes not heeded."""
    if dialect.delimiter == " ":
        return [len(line.split()) - 1 for line in lines]
    if dialect.delimiter == WIKI:
        return [line.count(WIKI) or line.count("!!") for line in lines]
    return [line.count(dialect.delimiter) for line in lines]


def _worth_parsing(dialect: Dialect, lines: Sequence[str], counts: list[int]) -> Iterator[tuple[int, int]]:
    """Stretches in which neighbouring lines are cut equally often, or may be for their quotes."""
    if dialect.quote is not None:
        _mark_quoted(dialect.quote, lines, counts)
    if dialect.delimiter in (*PIPES, TEX, WIKI):
        counts = [_ANY if dialect.is_rule(line) else count for line, count in zip(lines, counts, strict=True)]
    first = -1
    before = 0
    for at, (count, behind) in enumerate(zip(counts, [*counts[1:], 0], strict=True)):
        alike = count == _ANY or (count > 0 and (before in (count, _ANY) or behind in (count, _ANY)))
        before = count
        if alike and first < 0:
            first = at
        elif not alike and first >= 0:
            if at - first >= _least(dialect, counts[first : first + 2]):
                yield first, at
            first = -1
    if first >= 0:
        yield first, len(counts)


def _least(dialect: Dialect, counts: list[int]) -> int:
    """How many rows make a table of this many cuts: two will do where the delimiter is seldom chance."""
    few = _ANY not in counts and max(counts) <= 2 if dialect.delimiter == "," else dialect.delimiter in " :"
    return 3 if few else 2


def _mark_quoted(quote: str, lines: Sequence[str], counts: list[int]) -> None:
    """Set `_ANY` for lines with quotes and for those inside a quoted cell."""
    opened = -MAX_QUOTED_LINES
    for at, line in enumerate(lines):
        quotes = line.count(quote)
        if quotes:
            counts[at] = _ANY
        if quotes % 2:
            if at - opened < MAX_QUOTED_LINES:
                counts[opened:at] = [_ANY] * (at - opened)
                opened = -MAX_QUOTED_LINES
            else:
                opened = at


def _add(
    found: list[Run], dialect: Dialect, part: list[tuple[int, int, list[str]]], width: int, offset: int
) -> None:
    if len(part) < _least(dialect, [width - 1]):
        return
    value = quality(dialect, [row for _, _, row in part])
    if value >= MIN_QUALITY:
        found.append(Run(offset + part[0][0], offset + part[-1][1], width, value))


def _add_plain(found: list[Run], dialect: Dialect, lines: Sequence[str], counts: list[int]) -> None:
    """The same for all lines, in a plain dialect: a sample of those cut equally often is cut."""
    if dialect.delimiter.isspace():
        counts = [count if line.strip() else 0 for count, line in zip(counts, lines, strict=True)]
    at = 0
    for count, group in groupby(counts):
        start, at = at, at + len(list(group))
        if count < 1 or at - start < _least(dialect, [count]):
            continue
        value = sampled_quality(
            dialect, [cells_of(dialect, line) for line in sampled(lines[start:at])], at - start
        )
        if value >= MIN_QUALITY:
            found.append(Run(start, at, min(count, MAX_CELLS) + 1, value))


def _ragged(dialect: Dialect, lines: Sequence[str]) -> Run | None:
    """All lines as one table whose rows break off early or run on."""
    part = [item for item in numbered_rows(dialect, lines) if item[2]]
    widths = [len(row) for _, _, row in part]
    if len(part) < 5 or max(widths) < 3:
        return None
    if len(widths) - widths.count(1) < 0.9 * len(widths):
        return None
    rows = [row for _, _, row in part]
    value = MAX_RAGGED_QUALITY * quality(dialect, rows)
    if value < MIN_QUALITY:
        return None
    kinds = (column_kind(rows, i) for i in range(min(max(widths), 20)))
    if not any(share > 0.8 and k in "nd" for k, share in kinds):
        return None
    return Run(part[0][0], part[-1][1], max(2, Counter(widths).most_common(1)[0][0]), value)
