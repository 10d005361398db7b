"""Do values look like people's? Ages, sexes, years of birth, answers and categories that describe a person.

Runbook: key variables identify in combination. A finding names the column by position; several of them
unsorted in one table are what a coded survey file looks like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

from detectors.engine.columns import Column, mean, spread
from detectors.engine.lexicon import Word
from detectors.engine.view import TableView

FEATURES = (
    "age_values",
    "sex_values",
    "birth_values",
    "amount_values",
    "person_concepts",
    "person_cells_share",
    "answer_cells",
    "two_codes",
    "body_values",
    "diagnosis_codes",
    "borne_out",
)
_CODED = frozenset(
    """ethnicity marital nationality religion disability education employment grade household housing
    treatment behaviour politics attitude diagnosis survival family defence""".split()  # noqa: SIM905
)
_PERSONAL = frozenset(
    {"demographic", "person", "household", "socioeconomic", "health", "attitude", "activity"}
)
_OTHER = frozenset({"design", "metadata", "thing", "aggregate", "economy", "organisation", "area"})
_SEX = "person.sex"
MOST_AGES = 4
"""Where more columns than these, and most, could be ages, they are scores of something."""
_ENDS = frozenset({23, 24, 28, 29, 30, 31, 59, 60})
"""Last hours, days and minutes."""
_DIAGNOSIS = re.compile(r"[A-TV-Z]\d\d(?:\.?[0-9X]{1,2})?")
"""ICD-10, three to five places; U is for emergency use."""


@dataclass(frozen=True)
class Options:
    """Tuning of this detector."""

    enabled: bool = True
    weight: float = 1.0


def measure(t: TableView) -> dict[str, float]:
    """How far values look like attributes of people."""
    used = t.used
    m = max(1, len(used))
    concepts: set[str] = set()
    described = answers = 0
    for c, shares, words in zip(t.columns, t.cell_concepts, t.words, strict=True):
        said = any(w.concept == "sex" for w in words)
        own = {k for k, s in shares.items() if k.startswith("person.") and s >= 0.6 and k != "person.truth"}
        if _SEX in own and not (c.value_labels or said or _two_sexes(t, c)):
            own.discard(_SEX)
        repeated = c.filled >= 2 * c.distinct or t.rows < 10 or bool(c.value_labels)
        if own and repeated:
            concepts |= own
            described += 1
            answers += bool(own & {"person.answer", "person.agreement"})
    ages = [
        age_like(c)
        for c, words in zip(t.columns, t.words, strict=True)
        if c.counts and not is_numbered(words)
    ]
    scores = sum(map(bool, ages)) > max(MOST_AGES, m // 2)
    return {
        "age_values": 0.0 if scores else max(ages, default=0.0),
        "sex_values": float("person.sex" in concepts),
        "birth_values": max((birth_like(c) for c in used), default=0.0),
        "amount_values": sum(amount_like(c) for c in used) / m,
        "person_concepts": min(6, len(concepts)),
        "person_cells_share": described / m,
        "answer_cells": answers / m,
        "two_codes": sum(c.whole and c.kinds == 2 and set(c.parsed.values()) == {1.0, 2.0} for c in used) / m,
        "body_values": sum(body_like(c) for c in used) / m,
        "borne_out": min(8.0, float(len(_borne_out(t)))),
        "diagnosis_codes": float(any(diagnosis_like(c) for c in used)),
    }


def is_numbered(words: list[Word]) -> bool:
    """Whether a name speaks of a key, of forms of data, of a thing or a count, and of no person."""
    told = {w.family for w in words}
    return bool(told & _OTHER) and not told & _PERSONAL


def _borne_out(t: TableView) -> set[str]:
    """Concepts that a name speaks of and its values agree with, as values of single people in no order."""
    found: set[str] = set()
    for c, words in zip(t.columns, t.words, strict=True):
        for word in words:
            if word.concept not in found and word.strength >= 0.6 and _agrees(word.concept, c):
                found.add(word.concept)
    return found


def _agrees(concept: str, c: Column) -> bool:
    if concept == "age":
        return age_like(c) >= 0.8
    if concept == "birth":
        return birth_like(c) > 0
    if concept in ("body", "measures"):
        return body_like(c) or (c.numeric and c.kinds > 8 and c.lag1 is not None and abs(c.lag1) < 0.3)
    if concept in ("income", "experience"):
        return c.numeric and c.kinds > 5 and c.lag1 is not None and abs(c.lag1) < 0.4 and min(c.numbers) >= 0
    drawn = c.clumped is not None and abs(c.clumped) < 0.4
    if concept == "sex":
        return drawn and 2 <= c.kinds <= 4
    return concept in _CODED and drawn and c.kinds <= 20


def _two_sexes(t: TableView, c: Column) -> bool:
    """Two words of sex as often as people come, or one alone: one letter among others is no sex."""
    known = t.lexicon.cells
    often = sorted(times for text, times in c.counts.items() if _SEX in known.get(text.lower(), ()))
    return c.distinct == 1 or (len(often) >= 2 and often[-2] >= 0.02 * c.filled)


def age_like(c: Column) -> float:
    """How far a column looks like ages of people in no order: 0 to 1."""
    if not c.numeric or len(c.numbers) < 5:
        return 0.0
    values = c.parsed.values()
    low, high = min(values), max(values)
    if low < 0 or high > 110 or high < 18 or not c.whole or _is_scale(c, low, high):
        return 0.0
    middle, wide = mean(c.numbers), spread(c.numbers)
    enough = c.kinds >= min(12, max(4, len(c.numbers) // 2))
    unordered = c.lag1 is None or abs(c.lag1) < 0.5
    score = (8 <= middle <= 85) + (3.5 <= wide <= 27) + enough + unordered + (low >= 5 and high >= 25)
    return score / 5 if score >= 4 else 0.0


def _is_scale(c: Column, low: float, high: float) -> bool:
    """Steps of a scale (ages may be of five), or evenly from end to end of a clock, a month, a minute."""
    if c.kinds >= 4 and gcd(*(int(v) for v in c.parsed.values())) not in (1, 5):
        return True
    return low <= 1 and high in _ENDS and spread(c.numbers) >= 0.25 * (high - low)


def birth_like(c: Column) -> float:
    """How far a column looks like dates or years of birth: spread over decades, in no order."""
    if c.dates:
        years = [d / 365.2425 for d in c.dates]
        wide = max(years) - min(years) > 15 and spread(years) > 4
        unordered = c.lag1 is None or abs(c.lag1) < 0.3
        own = c.kinds >= 0.1 * c.filled  # few are born on one day
        return float(wide and unordered and own and min(years) > 1850 and max(years) < 2060)
    if c.whole and c.kinds >= 5 and all(1850 <= v <= 2030 for v in c.parsed.values()):
        unordered = c.lag1 is None or abs(c.lag1) < 0.3
        return 0.7 * float(spread(c.numbers) > 4 and unordered)
    return 0.0


def amount_like(c: Column) -> bool:
    """Right-skewed positive amounts, mostly rounded: how incomes look."""
    if not c.numeric or len(c.numbers) < 8 or c.kinds < 8:
        return False
    s = c.ordered
    middle = s[len(s) // 2]
    if s[0] < 0 or middle < 1000 or s[-1] > 5e6:
        return False
    return mean(s) > middle * 1.02 and sum(v % 10 == 0 for v in s) > 0.5 * len(s)


def diagnosis_like(c: Column) -> bool:
    """ICD-10 codes of several letters, in no order."""
    if not c.textual or c.filled < 5 or c.distinct < 3:
        return False
    texts = list(c.counts)[:100]
    if sum(bool(_DIAGNOSIS.fullmatch(x)) for x in texts) < 0.9 * len(texts):
        return False
    given = [x for x in c.cells if x]
    rising = sum(a <= b for a, b in pairwise(given)) / max(1, len(given) - 1)
    return len({x[0] for x in texts}) >= 2 and rising < 0.85


def body_like(c: Column) -> bool:
    """Heights in cm or m, or weights in kg, of people."""
    if not c.numeric or len(c.numbers) < 8 or c.kinds < 5:
        return False
    s = c.ordered
    low, middle, high = s[len(s) // 20], s[len(s) // 2], s[-1 - len(s) // 20]
    if c.lag1 is not None and abs(c.lag1) > 0.5:
        return False
    tall = (low >= 140 and 155 <= middle <= 185 and high <= 205) or (
        low >= 1.4 and 1.5 <= middle <= 1.9 and high <= 2.1
    )
    heavy = low >= 35 and 55 <= middle <= 95 and 70 <= high <= 150
    return tall or heavy
