"""What the cells of one column look like: kinds of value, counts, order. Plain Python."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from math import isfinite, sqrt
from operator import eq, ge, le, mul

from detectors.engine.once import once

MISSING = frozenset(
    {"", "na", "n/a", "nan", "null", "none", ".", "#n/a", "<na>", "nat", "inf", "-inf", "(null)"}
)
_MISSING_AS_WRITTEN = frozenset(
    "".join(letters)
    for word in MISSING
    for letters in product(*(sorted({letter, letter.upper()}) for letter in word))
)
MARKS = frozenset(
    {"~", "..", ":", "-", "*", "**", "#", "c", "s", "x", "z", "u", "–", "—", "†", "‡", "low", "%"}
)
_MARK = re.compile(r"\[[a-z]{1,4}\]|<\s?\d{1,2}|\.{2,3}|\(c\)", re.ASCII)
_DECORATED = re.compile(
    r"\(?[£$€]?\s?(-?\d{1,3}(?:[, \u00a0\u2009\u202f]\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)\s?%?\)?[pr]?"
)
_THOUSANDS = re.compile("[, \u00a0\u2009\u202f]")
_COMMA = re.compile(r"-?\d+,\d+")
_BAND = re.compile(
    r"(\d{1,3})\s?(?:-|–|to|i)\s?(\d{1,3})(?: years| oed)?|(?:under|over|below|less than|dan|dros)\s\d{1,3}|"
    r"\d{1,3}\s?(?:\+|and over|plus|a throsodd|or over|and under)",
    re.I,
)
_YMD = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_DMY = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?: .*)?")
_DMONY = re.compile(r"(\d{1,2})[- ]?([A-Za-z]{3,9})[- ,]*(\d{4}|\d{2})")
_MONTHS = {
    m: i
    for i, m in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}


def number(text: str) -> float | None:
    """A plain or decorated number ("1,250", "12%", "£30", "(4)"), or None."""
    try:
        value = float(text)
    except ValueError:
        found = _DECORATED.fullmatch(text)
        if found:
            return float(_THOUSANDS.sub("", found[1]))
        return float(text.replace(",", ".")) if _COMMA.fullmatch(text) else None
    return value if isfinite(value) and "_" not in text else None


def _all_plain(texts: Collection[str]) -> list[float] | None:
    """The numbers of these texts if `number` takes each as it is."""
    try:
        values = list(map(float, texts))
    except ValueError:
        return None
    return values if all(map(isfinite, values)) and "_" not in "".join(texts) else None


def is_mark(text: str) -> bool:
    """A shorthand that stands where a number was withheld, low or missing in published tables."""
    low = text.lower()
    return low in MARKS or _MARK.fullmatch(low) is not None


def is_band(text: str) -> bool:
    """A range of ages or amounts: "20-24", "65+", "under 5"."""
    return _BAND.fullmatch(text) is not None


def ordinal(text: str) -> int | None:
    """The day number (proleptic Gregorian) of a written date, day before month if both could be."""
    try:
        if found := _YMD.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3])).toordinal()
        if found := _DMY.fullmatch(text):
            day, month, year = int(found[1]), int(found[2]), _century(found[3])
            day, month = (month, day) if month > 12 >= day else (day, month)
            return date(year, month, day).toordinal()
        if found := _DMONY.fullmatch(text):
            return date(_century(found[3]), _MONTHS[found[2][:3].lower()], int(found[1])).toordinal()
    except (ValueError, KeyError):
        return None
    return None


def _century(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year > 30 else 2000)


@dataclass(eq=False)
class Column:
    """One column of a sample. `cells` are stripped; `counts` are of the filled ones."""

    position: int
    cells: list[str]
    name: str | None = None
    label: str = ""
    value_labels: Sequence[str] = ()
    counts: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = Counter(self.cells)
        for text in self.counts.keys() & _MISSING_AS_WRITTEN:
            del self.counts[text]

    @once
    def filled(self) -> int:
        """How many cells are not blank and not a missing-value word."""
        return self.counts.total()

    @property
    def distinct(self) -> int:
        """How many different filled cells there are."""
        return len(self.counts)

    @once
    def parsed(self) -> dict[str, float]:
        """Numbers by text. A column whose first values are all words is not tried further."""
        if (values := _all_plain(self.counts)) is not None:
            return dict(zip(self.counts, values, strict=True))
        found: dict[str, float] = {}
        for tried, text in enumerate(self.counts):
            value = number(text)
            if value is not None:
                found[text] = value
            elif tried >= 24 and not found:
                break
        return found

    @once
    def numeric(self) -> bool:
        """At least seven in ten filled cells are numbers."""
        all_are = len(self.parsed) == len(self.counts)
        seen = self.filled if all_are else sum(map(self.counts.__getitem__, self.parsed))
        return seen > 0 and seen >= 0.7 * self.filled

    @once
    def numbers(self) -> list[float]:
        """The numbers in file order; cells that are none are left out."""
        parsed = self.parsed
        if len(parsed) == len(self.counts) and self.filled == len(self.cells):
            return [*map(parsed.__getitem__, self.cells)]
        return [parsed[c] for c in self.cells if c in parsed]

    @once
    def ordered(self) -> list[float]:
        """The numbers, least first."""
        return sorted(self.numbers)

    @once
    def mean(self) -> float:
        """The mean of the numbers; 0 of none."""
        return mean(self.numbers)

    @once
    def whole(self) -> bool:
        """Numeric, and all numbers are whole (also "3.0")."""
        return self.numeric and all(map(float.is_integer, self.parsed.values()))

    @once
    def kinds(self) -> int:
        """How many different values there are once "1", "1.0" and "01" are one."""
        return len(set(self.parsed.values())) if self.numeric else self.distinct

    @once
    def dates(self) -> list[int]:
        """Day numbers in file order if at least eight in ten filled cells are written dates, else empty."""
        if self.numeric or not self.counts:
            return []
        head = [t for t, _ in zip(self.counts, range(6), strict=False)]
        if all(ordinal(t) is None for t in head):
            return []
        days = {t: ordinal(t) for t in self.counts}
        listed = [d for c in self.cells if (d := days.get(c)) is not None]
        return listed if len(listed) >= 0.8 * self.filled else []

    @once
    def textual(self) -> bool:
        """Filled, and neither numbers nor dates."""
        return bool(self.counts) and not self.numeric and not self.dates

    @once
    def series(self) -> list[float]:
        """Numbers or day numbers in file order."""
        return self.numbers if self.numeric else [float(d) for d in self.dates]

    @once
    def lag1(self) -> float | None:
        """Autocorrelation of neighbours; near 0 in exchangeable rows, high in series and sorted lists."""
        return (
            correlation(self.series[:-1], self.series[1:])
            if len(self.series) >= 5 and self.kinds > 4
            else None
        )

    @once
    def clumped(self) -> float | None:
        """How codes follow each other: 0 as if drawn, up to 1 in blocks, down to -1 never twice running."""
        n = len(self.cells)
        if n < 5 or not self.coded or self.kinds < 2 or self.filled < 0.8 * n:
            return None
        chance = sum(k * (k - 1) for k in self.counts.values()) / (self.filled * (self.filled - 1))
        same: float = sum(map(eq, self.cells, self.cells[1:])) / (n - 1)
        if same >= chance:
            return (same - chance) / (1 - chance) if chance < 1 else None
        return (same - chance) / chance

    @once
    def sorted(self) -> bool:
        """Values never fall or never rise (and do change)."""
        s = self.series
        if len(s) < 4 or s[0] == s[-1]:
            return False
        return all(map(le, s, s[1:])) or all(map(ge, s, s[1:]))

    @once
    def low(self) -> bool:
        """Few values, each repeated: how coded answers look."""
        return 0 < self.kinds <= 12 and self.filled >= 3 * self.kinds

    @once
    def coded(self) -> bool:
        """Low-cardinality and not a measured amount: a category, as far as one can tell."""
        few = self.kinds <= max(2, min(40, len(self.cells) // 2))
        return bool(self.counts) and few and (not self.numeric or self.whole)


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's correlation of two series of one length, or None where it is not defined."""
    return together(centred(a), centred(b)) if len(a) >= 4 else None


Centred = tuple[list[float], float]
"""Distances from the mean, and the sum of their squares."""


def centred(values: Sequence[float]) -> Centred:
    """One side of a correlation."""
    middle = sum(values) / len(values)
    away = [x - middle for x in values]
    return away, sum(map(mul, away, away))


def together(a: Centred, b: Centred) -> float | None:
    """The correlation of two series of one length, or None where it is not defined."""
    (da, var_a), (db, var_b) = a, b
    if var_a <= 0 or var_b <= 0:
        return None
    scale = sqrt(var_a) * sqrt(var_b)
    if not isfinite(scale) or scale == 0:
        return None
    both: float = sum(map(mul, da, db))
    return both / scale


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def spread(values: Sequence[float]) -> float:
    """Population standard deviation; 0 of nothing."""
    if len(values) < 2:
        return 0.0
    m = mean(values)
    return sqrt(sum([(v - m) * (v - m) for v in values]) / len(values))
