"""How lines of text are cut into cells, and how well a way of cutting fits.

A dialect is a delimiter with a quote mark. The score follows the idea of van den Burg et al.,
"Wrangling messy CSV files by detecting row and type patterns" (2019): a good dialect gives long runs
of rows with the same number of cells, whose columns hold one kind of value each.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from detectors.engine.header import kind

MAX_QUOTED_LINES = 64
MOST_SAMPLED = 120
MAX_CELLS = 70_000
MOST_SEARCHED = 64 * 1024
LEAST_MARKED = 3
LEAST_SELDOM = 10
MANY_SELDOM = 4
"""So many of the one that parts dates and paths as well."""
WEAK = 0.9
"""The most that the quality of a dialect may be that is cut at what prose is full of."""
TEX, WIKI = "&", "||"
"""Cells of a LaTeX table, whose rows end in two backslashes; of a MediaWiki table, with `|-` between rows."""
_CELL_END, _ESCAPED = re.compile(r"(?<!\\)&"), re.compile(r"\\([_&%#$])")
PIPES = "|│"
"""They cut cells, and frame tables besides; the second is drawn by database clients."""
_MARKED = frozenset({" ", *PIPES, TEX, WIKI})
_SELDOM = "!#$%*@§•¤¬¶+"
"""Cut cells only where nearly all lines have as many of one."""
_FIRST_CHARS = 4096
_CSV_FIELD = 128 * 1024
"""In a shorter text no cell is too long for `csv`."""
Item = TypeVar("Item")
_DRAWN = "-=─━"
_RULE = " \t|+:┼┌┐└┘├┤┬┴│" + _DRAWN
_ODD = re.compile(r"[;|\t{}<>=\\\"]|\(\)|^[,.)\]]")
_MAYBE_ODD = re.compile(f"{_ODD.pattern}|,", re.M)
"""In no short cell without any of these is there anything odd."""
_SHORT = 25
_DATE_ALONE = re.compile(r"(?<![\d/])\d{1,4}/\d{1,2}/\d{1,4}(?![\d/])")
_COMMA_NUMBER = re.compile(r"[-+]?\d+,\d+|[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SENTENCE = re.compile(r"[a-z]+(?: [A-Za-z',()-]+){3,}|.*[.!?]$")


@dataclass(frozen=True, slots=True)
class Dialect:
    """`quote` is None where quote marks mean nothing; `escape` is a backslash or None."""

    delimiter: str
    quote: str | None = None
    escape: str | None = None
    trim: bool = False
    """Blanks beside the delimiter are not part of a cell."""
    aligned: bool = False
    """Not cut at a delimiter but by position."""

    @property
    def plain(self) -> bool:
        """Each delimiter on a line cuts it: there are no quotes, frames or blanks to heed."""
        return self.quote is None and self.delimiter not in _MARKED

    def is_rule(self, line: str) -> bool:
        """Whether a line is none of the table's rows, only drawn between them."""
        if self.delimiter == WIKI:
            return line.startswith(("|-", "{|", "|}", "|+"))
        return (self.delimiter in PIPES and is_rule(line)) or (self.delimiter == TEX and _is_tex_rule(line))

    def rows(self, text: str) -> list[list[str]]:
        """Whole lines as rows of cells; a blank line is an empty row. Raises `csv.Error`."""
        if self.delimiter in PIPES:
            return self._piped(text)
        if self.delimiter in (TEX, WIKI):
            lines = text.removesuffix("\n").split("\n")
            return [cells_of(self, line) for line in lines if not self.is_rule(line)]
        if self.plain and not self.trim and len(text) < _CSV_FIELD and "\r" not in text:
            lines = text.removesuffix("\n").split("\n") if text else []
            return [line.split(self.delimiter) if line else [] for line in lines]
        if self.delimiter == " ":
            text = "\n".join([line.strip() for line in text.split("\n")])
        reader = csv.reader(
            io.StringIO(text, newline="\n"),
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=self.escape,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            skipinitialspace=self.trim,
        )
        return list(reader)

    def _piped(self, text: str) -> list[list[str]]:
        """Pipes also frame tables: rules between rows are left out, and the frame itself."""
        lines = [line for line in text.split("\n") if not is_rule(line)]
        mark = self.delimiter
        framed = sum(line.lstrip()[:1] == mark for line in lines) > 0.5 * sum(map(bool, lines))
        if framed:
            lines = [line.strip().removeprefix(mark).removesuffix(mark) for line in lines]
        reader = csv.reader(
            lines,
            delimiter=mark,
            quotechar=self.quote,
            escapechar="\\" if framed else self.escape,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
        )
        return [[cell.strip() for cell in row] for row in reader][: -1 if text.endswith("\n") else None]

    def open_quotes(self, text: str) -> bool:
        """Whether a quoted cell is still open at the end of `text`."""
        return self.quote is not None and text.count(self.quote) % 2 == 1


