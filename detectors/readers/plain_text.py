"""Text in no particular format: tables in any dialect or layout, wherever they are in it, and prose.

Delimited and fixed-width tables, Markdown and other drawn tables, forms and logs. All is found by
looks, window by window, so that a table deep in a file is found; a table streams as it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, filterfalse, pairwise
from typing import BinaryIO

from detectors.engine import literals
from detectors.engine.cutting import Region, parsed, region
from detectors.engine.declared import LOOK_BACK, declared, may_declare
from detectors.engine.dialect import TEX, Dialect, is_rule
from detectors.engine.dressed import undress
from detectors.engine.grid import tables
from detectors.engine.header import filled, header_depth, kind
from detectors.engine.interchange import lines_of, messages_of, sheet_of
from detectors.engine.key_values import records
from detectors.engine.layout import Layout
from detectors.engine.placed import given_layout
from detectors.engine.segments import Segment, is_code, segments
from detectors.engine.streams import read_at
from detectors.engine.table import Content, ReadLimits, Row, Table, Text, Unreadable
from detectors.engine.text import Source, decode_head, decode_tail, skip_lines, text_blocks
from detectors.engine.verdict import Reason
from detectors.engine.view import is_generic
from detectors.engine.whole_texts import may_hold_a_table

MEDIA_TYPES = frozenset({"text/plain", "text/csv", "text/tab-separated-values", "text/markdown"})
WINDOW_CHARS = 64 * 1024
MAX_WINDOW_CHARS = 1024 * 1024
MIN_LINES = 30
HELD_LINES = 20
MAX_CONTEXT = 12
MIN_LIST = 5
MIN_DECLARED = 3
MOST_TITLES = 6
MOSTLY_FULL = 0.8
MOST_BETWEEN = 3
MAX_LIST_CHARS = 64
HEAD_CHARS = 8 * 1024
TAIL_BYTES = 16 * 1024
_OF_TABLE = re.compile(
    r"\s*+(?:\\[a-z]++(?:\{[^{}]*+\}|\[[^\]]*+\])*+|@(?:relation|attribute)\s.*|@data)\s*+", re.I
)
"""Lines of a LaTeX table besides its rows; what stands above the data of an ARFF file."""
_PROMPT = re.compile(r"(?:>>>|>|\w{1,20}[=-]?[>#]) ")
"""Where somebody typed a command into a program, whose answer the table is."""
_BEFORE_NAMES = re.compile(r"[\s#%*;!:.-]*(?:\w{1,20}[:=]\s*)?")
_CODE = re.compile(r"(?=.*[\d@])[\w@.+/-]+(?: [\w/-]+){0,3}")


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Tables and text in the order of the file; lines before a table are also its context."""
    head = decode_head(read_at(stream, 0, HEAD_CHARS))
    sheet = sheet_of(head)
    reader = sheet or messages_of(head)
    if reader is not None:
        yield from tables(reader(lines_of(text_blocks(stream, limits)), limits.max_columns))
    if sheet is None:
        yield from read_text(stream, limits)


