"""Is this a table of data at all, and could its rows be people? Holds back untrained shapes.

Program text, settings, markup and prose can be cut into cells; the record model was trained on real tables
and knows nothing about such. This detector never speaks for records: it sets a ceiling on the tier that
shape alone may reach. Identifiers are not held back.

Runbook: if a real table stays unflagged and `explain` shows one of these measures against it, raise the bound
that it names, or look at how the file was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice, pairwise
from operator import sub

from detectors.engine.columns import Column
from detectors.engine.stanza import Bounds
from detectors.engine.verdict import Tier
from detectors.engine.view import TableView
from detectors.key_variables import age_like, birth_like, is_numbered
from detectors.row_subject import PEOPLE

MEASURES = (
    "untidy_cells", "wordy_cells", "no_values", "words_alone", "program_texts", "timetable", "even_steps",
    "ragged_rows", "picture", "little_to_go_by", "within_text", "sparse_cells", "unspoken",
)  # fmt: skip

_UNTIDY = re.compile(
    r"""[{}\\|`^~<>$]|=\S|["'(\[]\S*$|^[^("']*[)\]"]|::|->|[;,]$|^[-#*/@%.!=]+\S|^\W+$|_\w*_|^[A-Za-z_][\w-]+(?:\.[A-Za-z_][\w-]+){2,}$"""
)
"""Marks of program text, settings and markup that cells of data seldom hold."""
PROGRAM_WORD = re.compile(
    r"[a-z][a-z0-9]*[A-Z]\w*|\w*[A-Za-z]_[A-Za-z]\w*|[a-z]+://\S+|\.{0,2}/\S*|[\w./-]+\.[a-z]{1,4}|\w+(?:::\w+)+|[\w.]*\(.*\)|\{\S+\}|\$\S+"
)
"""Identifiers, paths, addresses, calls and templates: what cells of programs' own tables hold."""
_PLACE = re.compile(
    r"\.{0,2}/[^\s/]*(?:/\S*)?|[a-z]+://\S+|(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?:/\d\d?)?"
    r"|(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|(?=\S*::)[0-9A-Fa-f:]{3,39}|(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
)
"""Paths, and addresses of pages, hosts and devices."""
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?")
_MOMENT = re.compile(r"(?:\b|T)(\d\d?):(\d\d)(?::(\d\d(?:\.\d+)?))?")
_BOUND = re.compile(r"[<>]=?\s?\d[\d.,]*|(?<=[a-z0-9])_(?=[a-z0-9])")
"""What categories have: open ends ("<=3cm", ">20", "ESR < 20") and joined words ("some_of_the_time")."""
_LONG_CHARS = 60
_MANY_WORDS = 8
MANY_ROWS = 5
MANY_STEPS = 20
LEAST_FILLED = 0.2
LEAST_DUMPED = 3
LEAST_BORNE_OUT = 2
PICTURE_COLUMNS = 16
_HEX = frozenset("0123456789abcdef")
_SETTINGS = frozenset({"person.truth", "person.answer", "person.agreement"})
"""What settings and tables of features say as well."""
_SWITCHES = frozenset({"person.truth"})
_ASSIGNED = re.compile(r"[\w.-]+=[^=].*")
_BRACKET = re.compile(r"[][(){};]+")
_SHARE = {"bounds": Bounds(0.0, 1.0)}


@dataclass(frozen=True)
class Options:
    """Ceilings for tables that identifiers do not decide."""

    enabled: bool = True
    weight: float = 1.0
    untidy_share: float = field(default=0.2, metadata=_SHARE)
    wordy_share: float = field(default=0.3, metadata=_SHARE)
    sparse_share: float = field(default=0.6, metadata=_SHARE)
    least_values: float = field(default=0.34, metadata=_SHARE)
    least_columns: int = field(default=3, metadata={"bounds": Bounds(1, 100)})
    text_lines: float = field(default=1.0, metadata={"bounds": Bounds(0.0, 1e6)})
    program_share: float = field(default=0.2, metadata=_SHARE)
    blank_share: float = field(default=0.1, metadata=_SHARE)
    picture_blocks: float = field(default=0.5, metadata=_SHARE)
    ragged_share: float = field(default=0.25, metadata=_SHARE)
    least_measured: int = field(default=2, metadata={"bounds": Bounds(0, 100)})
    unnamed_rows: int = field(default=50, metadata={"bounds": Bounds(3, 100_000)})
    unspoken_likely: float = field(default=0.97, metadata=_SHARE)
    short_likely: float = field(default=0.7, metadata=_SHARE)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to hold back: a measure with its value and bound, and the highest tier that it leaves."""

    measure: str
    value: float
    bound: float
    ceiling: Tier


def find(t: TableView, measures: Mapping[str, float], options: Options) -> list[Doubt]:
    """Why shape alone must not decide here; an empty list if nothing is wrong."""
    used = t.used
    if not used:
        return []
    values = sum(_holds_values(c) for c in used) / len(used)
    full = [c for c in used if c.filled >= 0.5 * t.rows]
    found = _no_table(t, values, full, options)
    found += _other_kinds(t, measures, options)
    plain = _told(t, measures, options, _SETTINGS)
    if t.text_lines > options.text_lines * t.rows and not plain:
        found.append(Doubt("within_text", t.text_lines / t.rows, options.text_lines, Tier.NONE))
    if plain or _aged(t, measures):
        return found
    but = _SETTINGS if len(full) < options.least_columns else frozenset()
    if t.rows >= options.unnamed_rows and _told(t, measures, options, but):
        return found
    varying = [c for c in full if c.distinct > 1]
    answered = t.rows >= options.unnamed_rows and sum(c.filled >= 10 * c.distinct > 10 for c in used) >= 3
    if values < options.least_values or not (answered or any(c.numeric or c.dates for c in used)):
        found.append(Doubt("no_values", values, options.least_values, Tier.NONE))
    elif len(varying) < options.least_columns:
        found.append(Doubt("little_to_go_by", len(varying), options.least_columns, Tier.NONE))
    elif t.rows < options.unnamed_rows and measures["says_people"] <= measures["says_others"]:
        ceiling = Tier.POSSIBLE if t.rows >= options.unnamed_rows // 2 else Tier.NONE
        found.append(Doubt("little_to_go_by", t.rows, options.unnamed_rows, ceiling))
    elif not measures["people_concepts"] and not any(
        _describes(t, c, cells, frozenset(), 2) for c, cells in zip(t.columns, t.cell_concepts, strict=True)
    ):
        measured = sum(c.kinds > 1 and not c.textual for c in full)
        if measured < options.least_measured and _blank(t) >= options.blank_share:
            found.append(Doubt("words_alone", measured, options.least_measured, Tier.POSSIBLE))
    return found


def outweighed(doubt: Doubt, t: TableView, p: float, options: Options) -> bool:
    """Whether values speak clearly enough for a short file of data in which no words speak of people."""
    short = doubt.measure == "little_to_go_by" and doubt.bound == options.unnamed_rows
    return short and p >= options.short_likely and not (t.loose or t.text_lines)


def unspoken(t: TableView, measures: Mapping[str, float], p: float, options: Options) -> list[Doubt]:
    """Whether it takes more certainty than `p` here: a loose table of which nothing speaks of people, or
    only names that hardly a column of values agrees with.

    A file of data says by its form that it holds variables. Numbers and codes cut out of a trace, a program
    or a tree come in as many shapes as there are programs, and the record model was trained on few of them.
    """
    if not t.loose or p >= options.unspoken_likely:
        return []
    held_up = measures["borne_out"] >= LEAST_BORNE_OUT or measures["person_cells_share"] > 0
    if held_up and _told(t, measures, options, _SWITCHES):
        return []
    if 2 * t.rows >= options.unnamed_rows and _aged(t, measures):
        return []
    return [Doubt("unspoken", p, options.unspoken_likely, Tier.POSSIBLE)]


def _aged(t: TableView, measures: Mapping[str, float]) -> bool:
    """Whether a column in use holds ages or dates of birth; a few numbers in a sparse one are none."""
    full = [(c, words) for c, words in zip(t.columns, t.words, strict=True) if c.filled >= 0.5 * t.rows]
    ages = measures["age_values"] > 0 and any(age_like(c) for c, words in full if not is_numbered(words))
    return ages or (measures["birth_values"] >= 1 and any(birth_like(c) >= 1 for c, _ in full))


def _other_kinds(t: TableView, m: Mapping[str, float], options: Options) -> list[Doubt]:
    """Words of a program, lists, pictures and timetables: other things that come in many rows."""
    program, blank, blocks = sum(map(_is_program, t.used)) / len(t.used), _blank(t), m["codes_in_blocks"]
    found = []
    if program >= options.program_share:
        found.append(Doubt("program_texts", program, options.program_share, Tier.POSSIBLE))
    if not t.named and blank >= options.ragged_share and _is_ragged(t):
        found.append(Doubt("ragged_rows", blank, options.ragged_share, Tier.POSSIBLE))
    panel = m["key_runs"] or m["uneven_runs"]  # what is known of a person stays the same there
    coded = sum(c.low for c in t.used)
    if not (t.named or panel) and coded >= PICTURE_COLUMNS and blocks >= options.picture_blocks:
        found.append(Doubt("picture", blocks, options.picture_blocks, Tier.POSSIBLE))
    if _is_timetable(t, m):
        found.append(Doubt("timetable", 1.0, 1.0, Tier.POSSIBLE))
    described = m["age_values"] or m["person_concepts"]
    if any(_evenly(c.numbers if c.numeric else [] if described else _moments(c)) for c in t.used):
        found.append(Doubt("even_steps", 1.0, 1.0, Tier.POSSIBLE))
    return found


def _evenly(at: list[float]) -> bool:
    """Points of a curve, readings of an instrument: fractions, or times, that go on by the same step.

    Whole numbers that do so number the rows, of whatever they are.
    """
    if len(at) < MANY_STEPS or all(map(float.is_integer, at)) or len(set(at)) < len(at):
        return False
    steps = [*map(sub, at[1:], at)]
    usual = sorted(steps)[len(steps) // 2]
    off = 0.01 * abs(usual)
    return len([step for step in steps if abs(step - usual) <= off]) >= 0.95 * len(steps)


def _moments(c: Column) -> list[float]:
    """Times of day in fractions of one, in file order; none unless every cell has one."""
    found = [_MOMENT.search(x) for x in c.cells if x]
    return (
        [int(f[1]) / 24 + int(f[2]) / 1440 + float(f[3] or 0) / 86400 for f in found if f]
        if all(found)
        else []
    )


def _is_program(c: Column) -> bool:
    """Whether most of many different texts are words of a program, or all of some are paths or hosts."""
    texts = list(islice(c.counts, 40)) if c.textual else []
    if len(texts) >= 3 and all(_PLACE.fullmatch(x) for x in texts):
        return True
    return len(texts) >= 8 and sum(PROGRAM_WORD.fullmatch(x) is not None for x in texts) >= 0.6 * len(texts)


def _no_table(t: TableView, values: float, full: list[Column], options: Options) -> list[Doubt]:
    """What is cut into cells and is no table of data, whatever its names say; `full` are columns in use."""
    used, found = t.used, []
    untidy, wordy = _shares(used)
    if untidy > options.untidy_share:
        found.append(Doubt("untidy_cells", untidy, options.untidy_share, Tier.NONE))
    if wordy > options.wordy_share and values < 0.5:
        found.append(Doubt("wordy_cells", wordy, options.wordy_share, Tier.NONE))
    if any(_is_statement(c) for c in full):
        found.append(Doubt("untidy_cells", 1.0, options.untidy_share, Tier.NONE))
    if len(full) == 2 and _is_listing(*full):
        found.append(Doubt("no_values", 0.0, options.least_values, Tier.NONE))
    blank = _blank(t)
    if blank > options.sparse_share and len(full) < max(options.least_columns, 0.2 * len(used)):
        found.append(Doubt("sparse_cells", blank, options.sparse_share, Tier.NONE))
    return found


def _is_timetable(t: TableView, m: Mapping[str, float]) -> bool:
    """Calls at stops: times of day and a number that counts on, in blocks, beside places and constants.

    A diary has what was done there as well.
    """
    times = [c for c in t.used if c.textual and all(_CLOCK.fullmatch(x) for x in islice(c.counts, 20))]
    if not times or t.rows < MANY_ROWS or m["age_values"] or m["person_concepts"]:
        return False
    steps = [c for c in t.used if c.whole and not c.sorted and _counts_on(c.numbers)]
    told = {c.position for c in (*times, *steps)}
    return bool(steps) and all(c.position in told or _is_place(c, t.rows) for c in t.used)


def _counts_on(numbers: list[float]) -> bool:
    return sum(b - a == 1 for a, b in pairwise(numbers)) >= 0.7 * len(numbers)


def _is_place(c: Column, rows: int) -> bool:
    """One of many values, a block of rows each, or nearly always the same."""
    blocks = 3 * sum(a != b for a, b in pairwise(c.cells)) <= rows
    return blocks or c.kinds >= 20 or max(c.counts.values()) >= 0.95 * c.filled


def _blank(t: TableView) -> float:
    """The share of cells of columns in use that are blank."""
    return 1 - sum(c.filled for c in t.used) / (len(t.used) * t.rows)


def _is_ragged(t: TableView) -> bool:
    """Lists of unequal length: rows that are filled up to an end of their own and blank from there."""
    rows = list(zip(*(c.cells for c in t.used), strict=True))
    ends = [max((i for i, cell in enumerate(row, 1) if cell), default=0) for row in rows]
    whole = sum(all(row[:end]) for row, end in zip(rows, ends, strict=True))
    return whole >= 0.95 * len(rows) and len(set(ends)) >= MANY_ROWS


def _told(t: TableView, m: Mapping[str, float], options: Options, but: frozenset[str] = frozenset()) -> bool:
    """Whether words of variables or of values (`but` some) speak of people, by more than one stray word.

    Names must be of two variables: a line of text taken for a header has many words in one. In a short table,
    and in one amid more text, a column of values must hold two different words.

    What is the same in every row describes the file rather than its rows, if more variables are so than not
    (if as many, in a short table: in the head of a long one it may be what the rows are sorted by).
    """
    short = t.rows < options.unnamed_rows // 2 or t.text_lines > options.text_lines * t.rows
    least_words = 2 if short else 1
    said: list[set[str]] = [set(), set()]
    columns, described = [0, 0], False
    for c, words, cells in zip(t.columns, t.words, t.cell_concepts, strict=True):
        varies = c.distinct > 1 or t.rows < MANY_ROWS
        described |= (
            varies and c.filled >= LEAST_FILLED * t.rows and _describes(t, c, cells, but, least_words)
        )
        spoken = (w for w in words if w.family in PEOPLE and w.family != "design")
        concepts = {w.concept for w in spoken if w.strength > 0.5 and not _is_program(c)}
        said[varies] |= concepts
        columns[varies] += bool(concepts)
    described = described and m["person_concepts"] >= 1
    if described and (m["person_cells_share"] >= 0.2 or any(c.numeric or c.dates for c in t.used)):
        return True
    fixed = columns[False] + (t.rows < options.unnamed_rows) > columns[True]
    told = said[True] if fixed else said[True] | said[False]
    variables = columns[True] if fixed else sum(columns)
    return min(len(told), variables) >= 2 and m["people_concepts"] >= 2 and m["says_people"] >= 0.2


def _describes(
    t: TableView, c: Column, cells: Mapping[str, float], but: frozenset[str], least_words: int
) -> bool:
    """Whether a column's words describe people; one word, however often, may be a stray one."""
    told = {k for k, share in cells.items() if k.startswith("person.") and share >= 0.6 and k not in but}
    if not told or c.value_labels or least_words == 1:
        return bool(told)
    known = [told.intersection(t.lexicon.cells.get(text.lower(), ())) for text in c.counts]
    return any(sum(concept in found for found in known) >= least_words for concept in told)


def _shares(used: list[Column]) -> tuple[float, float]:
    """Shares of the filled cells that hold (marks of programs, many words)."""
    filled = untidy = wordy = 0
    dumped = {c.position for c in used if not c.numeric and _is_hex(c)}
    for c in used:
        filled += c.filled
        if c.numeric:
            continue
        if c.position in dumped and len(dumped) >= LEAST_DUMPED:  # one or two are record numbers
            untidy += c.filled
            continue
        for text, times in c.counts.items():
            if len(text) > _LONG_CHARS or text.count(" ") >= _MANY_WORDS:
                wordy += times
            plain = text.isalnum() or text.replace(" ", "").isalnum()
            if not plain and _UNTIDY.search(_BOUND.sub("0", text) if times > 1 else text):
                untidy += times
    return untidy / max(1, filled), wordy / max(1, filled)


def _is_statement(c: Column) -> bool:
    """The same bracket in every row, or a name that is set in each: statements of a program."""
    texts = list(islice(c.counts, 40))
    if c.distinct == 1:
        return _BRACKET.fullmatch(texts[0]) is not None
    return c.distinct >= MANY_ROWS and all(_ASSIGNED.fullmatch(x) for x in texts)


def _is_listing(keys: Column, values: Column) -> bool:
    """Keys that come again, each with values of its own kind: a listing of settings, no two variables."""
    if not keys.textual or keys.filled < 4 * keys.distinct:
        return False
    by_key: dict[str, list[bool]] = {}
    for key, value in zip(keys.cells, values.cells, strict=True):
        if key and value:
            by_key.setdefault(key, []).append(value in values.parsed)
    steady = [all(kinds) for kinds in by_key.values() if all(kinds) or not any(kinds)]
    return len(steady) >= 0.8 * len(by_key) and any(steady) and not all(steady)


def _is_hex(c: Column) -> bool:
    """Bytes or words of a dump: digits of base 16, equally long, with and without letters."""
    cells = [x.lower() for x in c.counts]
    if len({len(x) for x in cells}) != 1 or len(cells[0]) < 2 or any(set(x) - _HEX for x in cells):
        return False
    return any(x.isdecimal() for x in cells) and any(not x.isdecimal() and not x.isalpha() for x in cells)


def _holds_values(c: Column) -> bool:
    """Numbers, dates, or codes that come again."""
    return c.numeric or bool(c.dates) or (c.distinct > 1 and c.filled >= 3 * c.distinct)
