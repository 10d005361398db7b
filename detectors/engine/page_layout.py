"""From letters with places on a page to rows of cells, as a reader sees them.

A letter is (text, left, right, bottom, top), in points, y upwards. Letters of one height are a line; a
gap as wide as a letter is high begins another cell; cells of lines with the usual number of them mark
the columns, and what stands under one another is in one column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

WORD_GAP = 0.15
"""Of a letter's height: narrower than any blank (a quarter of the height in common fonts)."""
CELL_GAP = 0.8
SAME_LINE = 0.4


class Letter(NamedTuple):
    """One letter and its box."""

    text: str
    left: float
    right: float
    bottom: float
    top: float


class Cell(NamedTuple):
    """A run of words and where it stands across the page."""

    text: str
    left: float
    right: float


Span = tuple[float, float]


def lines(letters: Iterable[Letter]) -> list[list[Cell]]:
    """The lines of a page from top to bottom, each with its cells from left to right."""
    found: list[list[Cell]] = []
    line: list[Letter] = []
    for letter in sorted(letters, key=lambda x: (-(x.bottom + x.top), x.left)):
        if line and _middle(line[0]) - _middle(letter) > SAME_LINE * max(_height(line[0]), _height(letter)):
            found.append(_cells(line))
            line = []
        line.append(letter)
    if line:
        found.append(_cells(line))
    return found


def _middle(letter: Letter) -> float:
    return (letter.bottom + letter.top) / 2


def _height(letter: Letter) -> float:
    return letter.top - letter.bottom


def _cells(line: list[Letter]) -> list[Cell]:
    line.sort(key=lambda x: x.left)
    height = median(map(_height, line)) or 1.0
    cells: list[Cell] = []
    text, left, right = "", line[0].left, line[0].left
    for letter in line:
        gap = letter.left - right
        if text and gap > CELL_GAP * height:
            cells.append(Cell(text, left, right))
            text, left = "", letter.left
        elif text and gap > WORD_GAP * height:
            text += " "
        text += letter.text
        right = max(right, letter.right)
    cells.append(Cell(text, left, right))
    return cells


class Columns:
    """The columns of the pages so far: what stands at the same place on the next is in the same column."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def rows(self, page: Sequence[Sequence[Cell]]) -> Iterator[list[str]]:
        """The rows of a page. A blank one goes before them where the columns are others than before."""
        found = _columns(page)
        if found and not self._takes_on(found):
            if self._spans:
                yield []
            self._spans = found
        for line in page:
            yield self._row(line)

    def _takes_on(self, found: list[Span]) -> bool:
        """Whether these are the same columns; they are widened to hold both."""
        if len(found) != len(self._spans):
            return False
        pairs = list(zip(found, self._spans, strict=True))
        if not all(_overlap(new, old) > 0 for new, old in pairs):
            return False
        widened = [(min(new[0], old[0]), max(new[1], old[1])) for new, old in pairs]
        if any(a[1] > b[0] for a, b in pairwise(widened)):
            return False
        self._spans = widened
        return True

    def _row(self, line: Sequence[Cell]) -> list[str]:
        if len(line) == 1 or not self._spans:
            return [cell.text for cell in line]
        row = [""] * len(self._spans)
        for cell in line:
            place = max(range(len(row)), key=lambda i: _overlap((cell.left, cell.right), self._spans[i]))
            row[place] = f"{row[place]} {cell.text}".strip()
        return row


def _columns(page: Sequence[Sequence[Cell]]) -> list[Span]:
    """Where the cells of those lines stand that have as many as most lines with more than one."""
    counts = Counter(len(line) for line in page if len(line) > 1)
    if not counts:
        return []
    most = max(counts.values())
    usual = max(count for count, times in counts.items() if times >= most / 2)
    spans: list[Span] = []
    for left, right in sorted((c.left, c.right) for line in page if len(line) == usual for c in line):
        if spans and left < spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], right)
        else:
            spans.append((left, right))
    return spans


def _overlap(a: Span, b: Span) -> float:
    """How far two spans lie over one another; below zero, how far apart they are."""
    return min(a[1], b[1]) - max(a[0], b[0])