def read_text(stream: BinaryIO, limits: ReadLimits) -> Iterator[Content]:
    """The same for any reader that holds a stream of text.

    What a long stretch looks like need not hold for its first block, of which then no row is taken: the
    block is looked at by itself, and is running text if that takes nothing either. So there is an end.
    """
    csv.field_size_limit(limits.max_line_bytes + 1)
    source = Source(_blocks(stream, limits))
    context: list[str] = []
    size = WINDOW_CHARS
    stood, stuck, sought = -1, 0, False
    while window := source.window(size, MIN_LINES, MAX_WINDOW_CHARS):
        stuck = stuck + 1 if source.lines_taken == stood else 0
        stood = source.lines_taken
        lines = (source.ahead() if stuck else window).split("\n")
        if not lines[-1]:
            lines.pop()
        names, behind = declared(lines) if may_declare(window) else ([], 0)
        found = _segments(lines, behind, names) if stuck < 2 else [Segment(0, len(lines), None)]
        if not sought and literals.has_vector(window):
            sought = True
            yield from _vectors(skip_lines(_blocks(stream, limits), source.lines_taken))
        around, is_program = _around(lines, found, behind)
        at = 0
        for number, segment in enumerate(found):
            last = number == len(found) - 1
            part = lines[segment.first : segment.last]
            if segment.cut is not None:
                chars = None if last else sum(map(len, part)) + len(part)
                named = names if names and segment.first == behind else []
                for content in _tables(stream, source, segment.cut, chars, context, limits, named):
                    yield _amid(content, segment.cut, around, is_program)
                # a line of names may be cut otherwise than the rows that it stands above
                written = [line for line in part if line.strip()]
                context = written if len(written) == 1 and not last else []
                break_off = chars is None
            else:
                keep = not (last and not source.ended and len(part) > 2 * HELD_LINES)
                part = part if keep else part[:-HELD_LINES]
                source.skip(sum(map(len, part)) + len(part))
                if _is_far_too_wide(part, limits.max_columns):
                    raise Unreadable(Reason.LIMIT_COLUMNS)
                yield from _loose(part)
                context = [line.strip()[:HEAD_CHARS] for line in part if line.strip()][-MAX_CONTEXT:]
                break_off = last
            at = segment.last
            if break_off:
                break
        size = min(size * 4, MAX_WINDOW_CHARS) if found and found[-1].cut is None else WINDOW_CHARS
        assert at
    source.finish()


def _blocks(stream: BinaryIO, limits: ReadLimits) -> Iterator[str]:
    """The text in blocks, without marks that are not part of its rows."""
    undressed = undress(decode_head(read_at(stream, 0, HEAD_CHARS)))
    return map(undressed, text_blocks(stream, limits)) if undressed else text_blocks(stream, limits)


def read_lines(lines: Iterator[str], limits: ReadLimits) -> Iterator[Content]:
    """The same for lines that another format holds: cut where they may be a table, else left as text."""
    fault: Unreadable | None = None
    ended = False
    while not ended and fault is None:
        part: list[str] = []
        left = MAX_WINDOW_CHARS
        try:
            while left > 0 and (text := next(lines, None)) is not None:
                part += text.split("\n")
                left -= len(text) + 1
            ended = left > 0
        except Unreadable as stopped:
            fault = stopped
        if may_hold_a_table("\n".join(part)):
            yield from read_text(io.BytesIO("\n".join([*part, ""]).encode("utf-8", "replace")), limits)
        elif part:
            yield Text(iter(part))
    if fault is not None:
        raise fault


def _segments(lines: list[str], behind: int, names: list[str]) -> list[Segment]:
    """The segments of `lines`, parted before line `behind`, above which these names are declared."""
    first = segments(lines[:behind])
    until = behind
    cut: Dialect | Layout | None = given_layout(lines, behind, names) if behind else None
    if isinstance(cut, Layout):
        until = cut.last
    else:
        while names and until < len(lines) and len(_by_blanks(lines[until])) == len(names):
            until += 1
        cut = Dialect(" ", trim=True)
    if until - behind >= MIN_DECLARED:
        first.append(Segment(behind, until, cut))
    else:
        until = behind
    rest = segments(lines[until:])
    return [*first, *(replace(s, first=s.first + until, last=s.last + until) for s in rest)]


def _by_blanks(line: str) -> list[str]:
    """The values of a line that are parted by blanks alone."""
    return [] if ", " in line or "; " in line else line.split()


def _vectors(blocks: Iterator[str]) -> Iterator[Table]:
    """The vectors of equal length in a program as tables. A fault of the stream is met by who reads on."""
    with suppress(Unreadable):
        for header, rows in literals.vectors(blocks):
            yield Table(header, iter(rows), loose=True)


