"""Records of fixed width with no blank between two values, and nothing that says where these begin.

Told by what stands at each place of the lines. The last digits of a number are all ten, each about as often;
its first one, and a code, are not. So a value goes on where they are, and begins elsewhere. A guess: what was
cut so is judged as strictly as what was cut out of a program.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from detectors.engine.layout import Layout

LEAST_LINES = 30
MOST_SAMPLED = 400
LEAST_CHARS, MOST_CHARS = 12, 4000
LEAST_VARYING = 7
ALIKE = 0.98
LEAST_DIGITS = 0.5
MANY_DIGITS = 8
"""So many different ones among a few lines: all ten may stand there."""
MOST_UNEVEN = 27.9
"""The most that chi-square of ten equally likely digits is, but for once in a thousand times."""
MOST_MIXED = 0.1
_WHOLE = re.compile(r"\d\d([/.-])\d\d\1\d{4}|\d{4}-\d\d-\d\d|[A-Z]{2}\d{6}[A-D]")
_DIGITS = frozenset("0123456789")
_INSIDE = frozenset(".,-+")


def packed(lines: Sequence[str]) -> Layout | None:
    """The layout of `lines`, if nearly all are as long and full of digits at the same places."""
    length = len(lines[0].rstrip()) if lines else 0
    if not LEAST_CHARS <= length <= MOST_CHARS or any(len(line.rstrip()) != length for line in lines[1:4]):
        return None
    last = next((at for at, line in enumerate(lines) if not line.strip()), len(lines))
    full = [line.rstrip() for line in lines[:last]]
    alike = [line for line in full if len(line) == length]
    if last < LEAST_LINES or len(alike) < ALIKE * last or any(map(str.strip, lines[last:])):
        return None
    sample = alike[:: max(1, len(alike) // MOST_SAMPLED)]
    places = [*map(frozenset, zip(*sample, strict=True))]
    mixed = sum(not place.isdisjoint(_DIGITS) and any(map(str.isalpha, place)) for place in places)
    if (
        mixed > MOST_MIXED * length
        or sum(place <= _DIGITS | _INSIDE for place in places) < LEAST_DIGITS * length
    ):
        return None
    even = [_are_even([line[at] for line in sample]) for at in range(length)]
    whole = _wholes(sample)
    inside = {at for a, b in whole for at in range(a + 1, b)}
    begun = {at for span in whole for at in span if at < length}
    cuts = [
        0,
        *(
            at
            for at in range(1, length)
            if at not in inside and (at in begun or _begins(sample, places, even, at))
        ),
    ]
    varying = sum(
        any(len(place) > 1 for place in places[a:b]) for a, b in zip(cuts, [*cuts[1:], length], strict=True)
    )
    return (
        Layout(tuple(cuts), 0, last, 0.0, is_given=True, is_guess=True) if varying >= LEAST_VARYING else None
    )


def _are_even(digits: Sequence[str]) -> bool:
    """Whether (nearly) all ten digits occur, each about as often as the others, as far as chance lets."""
    counts, each = Counter(digits), len(digits) / 10
    if sum(counts[digit] > 0 for digit in _DIGITS) < MANY_DIGITS:
        return False
    return sum((counts[digit] - each) ** 2 for digit in _DIGITS) <= MOST_UNEVEN * each


def _wholes(sample: Sequence[str]) -> list[tuple[int, int]]:
    """The places of dates and numbers of a known form, that all lines have there."""
    spans = [match.span() for match in _WHOLE.finditer(sample[0])]
    return [(a, b) for a, b in spans if all(_WHOLE.fullmatch(line, a, b) for line in sample)]


def _begins(sample: Sequence[str], places: Sequence[frozenset[str]], even: Sequence[bool], at: int) -> bool:
    """Whether another value begins at a place that is not the first."""
    here, before = places[at], places[at - 1]
    if here <= _DIGITS and before <= _DIGITS:
        return not even[at]
    if here | before <= _DIGITS | _INSIDE:
        return "-" in here or "+" in here
    if " " in here or " " in before:
        # what is set to the right is blank first, what is set to the left last
        pairs = {(line[at - 1] == " ", line[at] == " ") for line in sample}
        goes_on = (True, False) not in pairs or (False, True) not in pairs
        return not (goes_on and (True, True) in pairs) and _is_digit(here) != _is_digit(before)
    return _is_digit(here) != _is_digit(before)


def _is_digit(place: frozenset[str]) -> bool:
    return not place.isdisjoint(_DIGITS)
