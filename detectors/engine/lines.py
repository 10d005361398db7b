"""Rows that are still lines of text: what a full pass over a large regular table looks through.

Cutting text into cells costs ten times as much as one linear search. So a block of lines of which one
search shows that each is cut into the same number of plain cells, and is nothing but a row, stays
text; what little is looked at by cell is cut then. Whatever is not that regular is parsed as ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from detectors.engine.dialect import Dialect
from detectors.engine.forms import MOST_WIDTH, Forms, block_search, row_pattern

NEVER = 1 << 62
"""So many rows must be taken singly: all that there are."""
_QUOTE = '"'


@dataclass(frozen=True)
class Lines:
    """Whole lines without their ends, each one row that is cut at `delimiter`; no quote mark is in them.

    `steady`  all rows have looks that were seen before.
    """

    lines: list[str]
    delimiter: str
    steady: bool

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, some: slice) -> Lines:
        return Lines(self.lines[some], self.delimiter, self.steady)

    def __add__(self, other: Lines) -> Lines:
        return Lines(self.lines + other.lines, self.delimiter, self.steady and other.steady)

    def rows(self) -> list[list[str]]:
        """The rows by cell."""
        return [line.split(self.delimiter) for line in self.lines]

    @property
    def joined(self) -> str:
        """The rows with their cells set apart by tabs."""
        return "\n".join(self.lines).replace(self.delimiter, "\t")


@dataclass(frozen=True, slots=True)
class Plain:
    """What makes a line nothing but a row of its table.

    `filled`  two columns that are not blank in it.
    `low`     a column whose value does not begin with a letter, or -1.
    `not_first`  what its first cell is not; None if it may be anything.
    """

    filled: tuple[int, int]
    low: int
    not_first: str | None


class Bulk(Protocol):
    """A source of rows that can give many at once."""

    def lines(self, plain: Plain, forms: Forms) -> Lines | int:
        """The rows of a whole block, if all are plain; else how many to take singly before that may be."""
        ...


class Cutter:
    """Tells blocks of plain lines of one region, by at most two linear searches."""

    def __init__(self, dialect: Dialect, width: int) -> None:
        self._dialect, self._width = dialect, width
        self._usable = (
            dialect.delimiter in ",;\t"
            and dialect.quote in (None, _QUOTE)
            and not dialect.trim
            and 2 <= width <= MOST_WIDTH
        )
        self._made: tuple[Plain, int] | None = None

    def serves(self, plain: Plain) -> bool:
        """Whether there can be plain lines at all."""
        return self._usable and max(*plain.filled, plain.low) < self._width

    def lines(self, text: str, plain: Plain, forms: Forms) -> Lines | None:
        """The rows of `text` (whole lines with their ends), if each is plain."""
        if not text.endswith("\n"):
            return None
        if self._made != (plain, forms.version):
            self._make(plain, forms)
        coded = text.encode()
        steady = self._steady is not None and self._steady.fullmatch(coded) is not None
        if not steady and (self._any is None or self._any.fullmatch(coded) is None):
            return None
        delimiter = self._dialect.delimiter
        if self._dialect.quote and _QUOTE in text:
            text = text.replace(_QUOTE, "")
        if plain.not_first is not None:
            begun = plain.not_first + delimiter
            if text.startswith(begun) or f"\n{begun}" in text:
                return None
        lines = text.split("\n")
        lines.pop()
        return Lines(lines, delimiter, steady)

    def _make(self, plain: Plain, forms: Forms) -> None:
        dialect = self._dialect
        delimiter, quote = dialect.delimiter, dialect.quote or ""
        never = f"{delimiter}\\t\\n\\x00{_QUOTE}" + ("\\\\" if dialect.escape else "")
        seen = forms.of(self._width)
        steady, other = (
            row_pattern(looks, self._width, delimiter, never, plain.filled, plain.low, quote)
            for looks in (seen, ())
        )
        self._steady = block_search(steady) if seen else None
        self._any = block_search(other)
        self._made = (plain, forms.version)