def _around(lines: Sequence[str], found: Sequence[Segment], behind: int) -> tuple[int, bool]:
    """How many lines are in no table, and whether they are a program: then all, its tables are part of it.

    What only says that there is a table, and what its variables are called, is no text: so are the lines
    before line `behind`, if that is not 0, which declare the names of the rows that follow.
    """
    texts = (range(s.first, s.last) for s in found if s.cut is None)
    outside = [lines[i] for part in texts for i in part if not behind - LOOK_BACK <= i < behind]
    outside = [*filterfalse(_PROMPT.match, filterfalse(_OF_TABLE.fullmatch, filter(str.strip, outside)))]
    return (len(lines), True) if is_code(outside) else (len(outside), False)


def _amid(content: Content, cut: Dialect | Layout, text_lines: int, is_program: bool) -> Content:
    if isinstance(content, Table):
        content.text_lines += text_lines
        # alone it is a file of data; amid text words of a line may be taken for names, hardly V1 to V9, or
        # what stands in columns
        by_blanks = isinstance(cut, Dialect) and cut.delimiter in " :"
        is_amid = content.text_lines > 0 and (
            content.header is None or (by_blanks and not all(map(is_generic, content.header)))
        )
        is_amid |= (text_lines > 0 and cut == Dialect(TEX)) or (isinstance(cut, Layout) and cut.is_guess)
        content.loose = content.loose or is_program or is_amid
    return content


def _tables(
    stream: BinaryIO,
    source: Source,
    cut: Dialect | Layout,
    chars: int | None,
    context: list[str],
    limits: ReadLimits,
    names: list[str],
) -> Iterator[Content]:
    text = source.window(1)[:chars]
    torn, before, passed = _torn_names(cut, text)
    if any(before):
        yield Text(iter(before))
    source.skip(passed)
    text, chars = text[passed:], None if chars is None else chars - passed
    start = source.lines_taken
    head = [row for row in parsed(cut, "\n".join(text[:HEAD_CHARS].split("\n")[:30])) if any(row)]
    short: list[list[str]] = []
    if torn or (head and len(names) == len(head[0])):
        named = [torn or names]
    else:
        short = _header_but_one(context, cut, head)
        named = short or _header_above(context, cut, head) or _header_below(stream, source, cut, chars, head)
    if literals.in_brackets(head if len(text) <= HEAD_CHARS else head[:-1]):
        bare = map(literals.without_brackets, region(source, cut, chars, limits))
        names = literals.listed(context, len(literals.without_brackets(head[0])))
        for content in tables(chain([names] if names else [], bare), context):
            if isinstance(content, Table):
                content.loose = True
            yield content
        return

    def again() -> Iterator[Row]:
        other = Source(skip_lines(_blocks(stream, limits), start))
        if chars is not None:
            other.window(chars)
        return chain(named, region(other, cut, chars, limits))

    rows = Region(source, cut, chars, limits)
    for content in tables(chain(named, rows), context, again=again, bulk=rows):
        if short and isinstance(content, Table):
            content.text_lines = -1  # the line above is its header
        yield content


def _torn_names(cut: Dialect | Layout, text: str) -> tuple[list[str], list[str], int]:
    """The names on the first line of a layout that cuts through them, for they are longer than the values.

    With them the lone lines before, and how many characters all these are, with the blank lines behind;
    ([], [], 0) if there are none such.
    """
    nothing: tuple[list[str], list[str], int] = [], [], 0
    if not isinstance(cut, Layout) or cut.is_given or len(cut.cuts) < 2:
        return nothing
    lines = text[:HEAD_CHARS].split("\n", MOST_TITLES)
    at = next((k for k, line in enumerate(lines[:-1]) if len(line.split()) == len(cut.cuts)), None)
    if at is None or any(map(str.strip, lines[max(0, at - 1) : at])):
        return nothing
    names, spaced = lines[at].split(), lines[at].expandtabs()
    if all(spaced[k - 1 : k + 1].strip() != spaced[k - 1 : k + 1] for k in cut.cuts[1:]):
        return nothing
    passed = sum(map(len, lines[: at + 1])) + at + 1
    behind = text[passed:]
    rows = [row for row in parsed(cut, "\n".join(behind[:HEAD_CHARS].split("\n")[:30])) if any(row)]
    are_full = sum(map(filled, rows)) >= MOSTLY_FULL * len(rows) * len(names)
    if len(rows) < MIN_DECLARED or not are_full or header_depth([names, *rows]) != 1:
        return nothing
    return names, lines[:at], len(text) - len(behind.lstrip("\n"))