def _is_tex_rule(line: str) -> bool:
    return line.lstrip().startswith(
        ("\\hline", "\\toprule", "\\midrule", "\\bottomrule", "\\cline", "\\cmidrule")
    )


def is_rule(line: str) -> bool:
    """Whether a line is only drawn: the rule between a header and its rows, or a frame."""
    return not line.strip(_RULE) and any(mark * 2 in line for mark in _DRAWN)


def candidates(text: str) -> list[Dialect]:
    """The dialects that could be meant by `text`, the likelier first."""
    lines = text.count("\n") + 1
    found = [
        Dialect(mark)
        for mark, told_by in ((TEX, "\\\\"), (WIKI, "\n|-"))
        if told_by[-1] in text and text.count(told_by) >= LEAST_MARKED
    ]
    for delimiter in "\t;|,: ^~¦│\x01\x1f" + _seldom(text):
        least = 0.5 * min(lines, 10)
        if text.count(delimiter, 0, _FIRST_CHARS) < least and text.count(delimiter) < least:
            continue
        blanks = text.count(delimiter + " ") if " " in text and delimiter != " " else 0
        trim = delimiter == " " or (blanks > 0 and blanks > 0.6 * text.count(delimiter))
        quotes = [q for q in "\"'" if _is_quoting(text[:MOST_SEARCHED], delimiter, q)]
        escape = "\\" if quotes and '\\"' in text and '""' not in text else None
        found += [Dialect(delimiter, quote, escape, trim) for quote in quotes[:1]]
        if not quotes:
            found.append(Dialect(delimiter, None, None, trim))
    return found


def _seldom(text: str) -> str:
    """The unusual delimiter of `text`, if it has one: two or more on each line, and nearly always as many."""
    found = [mark for mark in _SELDOM if mark in text]
    if text.count("/", 0, LEAST_SELDOM * 400) >= LEAST_SELDOM * MANY_SELDOM:
        found += [] if "://" in text else ["/"]
    if not found:
        return ""
    lines = [line for line in text[:MOST_SEARCHED].split("\n", 60)[:60] if line.strip()]
    if len(lines) < LEAST_SELDOM:
        return ""
    for mark in found:
        if mark == "/":
            lines = [_DATE_ALONE.sub("", line) for line in lines]
        elif mark == "*":
            lines = [line.replace("**", "") for line in lines]
        often, same = Counter(line.count(mark) for line in lines).most_common(1)[0]
        least = 2
        if mark == "/":  # of a path, say, in one of several cells
            least = max(MANY_SELDOM, *(1 + sum(map(line.count, "\t;|,")) for line in lines[:LEAST_SELDOM]))
        if often >= least and same >= 0.9 * len(lines):
            return mark
    return ""


def _is_quoting(text: str, delimiter: str, quote: str) -> bool:
    """Whether `quote` opens cells and closes them."""
    if text.count(quote) < 2 or not (
        delimiter + quote in text or quote + delimiter in text or "\n" + quote in text
    ):
        return False
    beside = _beside(quote, delimiter)
    opened, closed = len(beside.findall(text[::-1])), len(beside.findall(text))
    return opened > 0 and closed > 0 and (quote == '"' or min(opened, closed) > 0.5 * max(opened, closed))


@cache
def _beside(quote: str, delimiter: str) -> re.Pattern[str]:
    """A quote before a delimiter or the end of a line."""
    return re.compile(rf"{re.escape(quote)} *(?:$|{re.escape(delimiter)})", re.M)


def numbered_rows(dialect: Dialect, lines: Sequence[str]) -> Iterator[tuple[int, int, list[str]]]:
    """(first line, line after the last, cells) of each row, drawn rules left out.

    A quote that is not closed within `MAX_QUOTED_LINES` lines is a stray one and swallows nothing.
    """
    at = 0
    total = len(lines)
    for row in _one_each(dialect, lines):
        yield at, at + 1, row
        at += 1
    while at < total:
        line = lines[at]
        end, joined = at + 1, None
        if dialect.quote and line.count(dialect.quote) % 2:
            joined, end = _quoted(dialect, lines, at)
        if joined is not None:
            yield at, end, joined
        elif not dialect.is_rule(line):
            yield at, end, cells_of(dialect, line)
        at = end


def _one_each(dialect: Dialect, lines: Sequence[str]) -> list[list[str]]:
    """The rows of quoted lines at once, if each line is one; else none."""
    if dialect.quote is None or dialect.trim or dialect.escape or dialect.delimiter in _MARKED:
        return []
    try:
        rows = dialect.rows("\n".join(lines))
    except csv.Error:
        return []
    if len(rows) != len(lines):
        return []
    return [row if line.strip() else [] for row, line in zip(rows, lines, strict=True)]


def _quoted(dialect: Dialect, lines: Sequence[str], at: int) -> tuple[list[str] | None, int]:
    """The row that begins with line `at` and goes on over line ends; None if it does not."""
    assert dialect.quote is not None
    end, quotes = at + 1, lines[at].count(dialect.quote)
    while quotes % 2 and end < min(len(lines), at + MAX_QUOTED_LINES):
        quotes += lines[end].count(dialect.quote)
        end += 1
    if quotes % 2 == 0:
        try:
            rows = dialect.rows("\n".join(lines[at:end]))
        except csv.Error:
            rows = []
        if len(rows) == 1:
            return rows[0], end
    return None, at + 1


