"""Records that are written as names with values.

Forms, settings, cards between BEGIN and END, and `name=value` pairs in logs and in queries.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl

from detectors.engine.header import header_depth, kind
from detectors.engine.literals import LEAST_PAIRS, LEAST_VALUES, braced, stacked
from detectors.engine.segments import is_code, is_log
from detectors.engine.table import Table

MIN_RECORDS = 3
MAX_KEYS = 200
MAX_LINE = 2_000
MAX_CARDS_OPEN = 8
MOST_FORM_CHARS = 400
FOLDED_CHARS = 70
LEAST_IN_TURN = 3
MANY_BLOCKS = 30
_PAIR_LINE = re.compile(
    r"\s*(?:[-*+•>] )?(?:(?:Q\.? ?)?\d{1,3}[a-z]?[.)] +)?[*_`]{0,3}([^\W\d_][\w .()/'-]{0,48}?)[*_`]{0,3}\s*"
    r"(?:[:=][*_`]{0,3}\s+|[:=](?=\S)|\? *[:=]?\s+|\t+| {3,}|\| |\.{3,})\s*(.*\S)?\s*"
)
_BETWEEN = (":", "=", "\t", "   ", "| ", "...", "? ")
"""One of these is between each name and its value."""
_FURTHER = re.compile(
    r"(?:\t| {2,9})\s{0,40}([^\W\d_][\w.()/'-]{0,20}(?: [\w.()/'-]{1,20}){0,4})\s{0,40}:\s{1,40}(?=\S)"
)
"""The next name on a line that has several."""
_NUMBER = re.compile(r"[A-Z]{0,2}\d{0,3}[a-z]?[.):]\s+")
_LOG_PAIR = re.compile(r"(?<![\w.])([A-Za-z_][\w.-]{0,40})=(\"[^\"]*\"|'[^']*'|[^\s,;|]+)")
_QUERY = re.compile(r"[A-Za-z_][\w.%\[\]-]{0,60}=[^&=]*(?:&[A-Za-z_][\w.%\[\]-]{0,60}=[^&=]*)+")
_ASKED = frozenset({("q", "a"), ("question", "answer"), ("field", "value"), ("variable", "value")})
_CHECKED = re.compile(r"\[[xX✓✔]\]\s{0,4}([^\[\]]{1,80})")
_APART = re.compile(r"[\s\"'?,|]+")
_CARD_LINE = re.compile(r"(?:[\w-]{1,20}\.)?([A-Za-z][A-Za-z0-9-]{0,40})(?:;(?:[^:\"]|\"[^\"]*\")*)?:(.*)")
_TITLE = re.compile(r"-?\[.*\]-*|#.*|;.*|-{3,}.*|={3,}.*|\w+:|-")


def records(lines: Sequence[str]) -> Iterator[Table]:
    """Tables of the records in `lines`, if the same names come back at least three times."""
    is_carded = any("BEGIN" in line.upper() for line in lines)
    forms = (is_carded and _cards(lines)) or _forms(lines)
    forms = _answered(forms)
    table = table_of(forms, least_keys=2)
    if table is None:
        table = _of_pairs(lines)
    if table is not None:
        yield table
    if table is None and (listed := _in_blocks(lines)) is not None:
        yield listed
    for written in (braced(lines), stacked(lines), [] if table is not None else _in_turn(lines)):
        table = table_of(written, least_keys=LEAST_PAIRS)
        if table is not None:
            yield table


def _of_pairs(lines: Sequence[str]) -> Table | None:
    """Records of `name=value` pairs on one line each: what a log is, and not a few calls amid prose."""
    found = [_pairs(line) for line in lines]
    logged = is_log(lines)
    if is_code(lines) and not _are_alike(found):
        return None
    if not logged and sum(map(bool, found)) < 0.5 * sum(bool(line.strip()) for line in lines):
        return None
    return table_of(found, least_keys=1 if logged else 2)


def _are_alike(found: Sequence[dict[str, str]]) -> bool:
    """Whether nearly all lines that are pairs have the same names: what is written by a program, and none."""
    names = Counter(tuple(record) for record in found if record)
    usual, often = names.most_common(1)[0] if names else ((), 0)
    return len(usual) >= LEAST_IN_TURN and often >= max(LEAST_VALUES, 0.9 * names.total())


def _cards(lines: Sequence[str]) -> list[dict[str, str]]:
    """Blocks of `NAME;about the value:value` lines between `BEGIN:kind` and `END:kind`, of one kind."""
    found: dict[str, list[dict[str, str]]] = {}
    opened: list[dict[str, str]] = []
    for line in lines:
        match = _CARD_LINE.fullmatch(line.rstrip()) if len(line) <= MAX_LINE else None
        if match is None:
            continue  # the rest of a line that was folded
        name, value = match.group(1).upper(), match.group(2).strip()
        if name == "BEGIN":
            opened = [*opened[-MAX_CARDS_OPEN:], {}]
        elif name == "END" and opened:
            found.setdefault(value.upper(), []).append(opened.pop())
        elif opened and value:
            opened[-1].setdefault(name, value)
    return max(found.values(), key=lambda cards: sum(map(len, cards)), default=[])


def _forms(lines: Sequence[str]) -> list[dict[str, str]]:
    """Blocks of `name: value` lines; a name that comes again begins the next record.

    On end it is the same name's next value, and what follows a long line after one blank is its rest (LDIF).
    """
    found: list[dict[str, str]] = []
    current: dict[str, str] = {}
    written = strange = 0
    before = last = ""
    for line in lines:
        is_rest = len(before) >= FOLDED_CHARS and line[:1] == " " and line[1:2].strip()
        before = line
        if is_rest:
            continue
        parted = len(line) <= MAX_LINE and any(mark in line for mark in _BETWEEN)
        is_query = "&" in line and parted and _QUERY.fullmatch(line.strip()) is not None
        match = _PAIR_LINE.fullmatch(line) if parted and not is_query else None
        if match is None or match.group(2) is None or len(match.group(1)) > 48:
            if not line.strip() or _TITLE.fullmatch(line.strip()):
                if current:
                    found.append(current)
                current = {}
            else:
                strange += 1
                if 3 * strange > len(lines):
                    return []
            continue
        written += 1
        name, value = match.group(1).strip(), match.group(2)
        if name == last and len(current) > 1:
            continue
        last = name
        if name in current:
            found.append(current)
            current = {}
        first, *others = _FURTHER.split(value) if ":" in value else [value]
        current[name] = _unquoted(first)
        current |= dict(zip(others[::2], map(str.strip, others[1::2]), strict=True))
    if current:
        found.append(current)
    return found if written >= 2 * strange else []


def _answered(forms: list[dict[str, str]]) -> list[dict[str, str]]:
    """The records that pairs of one question with its answer make: one that comes again begins the next."""
    asked = tuple(name.lower() for name in forms[0]) if forms else ()
    if asked not in _ASKED or any(len(form) != 2 for form in forms):
        return forms
    found: list[dict[str, str]] = [{}]
    for question, answer in (form.values() for form in forms):
        name = question.rstrip(" ?:")
        if name in found[-1]:
            found.append({})
        found[-1][name] = answer
    return found


def _in_turn(lines: Sequence[str]) -> list[dict[str, str]]:
    """Blocks in which a line with a name or a question and one with its value take turns; none if they are
    too few for a table."""
    found: list[list[str]] = []
    block: list[str] = []
    for line in (*lines, ""):
        if (text := line.strip()) and len(text) <= MOST_FORM_CHARS and any(map(str.isalnum, text)):
            block.append(text)
            continue
        block = block[len(block) % 2 :]
        if len(block) >= 2 * LEAST_IN_TURN:
            found.append(block)
        block = []
    if len(found) < MIN_RECORDS:
        return []
    bare = ([_NUMBER.sub("", text, 1) for text in block] for block in found)
    return [dict(zip(block[::2], block[1::2], strict=True)) for block in bare]


def _in_blocks(lines: Sequence[str]) -> Table | None:
    """Records that are blocks of as many lines each, a value on each line: a table pasted as plain text."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if text := line.strip().removeprefix("| "):
            blocks[-1].append(text[:MOST_FORM_CHARS])
        elif blocks[-1]:
            blocks.append([])
    sizes = Counter(map(len, filter(None, blocks)))
    size, often = sizes.most_common(1)[0] if sizes else (0, 0)
    if size < LEAST_IN_TURN or often < max(LEAST_VALUES, 0.8 * sizes.total()):
        return None
    at = next(k for k, block in enumerate(blocks) if len(block) == size)
    titled = [blocks[at - 1][-size:]] if at and size < len(blocks[at - 1]) <= size + LEAST_IN_TURN else []
    rows = [*titled, *(block for block in blocks if len(block) == size)]
    kinds = [Counter(kind(row[at]) for row in rows[1:]) for at in range(min(size, MAX_KEYS))]
    steady = sum(max(found["n"], found["d"]) >= 0.8 * len(rows) for found in kinds)
    if not steady or (steady == len(kinds) and len(rows) < MANY_BLOCKS):
        return None
    depth = header_depth(rows[:30])
    return Table(rows[0] if depth == 1 else None, iter(rows[1 if depth == 1 else 0 :]), loose=True)


