"""What the rows of a table look like, as one linear search: whether all of a block is like rows seen before.

A row is known by its columns: which may be blank, numbers or text, how long numbers are and whether they
are whole, for the numbers that identify people are long and whole. Rows that fit need no second look;
rows that do not may be another region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import re2

COLUMNS = 40
MOST_FORMS = 12
MOST_WIDTH = 500
_FEW_DIGITS, _MANY_DIGITS = 8, 20
_BEFORE = "-+.%£ "
_ALIKE = str.maketrans("123456789", "0" * 9)
"""So many cells become one, and the look of none changes."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column's cells may be. `digits` is how many a number begins with at most; 0: there are none.

    `whole` numbers and broken ones (`fraction`: with a point behind those digits) are told apart.
    """

    blank: bool = True
    text: bool = True
    digits: int = _MANY_DIGITS
    whole: bool = True
    fraction: bool = True

    def pattern(self, never: str, filled: bool = False, low: bool = False) -> str:
        """For one cell, in which the characters `never` do not occur.

        `filled` leaves out the blank cell, `low` what begins with a letter or anything above it.
        """
        above = "A-\\x{10FFFF}" if low else ""
        rest = f"[^{never}]*"
        if self == Cell():
            found = [f"[^{above}{never}]{rest}"]
        else:
            before = "[-+.% ]*" if low else f"[{_BEFORE}]*"
            found = []
            if self.digits:
                most = "" if self.digits >= _MANY_DIGITS else str(self.digits)
                begun = f"{before}[0-9]{{1,{most}}}"
                found += [f"{begun}(?:[^0-9.{never}]{rest})?"] if self.whole else []
                found += [f"{begun}\\.{rest}"] if self.fraction else []
            if self.text and not low:
                found += [f"{before}[^{_BEFORE}0-9{never}]{rest}", f"[{_BEFORE}]+"]
        if (self.blank and not filled) or not found:
            found.append("")
        return f"(?:{'|'.join(found)})"


ANY = Cell()
Form = tuple[Cell, ...]


class Forms:
    """The looks that the rows of one table were seen to have; at most `MOST_FORMS`."""

    def __init__(self, rows: Sequence[Sequence[str]]) -> None:
        self._seen: list[tuple[int, Form]] = []
        self._search: Any = None
        self.version = 0
        """Counts the changes."""
        self.learn(rows)

    def of(self, width: int) -> list[Form]:
        """The looks of rows of so many cells."""
        return [form for cells, form in self._seen if cells == width]

    def learn(self, rows: Sequence[Sequence[str]]) -> bool:
        """Add the look of these rows; False if there is no room for it."""
        widths = [len(row) for row in rows]
        width = max(set(widths), key=widths.count) if widths else 0
        if not 0 < width <= MOST_WIDTH or len(self._seen) >= MOST_FORMS:
            return False
        alike = [row for row in rows if len(row) == width]
        form = tuple(_cell([row[j] for row in alike]) for j in range(min(width, COLUMNS)))
        if (width, form) in self._seen:
            return False
        self._seen.append((width, form))
        self._renew()
        return True

    def allow_blanks(self, rows: Sequence[Sequence[str]]) -> bool:
        """Let be blank what is blank in rows that else have a look that was seen; False if nothing is new."""
        before = self._seen
        self._seen = [(width, _with_blanks(form, rows, width)) for width, form in before]
        if self._seen == before:
            return False
        self._renew()
        return True

    def _renew(self) -> None:
        self.version += 1
        lines = [row_pattern([form], width, "\t", "\\t\\n") for width, form in self._seen]
        self._search = block_search("|".join(lines))

    def hold(self, joined: str) -> bool:
        """Whether every row (cells set apart by tabs, rows by line ends) has one of the looks."""
        return self._search is not None and self._search.fullmatch(f"{joined}\n".encode()) is not None


def row_pattern(
    forms: Sequence[Form],
    width: int,
    delimiter: str,
    never: str,
    filled: Sequence[int] = (),
    low: int = -1,
    quote: str = "",
) -> str:
    """For a line of `width` cells that has one of the forms; with no form, any cells."""
    lines = []
    for form in forms or [()]:
        cells = []
        for j in range(width):
            cell = form[j] if j < len(form) else ANY
            pattern = cell.pattern(never, j in filled, j == low)
            cells.append(f"(?:{pattern}|{quote}{pattern}{quote})" if quote else pattern)
        lines.append(delimiter.join(cells))
    return "|".join(lines)


def block_search(row: str) -> Any:
    """The search for a block of whole lines that all fit `row`; None where it would be too large."""
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(f"(?:(?:{row})\n)+", options)
    except re2.error:
        return None


def _cell(cells: Sequence[str]) -> Cell:
    """What these cells of one column have in common."""
    blank = text = whole = fraction = False
    digits = 0
    for cell in set("\0".join(cells).translate(_ALIKE).split("\0")):
        bare = cell.lstrip(_BEFORE)
        long = len(bare) - len(bare.lstrip("0123456789"))
        blank |= not cell
        text |= bool(cell) and not long
        digits = max(digits, long)
        point = bare[long : long + 1] == "."
        whole |= long > 0 and not point
        fraction |= long > 0 and point
    return Cell(blank, text, max(digits, _FEW_DIGITS) if digits else 0, whole, fraction)


def _with_blanks(form: Form, rows: Sequence[Sequence[str]], width: int) -> Form:
    alike = [row for row in rows if len(row) == width]
    return tuple(
        cell if cell.blank or all(row[j] for row in alike) else replace(cell, blank=True)
        for j, cell in enumerate(form)
    )
