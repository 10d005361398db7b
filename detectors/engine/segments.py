"""Where in a window of lines the tables are, and where running text is.

Works on a window because a file may be of any length; the last segment of a window is open and may
go on behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import filterfalse

from detectors.engine.dialect import TEX, Dialect, candidates, is_rule
from detectors.engine.layout import Layout, fixed_width
from detectors.engine.literals import are_braced
from detectors.engine.packed import packed
from detectors.engine.runs import Run, runs

MAX_GAP = 8
MAX_NESTED = 2
MIN_RUN_IN_CODE = 5
_PAIR = re.compile(
    r"\s*(?:[-*+•>] )?[*_`]{0,3}([^\W\d_][\w .()/'-]{0,48}?)[*_`]{0,3}\s*"
    r"(?:[:=]|\.{3,}|(?<=\s)\|(?=\s)(?!.*\s\|\s))\s*\S.*"
)
_BEGINS_CODE = re.compile(
    r"\s*(?:import|from|def|class|return|if|for|while|else|elif|const|let|var|function|public|private|static"
    r"|using|package|try|except|catch|fi|do|done|echo|export|local|#include|#define|@\w+)\b(?!,)"
    r"|\s*(?://|/\*|\* |# )|\s*[)}\]]"
)
_HOLDS_CODE = re.compile(r".*[{};(\[\\]\s*$|.*\w\(.*\)[;:{]?\s*$|\s*[\w.]+(?:\[.*\])? [-+]?= .*")
_MARKS_OF_CODE = "{};([\\="
"""One of these is in each line that `_HOLDS_CODE` matches."""
_FRAMED = re.compile(r"^ *(?:\d+\. )? *\|[^|]*[^| ]  +[^| ][^|]*\| *$")
"""A row of a listing in a box, as Stata draws it, with or without its number."""
_LOG = re.compile(
    r"\W{0,2}(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
    r"|\d\d[-/]\d\d[-/]\d{2,4} \d\d:\d\d|[\d.:a-f]{7,39} \S+ \S+ \["
    r"|\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRIT(?:ICAL)?|FATAL|SEVERE)\b"
    r"|\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d|\[ *\d+\.\d+\] )"
)


@dataclass(frozen=True, slots=True)
class Segment:
    """Lines `first` up to, not with, `last`: rows cut by `cut`, or running text where it is None."""

    first: int
    last: int
    cut: Dialect | Layout | None


def segments(lines: Sequence[str]) -> list[Segment]:
    """Cover all lines, in order, each once."""
    found: list[Segment] = []
    _divide(lines, 0, len(lines), [], True, found)
    return _joined(found)


def _divide(
    lines: Sequence[str], first: int, last: int, used: list[Dialect], free: bool, found: list[Segment]
) -> None:
    """Take the best table out of a stretch of lines, then divide what lies before and behind it.

    `free` is off within what is a log, a program or a form as a whole: there only clear tables count.
    """
    start = first
    while first < last and not lines[first].strip():
        first += 1
    found.append(Segment(start, first, None))
    if last - first < 2 or len(used) > MAX_NESTED:
        if first < last:
            found.append(Segment(first, last, None))
        return
    part = lines[first:last]
    if are_braced(part):
        found.append(Segment(first, last, None))
        return
    free = free and not (is_log(part) or is_code(part) or _is_keyed(part))
    best = _best(part, used, free)
    layout = _layout(part, best) if free else None
    whole = packed(part) if free and (best is None or best[0].delimiter == " ") else None
    if whole is not None and (layout is None or len(whole.cuts) > 2 * len(layout.cuts)):
        found.append(Segment(first, first + whole.last, whole))
        _divide(lines, first + whole.last, last, used, free, found)
        return
    if layout is not None and (best is None or layout.weight >= sum(run.weight for run in best[1])):
        _divide(lines, first, first + layout.first, used, free, found)
        found.append(Segment(first + layout.first, first + layout.last, layout))
        _divide(lines, first + layout.last, last, used, free, found)
        return
    if best is None:
        found.extend(_paragraphs(lines, first, last) if free else [Segment(first, last, None)])
        return
    dialect, stretches = best
    at = first
    for start, end in _merged(stretches):
        _divide(lines, at, first + start, [*used, dialect], free, found)
        found.append(Segment(first + start, first + end, dialect))
        at = first + end
    _divide(lines, at, last, [*used, dialect], free, found)


def _layout(part: Sequence[str], best: tuple[Dialect, list[Run]] | None) -> Layout | None:
    """The layout in columns of fixed width, where no delimiter says more; also within one frame."""
    if best is None or best[0].delimiter in " :":
        return fixed_width(part)
    if best[0].delimiter == "|" and sum(map(_is_framed, part)) > 0.8 * sum(
        not is_rule(line) for line in part
    ):
        layout = fixed_width([line.replace("|", " ") for line in part])
        return None if layout is None else replace(layout, framed=True)
    return None


def _is_framed(line: str) -> bool:
    """Whether columns stand between two bars, with no bar between columns."""
    return line.count("|") == 2 and _FRAMED.search(line) is not None


def _best(part: Sequence[str], used: list[Dialect], free: bool) -> tuple[Dialect, list[Run]] | None:
    """The dialect with most in its runs; `free` is off for what is more likely a log, code or a form."""
    text = "\n".join(part)
    best: tuple[Dialect, list[Run]] | None = None
    most = 0.0
    for dialect in candidates(text):
        if dialect in used or (not free and dialect.delimiter in " :"):
            continue
        stretches = runs(dialect, part, most)
        if not free and dialect.delimiter != TEX:
            stretches = [
                run for run in stretches if run.width > 3 and run.last - run.first >= MIN_RUN_IN_CODE
            ]
        weight = sum(run.weight for run in stretches)
        if weight > most:
            best, most = (dialect, stretches), weight
    return best


def _is_clear(run: Run) -> bool:
    return run.width > 3 and run.last - run.first >= MIN_RUN_IN_CODE and run.quality >= 0.7


def is_log(lines: Sequence[str]) -> bool:
    """Whether most lines begin with a time or a level, as programs write them."""
    written = [line for line in lines[:400] if line.strip()]
    text = "\n".join(written)
    if " " not in text and ":" not in text and text == text.lower():
        return False  # a time has one of the first two, a level capital letters
    return len(written) >= 3 and len([*filter(_LOG.match, written)]) > 0.6 * len(written)


def is_code(lines: Sequence[str]) -> bool:
    """Whether a good part of the lines looks like a program."""
    written = [line[:400] for line in lines[:400] if line.strip()]
    if len(written) < 3:
        return False
    rest = [*filterfalse(_BEGINS_CODE.match, written)]
    text = "\n".join(rest)
    marks = [mark for mark in _MARKS_OF_CODE if mark in text]
    marked = [line for line in rest if any(mark in line for mark in marks)] if marks else []
    held = [*filter(_HOLDS_CODE.match, marked)]
    return len(written) - len(rest) + len(held) > 0.4 * len(written)


def _is_keyed(lines: Sequence[str]) -> bool:
    """Whether most lines are `name: value` and the names come back."""
    written = [line[:400] for line in lines[:400] if line.strip()]
    parted = [line for line in written if ":" in line or "=" in line or "|" in line or "..." in line]
    names = [match.group(1) for match in map(_PAIR.match, parted) if match]
    return len(names) >= 6 and len(names) > 0.5 * len(written) and len(set(names)) <= 0.4 * len(names)


def _merged(stretches: list[Run]) -> list[tuple[int, int]]:
    """Runs with little between them as one: the rows between are blank, short or ragged."""
    spans: list[tuple[int, int]] = []
    for run in stretches:
        if spans and run.first - spans[-1][1] <= MAX_GAP:
            spans[-1] = (spans[-1][0], run.last)
        else:
            spans.append((run.first, run.last))
    return spans


def _paragraphs(lines: Sequence[str], first: int, last: int) -> list[Segment]:
    """Text, but for paragraphs that are laid out in columns of fixed width."""
    found: list[Segment] = []
    at = first
    while at < last:
        end = at
        while end < last and lines[end].strip():
            end += 1
        while end < last and not lines[end].strip():
            end += 1
        layout = fixed_width(lines[at:end]) if end - at < last - first else None
        if layout is not None:
            found.append(Segment(at, at + layout.first, None))
            found.append(Segment(at + layout.first, at + layout.last, layout))
            at += layout.last
        else:
            found.append(Segment(at, end, None))
            at = end
    return found


def _joined(found: list[Segment]) -> list[Segment]:
    """Neighbouring stretches of text as one; empty ones left out."""
    joined: list[Segment] = []
    for segment in found:
        if segment.first == segment.last:
            continue
        if joined and segment.cut is None and joined[-1].cut is None:
            joined[-1] = Segment(joined[-1].first, segment.last, None)
        else:
            joined.append(segment)
    return joined
