"""Which of a table's first rows are its header, and what the variables are called.

A header cell is text, is not one of the values below it, and is shaped unlike them; a header is
never made up out of a first record. Shared by every reader that finds tables by their looks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, product

MAX_HEADER_ROWS = 4
LOOK_BELOW = 25

_NUMBER = re.compile(r"[-+(]?\s*[£$€]?\s*\d[\d,. \u00a0]*(?:[eE][-+]?\d+)?\s*%?\)?")
_BEFORE_NUMBER = "-+(£$€"
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d.*)?"
    r"|\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{2,4}|\d{1,2}:\d\d(?::\d\d.*)?"
)
_ADDRESS = re.compile(r"[\w.+-]@[\w-]+\.[\w.-]|\w+://\w")
"""A value, and never the name of a variable."""
_MARKS = frozenset(
    """~ . .. ... - -- – — : * ** # na n/a nan null none nil c [c] [x] [z] [u] [w] [low] x z s <5
    #n/a #value! #ref! #div/0!""".split()  # noqa: SIM905
)
_LONGEST_VALUE = 40
_MARKS_AS_WRITTEN = frozenset(
    "".join(letters) for mark in _MARKS for letters in product(*({letter, letter.upper()} for letter in mark))
)
_COMMON = frozenset(
    """name names first last surname forename firstname lastname fullname initials title id code ref
    reference number no date dob address street city town county country postcode sex gender email phone
    mobile telephone type status grade rank region area category description notes note comment comments
    job department dept unit team label value variable year month key field group role position company
    organisation organization school subject class species product item nationality religion ethnicity
    occupation language enw rhyw oed""".split()  # noqa: SIM905
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_SHAPES = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "a" * 26 + "A" * 26 + "9" * 10
)


def kind(cell: str) -> str:
    """`n` number, `d` date or time, `t` text, `b` blank or a mark that stands for no value."""
    if cell.isdecimal():
        return "n" if len(cell) <= _LONGEST_VALUE else "t"
    text = cell.strip()
    if len(text) <= 8 and (not text or text in _MARKS_AS_WRITTEN):
        return "b"
    if len(text) > _LONGEST_VALUE:
        return "t"
    if not text[0].isdecimal():
        return "n" if text[0] in _BEFORE_NUMBER and _NUMBER.fullmatch(text) else "t"
    if text.replace(".", "", 1).isdecimal():
        return "n"
    if _DATE.fullmatch(text):
        return "d"
    return "n" if _NUMBER.fullmatch(text) else "t"


def filled(row: Sequence[str]) -> int:
    """How many cells of a row hold something."""
    return len([*filter(str.strip, row)])


def main_kind(cells: Sequence[str]) -> str:
    """The kind of most cells that hold a value; `b` if none does."""
    kinds = "".join(map(kind, cells)).replace("b", "")
    return max(kinds, key=kinds.count, default="b")


def column(rows: Sequence[Sequence[str]], position: int) -> list[str]:
    """One column of ragged rows, blanks left out."""
    return [*filter(str.strip, [row[position] for row in rows if position < len(row)])]


def header_depth(head: Sequence[Sequence[str]]) -> int:
    """How many of the first rows are header rows: 0 for none.

    `head` holds a table's first rows, titles and notes already taken off; about 30 suffice.
    """
    if len(head) == 1:
        return int(_could_name(head[0]) and filled(head[0]) >= 2)
    depth = 0
    while depth < min(MAX_HEADER_ROWS, len(head) - 1):
        below = head[depth + 1 : depth + 1 + LOOK_BELOW]
        if not (_years(head[depth], below) or _votes(head[depth], below, strict=depth > 0)):
            break
        depth += 1
    return depth


def _could_name(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    if not cells or any(len(cell) > 250 or _ADDRESS.search(cell) for cell in cells):
        return False
    return all(kind(cell) in "tb" for cell in cells) and len(set(cells)) >= 0.5 * len(cells)


def _years(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Years or other even steps across the top of a wide table."""
    numbers = [int(cell) for cell in row if cell.strip().isdecimal() and len(cell.strip()) == 4]
    texts = filled(row) - len(numbers)
    if len(numbers) < 3 or texts > max(3, len(numbers)) or not all(1800 <= year <= 2150 for year in numbers):
        return False
    steps = {b - a for a, b in pairwise(numbers)}
    if not (0 < min(steps) <= max(steps) <= 10 or -10 <= min(steps) <= max(steps) < 0):
        return False
    return not any(_years(other, ()) for other in below[:3])


def _votes(row: Sequence[str], below: Sequence[Sequence[str]], strict: bool) -> bool:
    if not _could_name(row):
        return False
    total = typed = 0.0
    for position, cell in enumerate(row):
        values = column(below, position)
        if not cell.strip() or not values:
            continue
        vote, by_type = _vote(cell.strip(), values)
        total += vote
        typed += by_type
    if strict:
        return typed > 0 and total > 0
    return total > 0 or (total == 0 and _common_words(row) and not any(map(_common_words, below)))


def _vote(cell: str, values: list[str]) -> tuple[float, float]:
    """How much one cell looks like the name of the values below it; and that by its type alone."""
    below = main_kind(values)
    mine = "t" if cell.isalpha() else kind(cell)  # a mark such as `x` may well be a name
    if mine == "b" or below == "b":
        return 0.0, 0.0
    if below in "nd":
        return (1.0, 1.0) if mine == "t" else (-1.0, -1.0)
    if mine in "nd":
        return -0.5, 0.0
    return _vote_by_shape(cell, [value.strip() for value in values]), 0.0


def _vote_by_shape(cell: str, values: list[str]) -> float:
    """A text cell over text values."""
    if cell in values:
        return -1.0
    vote = 0.5 if len(values) >= 4 and len(set(values)) <= 0.6 * len(values) else 0.0
    shapes = Counter(value.translate(_SHAPES) for value in values)
    shape, often = shapes.most_common(1)[0]
    mine = cell.translate(_SHAPES)
    if often >= 0.8 * len(values) and len(values) >= 3:
        return vote - 0.4 if mine == shape else vote + 0.6
    for mark in ("9", " ", "@", "A"):
        share = sum(mark in value.translate(_SHAPES) for value in values) / len(values)
        if share >= 0.8 and mark not in mine:
            return vote + 0.4
        if share <= 0.1 and mark in mine and mark != "A":
            return vote - 0.2 if mark == "9" else vote + 0.1
    return vote


def _common_words(row: Sequence[str]) -> bool:
    words = {word.lower() for cell in row if len(cell) <= 60 for word in _WORDS.findall(cell)}
    return not words.isdisjoint(_COMMON)


def fold(rows: Sequence[Sequence[str]]) -> list[str]:
    """Several header rows as one: group names carried to the right, joined by "|" from the top."""
    width = max(map(len, rows))
    names: list[list[str]] = [[] for _ in range(width)]
    for depth, row in enumerate(rows):
        carried = ""
        for position in range(width):
            cell = row[position].strip() if position < len(row) else ""
            if depth < len(rows) - 1:
                carried = cell or (carried if position else "")
                cell = carried
            if cell and cell not in names[position]:
                names[position].append(cell)
    return ["|".join(parts) for parts in names]
