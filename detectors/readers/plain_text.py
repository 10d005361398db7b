"""Text in no particular format: tables in any dialect or layout, wherever they are in it, and prose.

Delimited and fixed-width tables, Markdown and other drawn tables, forms and logs. All is found by
looks, window by window, so that a table deep in a file is found; a table streams as it is.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from detectors.engine.cutting import region
from detectors.engine.dialect import Dialect
from detectors.engine.grid import tables
from detectors.engine.header import kind
from detectors.engine.key_values import records
from detectors.engine.layout import Layout
from detectors.engine.segments import segments
from detectors.engine.table import Content, ReadLimits, Row, Text
from detectors.engine.text import Source, skip_lines, text_blocks

MEDIA_TYPES = frozenset({"text/plain", "text/csv", "text/tab-separated-values", "text/markdown"})
WINDOW_CHARS = 64 * 1024
MAX_WINDOW_CHARS = 1024 * 1024
HELD_LINES = 20
MAX_CONTEXT = 12
MAX_CONTEXT_CHARS = 200
MIN_LIST = 5
MAX_LIST_CHARS = 48


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Tables and text in the order of the file; lines before a table are also its context."""
    yield from read_text(stream, limits)


def read_text(stream: BinaryIO, limits: ReadLimits) -> Iterator[Content]:
    """The same for any reader that holds a stream of text."""
    csv.field_size_limit(limits.max_line_bytes + 1)
    source = Source(text_blocks(stream, limits))
    context: list[str] = []
    size = WINDOW_CHARS
    while window := source.window(size):
        lines = window.split("\n")
        if not lines[-1]:
            lines.pop()
        found = segments(lines)
        at = 0
        for number, segment in enumerate(found):
            last = number == len(found) - 1
            part = lines[segment.first : segment.last]
            if segment.cut is not None:
                chars = None if last else sum(map(len, part)) + len(part)
                yield from _tables(stream, source, segment.cut, chars, context, limits)
                context = []
                break_off = chars is None
            else:
                keep = not (last and not source.ended and len(part) > 2 * HELD_LINES)
                part = part if keep else part[:-HELD_LINES]
                source.skip(sum(map(len, part)) + len(part))
                yield from _loose(part)
                context = [line.strip()[:MAX_CONTEXT_CHARS] for line in part if line.strip()][-MAX_CONTEXT:]
                break_off = last
            at = segment.last
            if break_off:
                break
        size = min(size * 4, MAX_WINDOW_CHARS) if found and found[-1].cut is None else WINDOW_CHARS
        assert at
    source.finish()


def _tables(
    stream: BinaryIO,
    source: Source,
    cut: Dialect | Layout,
    chars: int | None,
    context: list[str],
    limits: ReadLimits,
) -> Iterator[Content]:
    start = source.lines_taken

    def again() -> Iterator[Row]:
        other = Source(skip_lines(text_blocks(stream, limits), start))
        if chars is not None:
            other.window(chars)
        return region(other, cut, chars, limits)

    yield from tables(region(source, cut, chars, limits), context, again=again)


def _loose(lines: Sequence[str]) -> Iterator[Content]:
    """Running text; the records in it, if it is a form, a log or a list, come as tables too."""
    if not any(line.strip() for line in lines):
        return
    yield Text(iter(lines))
    if _is_list(lines):
        yield from (
            content for content in tables([line.strip()] for line in lines) if not isinstance(content, Text)
        )
    else:
        yield from records(lines)


def _is_list(lines: Sequence[str]) -> bool:
    """One number, date or code on each line."""
    written = [line.strip() for line in lines if line.strip()]
    if len(written) < MIN_LIST or max(map(len, written)) > MAX_LIST_CHARS:
        return False
    plain = sum(
        kind(line) in "nd" or (any(map(str.isdigit, line)) and line.count(" ") < 4) for line in written
    )
    return plain >= 0.9 * len(written) - 1
