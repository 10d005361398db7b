"""Tables laid out in columns of fixed width: where the columns are, told by where all lines are blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from detectors.engine.dialect import Dialect, is_rule, quality

MIN_LINES = 3
MANY_LINES = 12
LEAST_PAGES = 3
MOST_SAMPLED = 600
MAX_WIDTH = 32_768
MAX_SAMPLED_CHARS = 400_000
STRAY_SHARE = 0.02
_TABLE = Dialect("\0", aligned=True)
_EXPAND = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Lines `first` to `last` of the lines looked at have their cells between `cuts`."""

    cuts: tuple[int, ...]
    first: int
    last: int
    weight: float
    framed: bool = False
    """A bar at both ends of a line is drawn around the table."""
    is_given: bool = False
    """Where the columns begin was said: no blank need stand before one."""
    is_guess: bool = False
    """It was said by nobody but the digits themselves."""

    def rows(self, text: str) -> list[list[str]]:
        """Whole lines as rows of trimmed cells; drawn rules are left out, blank lines are empty rows."""
        spans = [*pairwise(self.cuts), (self.cuts[-1], None)]
        lines = (text.replace("|", " ") if self.framed else text).split("\n")
        if not lines[-1]:
            lines.pop()
        return [
            [line[a:b].strip() for a, b in spans] if line and not line.isspace() else []
            for line in map(_spaced, lines)
            if not (line.count("-") > 2 or line.count("=") > 2) or not is_rule(line)
        ]

    def fits(self, lines: Sequence[str]) -> bool:
        """Whether most of these lines are blank before each column, or reach into each that was given."""
        written = [line for line in map(_spaced, lines) if line.strip() and not is_rule(line)]
        if self.is_given:
            return sum(len(line) <= self.cuts[-1] for line in written) <= 0.1 * len(written)
        strays = sum(
            any(not line[cut - 1 : cut].isspace() for cut in self.cuts[1:] if len(line) > cut)
            for line in written
        )
        return strays <= 0.1 * len(written)


def _spaced(line: str) -> str:
    return line.expandtabs(_EXPAND) if "\t" in line else line


