"""Columns of people's names and of dates of birth, never from shape alone.

Runbook: names beside a date of birth or another identifier are decisive; a list of names alone is not.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import filterfalse

from detectors.engine.columns import Column
from detectors.engine.lexicon import tokens
from detectors.engine.stanza import Bounds
from detectors.engine.view import TableView
from detectors.key_variables import birth_like
from detectors.plausibility import PROGRAM_WORD

FEATURES = ("rows_named", "title_cased")
_INITIALS = re.compile(
    r"[^\W\d_][\w'’ -]+, ?(?:[A-Z]\.? ?){1,4}|(?:[A-Z]\.? ?){1,3} [A-Z][\w'’-]+|"
    r"[A-Z][\w'’-]+ [A-Z]\.? [A-Z][\w'’-]+"
)
"""A name with initials: "Law, D", "ARMENTANO,A.J.", "J. R. Hartley"."""
_LETTERS = re.compile(r"[^\W\d_]+")
_IN_STATE = re.compile(r"[^,]+, [A-Z]{2}")
"""A place in its state: initials come in ones, twos and threes."""
_KNOWN_AGAIN = 0.75
_TWO_WORDS = re.compile(r"[A-Z][\w'’-]+(?: [A-Z][\w'’.-]*){1,3}(?: \([A-Z]{2,3}\))?")

_FIRMS = frozenset(
    [
        "ltd",
        "limited",
        "plc",
        "llp",
        "inc",
        "corp",
        "gmbh",
        "company",
        "trust",
        "council",
        "university",
        "school",
        "hospital",
        "bank",
        "holdings",
        "group",
    ]
)
_NOT_NAMES = frozenset(
    [
        "file",
        "variable",
        "table",
        "column",
        "field",
        "count",
        "product",
        "item",
        "brand",
        "species",
        "place",
        "city",
        "country",
        "company",
        "firm",
        "school",
        "hospital",
        "host",
        "user",
        "code",
        "col",
        "event",
        "team",
        "car",
        "street",
        "road",
        "ward",
        "unit",
        "org",
        "organisation",
        "area",
        "region",
        "lad",
        "la",
    ]
)


@dataclass(frozen=True)
class Options:
    """Tuning of this detector. `min_forenames` is the share of first words that must be known forenames."""

    enabled: bool = True
    weight: float = 1.0
    min_forenames: float = field(default=0.5, metadata={"bounds": Bounds(0.2, 1.0)})


@dataclass(frozen=True, slots=True)
class Named:
    """What was found: columns of names and of dates of birth, by position."""

    names: tuple[int, ...] = ()
    births: tuple[int, ...] = ()


def measure(t: TableView) -> dict[str, float]:
    """How far rows are labelled with people's names, by forenames or initials; and with title-cased words."""
    named = cased = 0.0
    for c in t.used:
        if not c.textual or c.filled < 3 or c.distinct < 0.4 * c.filled or _is_role(t, c):
            continue
        texts = list(c.counts)[:100]
        if _firms(texts) or any(len(x) > 60 for x in texts):
            continue
        if len([*filter(_IN_STATE.fullmatch, texts)]) >= 0.9 * len(texts):
            continue
        other = [*filterfalse(_INITIALS.fullmatch, texts)]
        known = len(texts) - len(other) + sum(" " in x and _is_known(x, t.lexicon.forenames) for x in other)
        named = max(named, known / len(texts) * c.filled / t.rows)
        cased = max(cased, len([*filter(_TWO_WORDS.fullmatch, texts)]) / len(texts))
    return {"rows_named": named if named >= 0.3 else 0.0, "title_cased": cased}


def find(t: TableView, forenames: frozenset[str], options: Options) -> Named:
    """Columns of names and of births."""
    names, births = [], []
    for c, words in zip(t.columns, t.words, strict=True):
        concepts = {w.concept for w in words if w.strength >= 1.0}
        said = set(tokens(c.name or ""))
        if _is_role(t, c):
            continue
        if _name_like(
            c,
            "name" in concepts and not said & _NOT_NAMES,
            "name" in said and not said & _NOT_NAMES,
            forenames,
            options,
        ):
            names.append(c.position)
        elif _birth(c, "birth" in concepts):
            births.append(c.position)
    return Named(tuple(names), tuple(births))


def _name_like(c: Column, headed: bool, perhaps: bool, forenames: frozenset[str], options: Options) -> bool:
    if not c.textual or c.filled < 2:
        return False
    texts = list(c.counts)[:200]
    shaped = sum(2 <= len(x) <= 40 and _letters(x) >= 0.75 * len(x) for x in texts)
    if shaped < 0.6 * len(texts) or _firms(texts):
        return False
    if len([*filter(PROGRAM_WORD.fullmatch, texts)]) > 0.3 * len(texts) or _of_one_kind(texts):
        return False
    if headed:
        return c.distinct >= 0.3 * c.filled or any(len(x) <= 3 for x in texts)
    again = c.distinct < 0.4 * c.filled
    if c.distinct < 8 and (again or not perhaps):
        return False
    known = sum(_is_known(x, forenames) for x in texts) / len(texts)
    if again:  # several records of each: whole names alone
        return known >= _KNOWN_AGAIN and all(len(_words(x)) > 1 for x in texts)
    return known >= (0.6 * options.min_forenames if perhaps else options.min_forenames)


def _letters(text: str) -> int:
    bare = text.replace(" ", "")
    return len(bare) if bare.isalpha() else sum(map(len, _LETTERS.findall(text)))


def _words(text: str) -> list[str]:
    return text.lower().replace(",", " ").replace(".", " ").split()[:4]


def _is_known(text: str, forenames: frozenset[str]) -> bool:
    """Whether one of its first words is a forename."""
    return not forenames.isdisjoint(_words(text))


def _is_role(t: TableView, c: Column) -> bool:
    """Who a thing is assigned to, who made or checked it: the row is about the thing."""
    return bool(set(tokens(c.name or "")).intersection(t.lexicon.context["role"]))


def _of_one_kind(texts: list[str]) -> bool:
    """One word in most of many names, as in those of a family of fonts; few families are so large."""
    often = Counter(word for x in texts for word in set(_words(x)))
    return len(texts) >= 8 and " " in texts[0] and max(often.values(), default=0) > 0.6 * len(texts)


def _firms(texts: list[str]) -> bool:
    together = " ".join(texts).lower()
    if not any(word in together for word in _FIRMS):
        return False
    return sum(bool(_FIRMS & set(_words(x) + x.lower().split()[-1:])) for x in texts) > 0.15 * len(texts)


def _birth(c: Column, headed: bool) -> bool:
    if headed and (c.dates or _day_number(c)):
        return True
    return birth_like(c) >= 1.0 and c.filled >= 8


def _day_number(c: Column) -> bool:
    """Days or seconds as spreadsheets and statistical programs keep dates, over decades, or yyyymmdd."""
    if not c.whole or c.filled < 5 or c.kinds < 0.5 * c.filled or c.sorted:
        return False
    low, high = min(c.numbers), max(c.numbers)
    days = low >= -40_000 and 3_000 < high <= 60_000 and high - low > 3_650
    return days or (low >= 1.85e7 and high <= 2.1e7) or (low > 9e9 and high < 1.5e10)


def forenames(text: str) -> frozenset[str]:
    """The set of forenames out of the lexicon file's text."""
    return frozenset(text.split())
