"""Names that a program or a file gives to the bare rows of data which follow: ARFF, SAS, SPSS, Stata."""

from __future__ import annotations

import re
from collections.abc import Sequence

from detectors.engine.literals import LEAST_PAIRS, bare_value
from detectors.engine.wordy import Words

LOOK_BACK = 40
MOST_NUMBERED = 500
_DATALINES = r"(?:datalines|cards|lines)4?[ \t]*+;"
_MARK = re.compile(rf"^[ \t]*+(?:@data|{_DATALINES}|begin data\b.*|input[ \t]++\S.*)[ \t]*+$", re.I | re.M)
"""The lines that may stand right before data."""
_WORDS = Words(("@data", "lines", "cards", "begin data", "input"))
_BEGUN = re.compile(rf"[ \t]*+{_DATALINES}", re.I)
_ATTRIBUTE = re.compile(r"@attribute\s++(\"[^\"]{1,200}+\"|'[^']{1,200}+'|\S{1,200}+)\s", re.I)
_INPUT = re.compile(r"\binput\s([^;]{1,8000}+);", re.I)
_DATA_LIST = re.compile(r"\bdata list\b[^/]{0,400}+/([^.]{1,8000}+)\.", re.I)
_NAME = re.compile(r"[A-Za-z_][\w$#]*+")
_NUMBERED = re.compile(r"([A-Za-z_]\w*?)(\d{1,4})-+\1(\d{1,4})")
_NO_NAMES = frozenset("byte int long float double str strl to".split())  # noqa: SIM905
_FORMAT = re.compile(r"\([^)]*\)|\bstr\d+\b|[$@#:&]|(?<=\s)\w*\.\d*(?=\s|$)|(?<=\s)\d+(?:-\d+)?(?=\s|$)")


def declared(lines: Sequence[str]) -> tuple[list[str], int]:
    """(names that are declared for the rows of data, the line on which these begin); ([], 0) if none are."""
    for at, line in enumerate(lines):
        if not _MARK.match(line):
            continue
        word = line.split(None, 1)[0].lower()
        if word == "input" and any(map(_BEGUN.match, lines[at + 1 : at + LOOK_BACK])):
            continue  # the statement goes on, or its data come later
        names = _before(word, lines[max(0, at - LOOK_BACK) : at + 1], lines)
        if len(names) >= LEAST_PAIRS:
            return names, at + 1
    return [], 0


def may_declare(text: str) -> bool:
    return _WORDS.stand_in(text) and _MARK.search(text) is not None


def _before(word: str, before: Sequence[str], lines: Sequence[str]) -> list[str]:
    if word == "@data":
        found = (_ATTRIBUTE.match(line) for line in lines if line.startswith("@"))
        return [bare_value(match.group(1)) for match in found if match]
    if word == "input":
        line = before[-1]
        return [] if ";" in line else _names(line.split(None, 1)[1])
    pattern = _DATA_LIST if word == "begin" else _INPUT
    statements = pattern.findall("\n".join(before))
    return _names(statements[-1]) if statements else []


def _names(written: str) -> list[str]:
    """The names of a list of variables, without types, formats and places; `q1-q3` is three."""
    names: list[str] = []
    for word in _FORMAT.sub(" ", written).split():
        numbered = _NUMBERED.fullmatch(word)
        if numbered:
            stem, first, last = numbered.groups()
            names += [f"{stem}{n}" for n in range(int(first), min(int(last), int(first) + MOST_NUMBERED) + 1)]
        elif _NAME.fullmatch(word) and word.lower() not in _NO_NAMES:
            names.append(word)
    return names
