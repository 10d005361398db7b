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

from detectors.engine.columns import Column
from detectors.engine.stanza import Bounds
from detectors.engine.verdict import Tier
from detectors.engine.view import TableView

MEASURES = ("untidy_cells", "wordy_cells", "no_values", "little_to_go_by")

_UNTIDY = re.compile(
    r"""[{}\\|`^~<>$]|=\S|["'(\[]\S*$|^[^("']*[)\]"]|::|->|[;,]$|^[-#*/@%.!=]+\S|^\W+$|_\w*_"""
)
"""Marks of program text, settings and markup that cells of data seldom hold."""
_LONG_CHARS = 60
_MANY_WORDS = 8

_SHARE = {"bounds": Bounds(0.0, 1.0)}


@dataclass(frozen=True)
class Options:
    """Ceilings for tables that identifiers do not decide."""

    enabled: bool = True
    weight: float = 1.0
    untidy_share: float = field(default=0.2, metadata=_SHARE)
    wordy_share: float = field(default=0.3, metadata=_SHARE)
    least_values: float = field(default=0.34, metadata=_SHARE)
    least_columns: int = field(default=3, metadata={"bounds": Bounds(1, 100)})
    unnamed_rows: int = field(default=50, metadata={"bounds": Bounds(3, 100_000)})


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
    found = []
    untidy, wordy = _shares(used)
    if untidy > options.untidy_share:
        found.append(Doubt("untidy_cells", untidy, options.untidy_share, Tier.NONE))
    values = sum(_holds_values(c) for c in used) / len(used)
    if wordy > options.wordy_share and values < 0.5:
        found.append(Doubt("wordy_cells", wordy, options.wordy_share, Tier.NONE))
    if _people(measures):
        return found
    if values < options.least_values or not any(c.numeric or c.dates for c in used):
        found.append(Doubt("no_values", values, options.least_values, Tier.NONE))
    elif len(used) < options.least_columns:
        found.append(Doubt("little_to_go_by", len(used), options.least_columns, Tier.NONE))
    elif t.rows < options.unnamed_rows and measures["says_people"] <= measures["says_others"]:
        ceiling = Tier.POSSIBLE if t.rows >= options.unnamed_rows // 2 else Tier.NONE
        found.append(Doubt("little_to_go_by", t.rows, options.unnamed_rows, ceiling))
    return found


def _people(m: Mapping[str, float]) -> bool:
    """Whether names or values speak of people at all, by more than one stray word."""
    by_values = m["age_values"] > 0 or m["birth_values"] >= 1 or m["person_concepts"] >= 1
    return bool(by_values) or (m["people_concepts"] >= 2 and m["says_people"] >= 0.2)


def _shares(used: list[Column]) -> tuple[float, float]:
    """Shares of the filled cells that hold (marks of programs, many words)."""
    filled = untidy = wordy = 0
    for c in used:
        filled += c.filled
        if c.numeric:
            continue
        for text, times in c.counts.items():
            if len(text) > _LONG_CHARS or text.count(" ") >= _MANY_WORDS:
                wordy += times
            if _UNTIDY.search(text):
                untidy += times
    return untidy / max(1, filled), wordy / max(1, filled)


def _holds_values(c: Column) -> bool:
    """Numbers, dates, or codes that come again."""
    return c.numeric or bool(c.dates) or (c.distinct > 1 and c.filled >= 3 * c.distinct)
