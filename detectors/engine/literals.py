"""Data written out in programs: rows in brackets, records in braces, and named vectors of equal length.

Every search here goes over a text once: what a pattern has passed is not looked at again, and nothing
in a pattern is tried in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence

LEAST_ROWS = 5
LEAST_VALUES = 10
LEAST_PAIRS = 2
MOST_CARRIED = 4 * 1024 * 1024
MOST_CELLS = 500_000
MOST_TRIED = 400
MOST_VECTORS = 4_000
_CHUNK = 64 * 1024
_BEFORE_CHARS = 100
_MATES = {"(": ")", "[": "]"}
_QUOTES = "\"'`"

_STRING = r"\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)*+'?"
"""To the end of its line where it is not closed, so that no mark is passed twice."""
_CALL = rf"[A-Z]\w{{0,30}}+\((?:{_STRING}|[^\s\"'`(){{}}\[\],]*+)\)"
"""A value in the clothes of its type, as `NumberInt(3)`."""
_VALUE = rf"(?:{_CALL}|{_STRING}|[^\s\"'`(){{}}\[\],:;=]++(?:[ ]?[^\s\"'`(){{}}\[\],:;=]++)*+)"
_NAME = r"(?:\"[^\"\\\n]{1,60}+\"|'[^'\\\n]{1,60}+'|:?[A-Za-z_][\w.-]{0,60}+)"
_PAIR = rf"\s*+{_NAME}\s*+(?::|=>|=)\s*+{_VALUE}?+\s*+"
_RECORD = re.compile(rf"{_PAIR}(?:,{_PAIR})*+,?\s*+")
_FIELD = re.compile(rf"\s*+({_NAME})\s*+(?:=>|:|=)\s*+({_VALUE}?+)\s*+,?")
_KEYED = re.compile(
    rf"(?:\s*+:[A-Za-z][\w.*+!?-]{{0,60}}+\s++(?:{_STRING}|:?[^\s\"'(){{}}\[\]:;]++),?)++\s*+"
)
"""A record of EDN, which needs no mark between pairs."""
_KEYED_FIELD = re.compile(rf":([A-Za-z][\w.*+!?-]{{0,60}}+)\s++({_STRING}|:?[^\s\"'(){{}}\[\]:;,]++)")
_BRACES = re.compile(r"\{([^{}]{5,4000}+)\}|\[([^\[\]]{5,4000}+)\]")

_OPENER = re.compile(r"(?:=>?|:|<-)\s{0,20}+(?:[A-Za-z][\w.]{1,30}+\(\s{0,20}+){0,2}?(?:c\(|\[)")
_BEFORE = re.compile(
    r"(?:\"([^\"\n]{1,60})\"|'([^'\n]{1,60})'|`([^`\n]{1,60})`|([A-Za-z_.][\w.]{0,60}))\s{0,20}\Z"
)
_BODY = re.compile(rf"(?:[^\"'()\[\]{{}}]++|{_STRING})*+")
_ITEM = re.compile(rf"\s*+({_VALUE}?+)\s*+(?:,|\Z)")
_ITEMS = re.compile(rf"(?:\s*+{_VALUE}?+\s*+,)*+\s*+{_VALUE}?+\s*+")
_LISTED = re.compile(r"[\[(]([^\[\](){}]{5,4000}+)[\])]")
_HEXADECIMAL = re.compile(r"\b0[xX]")
"""Memory, masks and code points: nobody writes an answer so."""
_IN_CALL = re.compile(r"[A-Z]\w{0,30}+\((.*)\)")
_LEVELS = frozenset({"levels", ".Label"})


def bare_value(text: str) -> str:
    """A value as it stands in a program, without quote marks or R's mark of a whole number."""
    text = text.strip()
    if text[-1:] == ")" and (call := _IN_CALL.fullmatch(text)) is not None:
        text = call.group(1)
    if len(text) >= 2 and text[0] == text[-1] and text[0] in _QUOTES:
        return text[1:-1]
    if text[-1:] == "L" and text[:-1].lstrip("-").isdecimal():
        return text[:-1]
    return "" if text in ("None", "NULL", "null", "undefined", "NA_character_", "missing") else text


def in_brackets(head: Sequence[Sequence[str]]) -> bool:
    """Whether each of these rows stands in a pair of brackets that was cut along with its cells."""
    ends = [(row[0].lstrip()[:1], _last(row).rstrip()[-1:]) for row in head if any(row)]
    return len(ends) >= LEAST_ROWS and all(_MATES.get(first) == last for first, last in ends)


def _last(row: Sequence[str]) -> str:
    """The last cell; a comma behind the row has cut off a blank one, or is still there."""
    cell = row[-2] if len(row) > 1 and not row[-1].strip() else row[-1]
    return cell.rstrip(", \t")


def without_brackets(row: Sequence[str]) -> list[str]:
    """The cells of a row that `in_brackets` told."""
    if not any(row):
        return []
    cells = list(row)
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    cells[0] = cells[0].lstrip(" \t([")
    cells[-1] = cells[-1].rstrip(", \t)];")
    return [bare_value(cell) for cell in cells]


def listed(before: Sequence[str], count: int) -> list[str]:
    """The names in a list of so many texts on the last line that holds one, before rows in brackets."""
    for line in reversed(before):
        for written in _LISTED.findall(line):
            names = [bare_value(item) for item in _ITEM.findall(written)[:-1]]
            if len(names) == count > 1 and all(name[:1].isalpha() for name in names):
                return names
    return []