def form_of(lines: Sequence[str]) -> dict[str, str]:
    """The one form that all of `lines` are; empty if a name comes twice or most lines name nothing."""
    parts = _forms(lines)
    form = {name: value[:MOST_FORM_CHARS] for part in parts for name, value in part.items()}
    return form if len(form) == sum(map(len, parts)) else {}


def _pairs(line: str) -> dict[str, str]:
    if line.count("=") < 1:
        return {}
    if "&" in line and len(line) <= MAX_LINE:
        query = next(filter(_QUERY.fullmatch, _APART.split(line)), None)
        if query is not None:
            return dict(parse_qsl(query, keep_blank_values=True))
    return {name: value.strip("\"'") for name, value in _LOG_PAIR.findall(line)}


def _unquoted(value: str) -> str:
    """The value without the quotes around it, if they are the only ones; of boxes those that are checked."""
    if "[ ]" in value and (checked := _CHECKED.findall(value)):
        return "; ".join(map(str.strip, checked))
    inner = value[1:-1]
    return inner if value[0] == value[-1] and value[0] in "\"'" and value[0] not in inner else value


def table_of(found: Sequence[dict[str, str]], least_keys: int) -> Table | None:
    """Records with the names that most of them have."""
    full = [record for record in found if len(record) >= least_keys]
    if len(full) < MIN_RECORDS:
        return None
    counts = Counter(name for record in full for name in record)
    names = [name for name, often in counts.most_common(MAX_KEYS) if often >= MIN_RECORDS]
    common = [name for name in names if counts[name] >= 0.3 * counts[names[0]]]
    order = {name: place for place, name in reversed([*enumerate(dict.fromkeys(n for r in full for n in r))])}
    header = sorted(common, key=lambda name: order[name])
    if len(header) < least_keys:
        return None
    rows = [[record.get(name, "") for name in header] for record in full]
    rows = [row for row in rows if sum(map(bool, row)) >= min(2, len(header))]
    if len(rows) < MIN_RECORDS or len(rows) < 0.3 * len(full):
        return None
    return Table(header, iter(rows), loose=True)