def fixed_width(lines: Sequence[str]) -> Layout | None:
    """The layout of `lines`, if they are a table of fixed width; title lines before it are passed over."""
    first, last = _stretch(lines)
    rows = [_spaced(line) for line in lines[first:last] if line.strip() and not is_rule(line)]
    width = max(map(len, rows), default=0)
    if len(set(rows)) < MIN_LINES or not 3 <= width <= MAX_WIDTH:
        return None
    step = max(1, len(rows) // MOST_SAMPLED, len(rows) * width // MAX_SAMPLED_CHARS)
    cuts = _cuts(_without_titles(lines[first:last], rows)[::step])
    if len(cuts) < 2:
        return None
    layout = Layout(tuple(cuts), first, last, 0.0)
    cells = layout.rows("\n".join(rows))
    if not layout.fits(rows) or not _is_table(cells, rows) or _are_torn(rows, cuts):
        return None
    value = quality(_TABLE, cells)
    if value < 0.5:
        return None
    return Layout(layout.cuts, first, last, len(cells) * (len(cuts) - 1) / len(cuts) * value)


def _stretch(lines: Sequence[str]) -> tuple[int, int]:
    """Without blank lines at both ends, and without lone title lines cut off by a blank one."""
    first, last = 0, len(lines)
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    for at in range(first, min(first + 6, last)):
        if not lines[at].strip() and last - at > 4:
            return at + 1, last
    return first, last


def _without_titles(lines: Sequence[str], rows: list[str]) -> list[str]:
    """`rows` without the lines between two blank ones, if they are what stands at the head of each page."""
    blank = [not line.strip() for line in lines]
    alone = [
        b or (before and after)
        for before, b, after in zip([True, *blank], blank, [*blank[1:], True], strict=False)
    ]
    lone = sum(alone) - sum(blank)
    if not LEAST_PAGES <= lone <= 0.2 * len(rows):
        return rows
    return [_spaced(line) for line, left in zip(lines, alone, strict=True) if not left and not is_rule(line)]


def _cuts(rows: Sequence[str]) -> list[int]:
    """Where columns begin: behind positions that are blank in (nearly) all rows."""
    width = max(map(len, rows))
    text = "".join([row.ljust(width) for row in rows])
    used = [len(rows) - text[position::width].count(" ") for position in range(width)]
    allowed = int(STRAY_SHARE * len(rows))
    cuts: list[int] = []
    blank = True
    for position, count in enumerate(used):
        if count > allowed and blank:
            cuts.append(position)
        blank = count <= allowed
    cuts = _set_right(rows[0], cuts, [count > allowed for count in used])
    crossed = [cut for cut in cuts[1:] if rows[0][cut - 1 : cut].strip()]
    if len(crossed) <= 0.4 * len(cuts):  # else the first row is a title, no header
        cuts = [cut for cut in cuts if cut not in crossed]
    kept = cuts[:1]
    for cut, following in pairwise([*cuts[1:], width]):
        if _apart(used, cut) or _is_border(rows, kept[-1], cut, following):
            kept.append(cut)
    return _under_names(rows[0], kept)


def _set_right(first: str, cuts: Sequence[int], used: Sequence[bool]) -> list[int]:
    """The cuts, but before the name in the first row that ends where its column does and begins earlier."""
    found: list[int] = []
    for cut, following in pairwise([*cuts, len(used)]):
        last = following
        while last > cut and not used[last - 1]:
            last -= 1
        begin = cut
        while begin > 0 and first[begin - 1 : begin].strip() and not used[begin - 1]:
            begin -= 1
        ends = first[cut:last].strip() and not first[last : last + 1].strip()
        found.append(begin if ends else cut)
    return found


def _under_names(first: str, cuts: list[int]) -> list[int]:
    """Without the cuts that leave one or two columns alone without a name in the first row."""
    spans = [*pairwise([*cuts, len(first)])]
    unnamed = [a for a, b in spans[1:] if not first[a:b].strip()]
    return [cut for cut in cuts if cut not in unnamed] if len(unnamed) <= 0.15 * len(cuts) else cuts


def _apart(used: Sequence[int], cut: int) -> bool:
    """Whether at least two blank positions lie before a column: one may be chance."""
    return cut >= 2 and used[cut - 1] == 0 and used[cut - 2] == 0


def _is_border(rows: Sequence[str], before: int, cut: int, behind: int) -> bool:
    """Whether one blank position is the border of columns, not the space between two words.

    Words follow each other with one space always; beside a border the cells of a row are not both
    full length everywhere, or else every row has both.
    """
    pairs = [(row[before : cut - 1], row[cut:behind]) for row in rows]
    both = [(left, right) for left, right in pairs if left.strip() and right.strip()]
    loose = sum(left[-1].isspace() or right[0].isspace() for left, right in both)
    if len(rows) < MANY_LINES:
        return len(both) == len(rows) >= 5 and loose != 1
    return loose > 0.01 * len(rows) or len(both) >= 0.95 * len(rows)


def _are_torn(rows: Sequence[str], cuts: Sequence[int]) -> bool:
    """Whether a cut goes through a word, though blanks part all lines alike.

    What is set to the right grows to the left: a name above short values, a long value in few lines.
    """
    if len({len(row.split()) for row in rows}) != 1:
        return False
    pairs = (row[cut - 1 : cut + 1] for row in rows for cut in cuts[1:])
    return any(len(pair) == 2 and not (pair[0].isspace() or pair[1].isspace()) for pair in pairs)


def _is_table(cells: Sequence[Sequence[str]], rows: Sequence[str]) -> bool:
    """Cells are filled often enough, and lines are not sentences."""
    full = sum(sum(map(bool, row)) >= 2 for row in cells)
    if full < 0.6 * len(cells):
        return False
    words = sum(len(row.split()) for row in rows) / len(rows)
    return words <= 4 * len(cells[0]) + 4