def braced(lines: Sequence[str]) -> list[dict[str, str]]:
    """The records written as `{name: value, …}` or `[name => value, …]`, of nothing but pairs, in `lines`.

    None where they are as few as examples in a comment are.
    """
    found = []
    for match in _BRACES.finditer("\n".join(lines)):
        body = match.group(1) or match.group(2)
        if _RECORD.fullmatch(body):
            pairs = {bare_value(k).lstrip(":"): bare_value(v) for k, v in _FIELD.findall(body)}
        elif _KEYED.fullmatch(body):
            pairs = {name: bare_value(value) for name, value in _KEYED_FIELD.findall(body)}
        else:
            continue
        if len(pairs) >= LEAST_PAIRS:
            found.append(pairs)
    return found if len(found) >= LEAST_VALUES else []


def are_braced(lines: Sequence[str]) -> bool:
    """Whether nearly all lines are such a record each, or the bracket before or behind them all."""
    written = [bare for line in lines[:MOST_TRIED] if (bare := line.strip())]
    ends = [line.rstrip(" ,;") for line in written]
    found = [line[1:-1] for line in ends if line[:1] + line[-1:] in ("{}", "[]")]
    if len(found) < max(LEAST_VALUES, len(written) - 4):
        return False
    some = found[:LEAST_VALUES]
    return all(len(body) <= 4000 and (_RECORD.fullmatch(body) or _KEYED.fullmatch(body)) for body in some)


def stacked(lines: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a MediaWiki table that has a line for each cell; names are its `!` lines, else numbers."""
    names: list[str] = []
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("!"):
            names.append(line.rpartition("|")[2].strip("! "))
        elif line.startswith(("|-", "|}")):
            rows.append([])
        elif rows and line.startswith("|") and line[1:2] != "+":
            rows[-1].append(line.rpartition("|")[2].strip())
    full = [row for row in rows if len(row) >= LEAST_PAIRS]
    width = max(map(len, full), default=0)
    named = names if len(names) == width else [str(k + 1) for k in range(width)]
    return [dict(zip(named, row, strict=False)) for row in full] if len(full) >= LEAST_VALUES else []


def has_vector(text: str) -> bool:
    """Whether a named vector of many values begins in `text`."""
    at = 0
    if "[" not in text and not ("(" in text and "c(" in text):
        return False
    while (opener := _OPENER.search(text, at)) is not None:
        end = _end(text, opener.end())
        if text.count(",", opener.end(), end) >= LEAST_VALUES - 1 and _name(text, opener.start()):
            return True
        at = end
    return False


def vectors(blocks: Iterable[str]) -> Iterator[tuple[list[str], list[list[str]]]]:
    """(names, rows) of each set of vectors of equal length in a text that comes in blocks.

    A vector that is longer than `MOST_CARRIED` is left out, and what comes after `MOST_CELLS` values;
    a name that comes again begins another table.
    """
    tables: dict[int, dict[str, list[str]]] = {}
    cells = count = 0
    for name, values in _named(blocks):
        cells, count = cells + len(values), count + 1
        if cells > MOST_CELLS or count > MOST_VECTORS:
            break
        columns = tables.setdefault(len(values), {})
        if name in columns:
            yield from _table(columns)
            columns.clear()
        columns[name] = values
    for columns in tables.values():
        yield from _table(columns)


def _table(columns: dict[str, list[str]]) -> Iterator[tuple[list[str], list[list[str]]]]:
    if len(columns) >= LEAST_PAIRS:
        yield list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def _named(blocks: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Names and values of the vectors, codes put into words where their levels follow."""
    held: tuple[str, list[str]] | None = None
    for name, values in _written(blocks):
        if name in _LEVELS:
            if held is not None:
                held = held[0], _labelled(held[1], values)
            continue
        if held is not None:
            yield held
        held = (name, values) if len(values) >= LEAST_VALUES else None
    if held is not None:
        yield held


def _labelled(codes: list[str], levels: list[str]) -> list[str]:
    if not all(code == "NA" or (code.isdecimal() and 0 < int(code[:9]) <= len(levels)) for code in codes):
        return codes
    return [code if code == "NA" else levels[int(code) - 1] for code in codes]


def _written(blocks: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Every `name = c(…)` or `name: […]` of plain values."""
    text, enough = "", _CHUNK
    for block in blocks:
        text += block
        if len(text) < enough:
            continue
        rest = yield from _scan(text, False)
        text = text[rest:] if len(text) - rest <= MOST_CARRIED else ""
        enough = max(_CHUNK, 2 * len(text))
    yield from _scan(text, True)


def _scan(text: str, ended: bool) -> Generator[tuple[str, list[str]], None, int]:
    """The vectors that end in `text`; returns where what must be looked at again with more begins."""
    at = 0
    while (opener := _OPENER.search(text, at)) is not None:
        end = _end(text, opener.end())
        if end == len(text) and not ended:
            return max(at, opener.start() - _BEFORE_CHARS)
        at = end
        body = text[opener.end() : end]
        if (
            text[end : end + 1] == _MATES[text[opener.end() - 1]]
            and _ITEMS.fullmatch(body)
            and not _HEXADECIMAL.search(body)
        ):
            name = _name(text, opener.start())
            if name:
                yield name, [bare_value(item) for item in _ITEM.findall(body)[:-1]]
    return max(at, len(text) - _BEFORE_CHARS)


def _end(text: str, start: int) -> int:
    match = _BODY.match(text, start)
    assert match is not None
    return match.end()


def _name(text: str, end: int) -> str:
    match = _BEFORE.search(text, max(0, end - _BEFORE_CHARS), end)
    return next(filter(None, match.groups()), "") if match else ""
