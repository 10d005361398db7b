"""Marks around rows that say nothing of what is in them, taken off before a text is cut into cells.

Cells like `="007"`, which a spreadsheet takes as they are; whole lines in quotes, as a table that was pasted
into one column is saved; headings of wikis, whose cells stand between other marks than those of the rows; and
delimiters of several characters, which become one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import partial

LEAST_CELLS = 3
LEAST_LINES = 5
LEAST_CUTS = 2
LEAST_MARKED, MOST_LOOKED = 10, 60
_KEPT = re.compile(r'(?<![^,;\t\n])="([^"\n]*)"(?![^,;\t\n])')
_HEADING = re.compile(r"^(?:\|\|(?!\|)[^\n]+\|\||\^[^\n]+\^|\|_\.[^\n]+\|)[ \t]*$", re.M)
"""Cells between two bars (Jira), between circumflexes (DokuWiki) and with a mark each (Textile)."""

_LONG = re.compile(r"(?<=[^\W_])(?:[~|^#@$!:;<>=*+/\\-]{2,4}|_{2})(?=[^\W_])|(?<= )(?:->|=>|~>)(?= )")
_OWN = frozenset({"||", "//", "--", "://"})
"""Cut otherwise, or part of words, addresses and comments."""

Undress = Callable[[str], str]


def undress(head: str) -> Undress | None:
    """What takes the marks off whole lines of the text that begins with `head`; None where there are none."""
    if '="' in head and len(_KEPT.findall(head)) >= LEAST_CELLS:
        return _without_formulas
    if (mark := _long_mark(head)) is not None:
        return partial(_with_short_marks, mark)
    if head[:1] == '"' and _are_quoted(head.split("\n")):
        return _without_quotes
    if ("||" in head or "^" in head or "|_." in head) and _HEADING.search(head):
        rows = head.count("\n|") - head.count("\n||") - head.count("\n|_.")
        if rows >= LEAST_LINES * len(_HEADING.findall(head)):
            return _without_headings
    return None


def _long_mark(head: str) -> str | None:
    """The mark of several characters, none a letter or digit, that is as often on nearly every line."""
    lines = [line for line in head.split("\n")[:MOST_LOOKED] if line.strip()]
    if len(lines) < LEAST_MARKED or not _LONG.search(lines[0]):
        return None
    for mark in dict.fromkeys(_LONG.findall(lines[0])):
        counts = Counter(line.count(mark) for line in lines)
        often, same = counts.most_common(1)[0]
        if often >= LEAST_CUTS and same >= 0.9 * len(lines):
            return None if mark in _OWN else mark
    return None


def _with_short_marks(mark: str, block: str) -> str:
    return block.replace(mark, "\x1f")


def _are_quoted(lines: list[str]) -> bool:
    """Whether each line is one quoted cell that holds the delimiters of several."""
    written = [line for line in lines[:-1] if line.strip()]
    if len(written) < LEAST_LINES:
        return False
    inside = [line.rstrip()[1:-1] for line in written if line[0] == '"' == line.rstrip()[-1] != line]
    if len(inside) < len(written) or any('"' in text.replace('""', "") for text in inside):
        return False
    return any(len(counts := {text.count(mark) for text in inside}) == 1 and counts.pop() >= LEAST_CUTS
               for mark in ",;\t|")  # fmt: skip


def _without_formulas(block: str) -> str:
    return _KEPT.sub(r'"\1"', block)


def _without_quotes(block: str) -> str:
    return "\n".join([_unquoted(line) for line in block.split("\n")])


def _unquoted(line: str) -> str:
    bare = line.rstrip()
    is_whole = len(bare) > 1 and bare[0] == '"' == bare[-1]
    return bare[1:-1].replace('""', '"') if is_whole else line


def _without_headings(block: str) -> str:
    return _HEADING.sub(_heading, block)


def _heading(match: re.Match[str]) -> str:
    text = match.group().rstrip()
    return text.replace("|_.", "|").replace("||", "|").replace("^", "|")