def cells_of(dialect: Dialect, line: str) -> list[str]:
    if not line.strip():
        return []
    if dialect.delimiter == TEX:
        line = line.rstrip().removesuffix("\\hline").rstrip().removesuffix("\\\\")
        return [_ESCAPED.sub(r"\1", cell.strip()) for cell in _CELL_END.split(line, MAX_CELLS)]
    if dialect.delimiter == WIKI:
        mark = "!!" if line.startswith("!") else WIKI
        return [cell.strip() for cell in line.lstrip("!|").split(mark, MAX_CELLS)]
    if dialect.quote is None or dialect.quote not in line:
        if dialect.delimiter == " ":
            return [cell for cell in line.split(" ", MAX_CELLS) if cell]
        if dialect.delimiter in PIPES and line.lstrip().startswith(dialect.delimiter):  # it is a frame
            line = line.strip().removeprefix(dialect.delimiter).removesuffix(dialect.delimiter)
        return line.split(dialect.delimiter, MAX_CELLS)
    try:
        rows = dialect.rows(line)
    except csv.Error:
        rows = []
    return rows[0] if rows else line.split(dialect.delimiter)


def quality(dialect: Dialect, rows: Sequence[Sequence[str]]) -> float:
    """How much rows look like records: 0 (prose, code) to 1 (each column one kind of value)."""
    return sampled_quality(dialect, sampled(rows), len(rows))


def sampled(rows: Sequence[Item]) -> Sequence[Item]:
    return rows[:: max(1, len(rows) // MOST_SAMPLED)]


def sampled_quality(dialect: Dialect, sample: Sequence[Sequence[str]], rows: int) -> float:
    """The quality of so many rows by a sample of them."""
    width = max(map(len, sample))
    measured = [column_kind(sample, i) for i in range(0, width, max(1, width // 40))]
    values = [share * (1.0 if k in "nd" else 0.9) for k, share in measured if k != "b"]
    if len(values) < 2:
        return 0.0
    cells = [cell.strip() for row in sample for cell in row if cell]
    if not cells:
        return 0.0
    plain = max(map(len, cells)) <= _SHORT and not _MAYBE_ODD.search("\n".join(cells))
    odd = 0.0 if plain else sum(_oddity(dialect, cell) for cell in cells) / len(cells)
    typed = any(k in "nd" and share >= 0.7 for k, share in measured)
    if not typed and dialect.aligned and (rows < 5 or _is_prose(sample)):
        return 0.0
    weak = dialect.delimiter in " :" or (dialect.delimiter == "," and width <= 3)
    if dialect.delimiter in " :" and not typed:
        return 0.0
    factor = 1.0 if typed else 0.75 if weak else 0.95
    if not typed and dialect.delimiter in ", :" and _is_prose(sample):
        factor *= 0.3
    factor *= WEAK if dialect.delimiter in " :" else 1.0
    return factor * (sum(values) / len(values)) * max(0.0, 1 - 1.5 * odd)


def _is_prose(rows: Sequence[Sequence[str]]) -> bool:
    """Whether what stands behind the delimiters goes on like a sentence."""
    behind = [cell.strip() for row in rows for cell in row[1:] if cell.strip()]
    phrases = [cell for cell in behind if " " in cell]
    low = sum(cell[0].islower() for cell in phrases)
    return len(phrases) >= 0.3 * len(behind) and low >= 0.5 * len(phrases) > 0


def column_kind(rows: Sequence[Sequence[str]], position: int) -> tuple[str, float]:
    """The main kind of a column's values and its share; the first row may be a header."""
    cells = [row[position] for row in rows[1 if len(rows) > 2 else 0 :] if position < len(row)]
    known = {text: kind(text) for text in set(cells)}
    kinds = "".join(map(known.__getitem__, cells)).replace("b", "")
    if not kinds:
        return "b", 1.0
    main = max(dict.fromkeys(kinds), key=kinds.count)
    return main, kinds.count(main) / len(kinds)


def _oddity(dialect: Dialect, cell: str) -> float:
    """How unlike a value one cell is."""
    if len(cell) <= 2 and cell.isalnum():
        return 0.0
    if dialect.quote and cell[:1] + cell[-1:] in ("{}", "[]"):
        return 0.2  # a document, quoted as one value
    found = _ODD.search(cell)
    if found and found.group() != dialect.delimiter:
        return 0.8
    if dialect.delimiter in ": " and "," in cell and not _COMMA_NUMBER.fullmatch(cell):
        return 0.8
    if dialect.delimiter in ",: " and len(cell) > _SHORT and _SENTENCE.match(cell):
        return 0.5
    return 0.2 if len(cell) > 120 else 0.0