def _header_above(context: list[str], cut: Dialect | Layout, head: list[list[str]]) -> list[list[str]]:
    """The line before a table that names its columns, though other lines, or a mark before it, part them.

    Of rows cut at blanks the first column, which numbers them, may be without a name.
    """
    if not context or len(head) < 3 or header_depth(head):
        return []
    if isinstance(cut, Layout) or cut.delimiter == " ":
        names = context[-1].split()
        names = ["", *names] if len(names) == len(head[0]) - 1 and _are_numbered(head) else names
        return [names] if len(names) == len(head[0]) and header_depth([names, *head]) == 1 else []
    for line in reversed(context[-MOST_BETWEEN:]):
        for names in parsed(cut, _BEFORE_NAMES.sub("", line, 1)):
            names = [name.strip(" \"'") for name in names]
            if len(names) == len(head[0]) > 2 and header_depth([names, *head]) == 1:
                return [names]
    return []


def _are_numbered(head: list[list[str]]) -> bool:
    return [row[0] for row in head[:3]] in (["1", "2", "3"], ["0", "1", "2"])


def _header_but_one(context: list[str], cut: Dialect | Layout, head: list[list[str]]) -> list[list[str]]:
    """The only line before a table, if it names all columns but a first of distinct values: R's row names."""
    if isinstance(cut, Layout) or len(context) != 1 or len(head) < 3 or header_depth(head):
        return []
    named = [["", *names] for names in parsed(cut, context[0])]
    is_even = len(named) == 1 and {len(named[0])} == set(map(len, head)) and len(set(named[0])) > 2
    are_distinct = len({row[0] for row in head}) == len(head)
    return named if is_even and are_distinct and header_depth([*named, *head]) == 1 else []


def _header_below(
    stream: BinaryIO, source: Source, cut: Dialect | Layout, chars: int | None, head: list[list[str]]
) -> list[list[str]]:
    """The last row of a region, if it is the header that the first row is not; `head` are its first."""
    text = source.window(1)[:chars]
    ends_here = chars is not None or source.ended
    if len(head) < 3 or not (ends_here or header_depth(head) == 0):
        return []
    tail = text if ends_here else decode_tail(stream, TAIL_BYTES)
    last = parsed(cut, tail.rstrip().rpartition("\n")[2])
    if len(last) != 1 or len(last[0]) != len(head[-1]) or last[0] in head:
        return []
    return last if header_depth([*last, *head]) == 1 and not header_depth(head) else []


def _is_far_too_wide(lines: Sequence[str], most: int) -> bool:
    """Whether two lines on end have as many delimiters, and too many: a table that was not looked into."""
    return any(
        line.count(mark) == following.count(mark) >= most
        for line, following in pairwise(lines)
        if min(len(line), len(following)) > 2 * most
        for mark in "\t;|,"
    )


def _loose(lines: Sequence[str]) -> Iterator[Content]:
    """Running text; the records in it, if it is a form, a log or a list, come as tables too."""
    if not any(line.strip() for line in lines):
        return
    yield Text(iter(lines))
    values = _list(lines)
    if values:
        yield from (
            content for content in tables([value] for value in values) if not isinstance(content, Text)
        )
    else:
        yield from records(lines)


def _list(lines: Sequence[str]) -> list[str]:
    """The values of a list with one number, date, address or code on each line; empty if it is none."""
    written = [line.strip() for line in lines if line.strip() and not is_rule(line)]
    if sum(line[0] == "|" == line[-1] for line in written) > 0.9 * len(written):
        written = [line.strip("| ") for line in written]
    if len(written) < MIN_LIST or max(map(len, written)) > MAX_LIST_CHARS:
        return []
    plain = sum(kind(value) in "nd" or _CODE.fullmatch(value) is not None for value in written)
    return written if plain >= 0.9 * len(written) - 1 else []
