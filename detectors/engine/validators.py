"""Checks behind the patterns: check digits, ranges, calendars. Each takes the folded text of one identifier.

Sources: NHS Data Dictionary (NHS and CHI numbers), HMRC manual NIM39110 (NINO prefixes), ISO 13616 (IBAN),
ISO/IEC 7812 (Luhn), ISO 2108 (ISBN), ISO 17442 (LEI), DVLA driver number format, HMRC UTR check digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from itertools import pairwise

_UNUSED_NINO = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
_LONG, _MANY, _MANY_DIGITS = 40, 16, 14
"""Of a mailbox's characters: more than anybody types; enough for numbers set among letters; an instant."""
_CARDS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),
    (51, 55, frozenset({16})),
    (2221, 2720, frozenset({16})),
    (34, 34, frozenset({15})),
    (37, 37, frozenset({15})),
    (6011, 6011, frozenset({16, 19})),
    (644, 659, frozenset({16, 19})),
    (3528, 3589, frozenset({16, 19})),
    (36, 36, frozenset({14, 19})),
    (38, 39, frozenset({14, 19})),
    (300, 305, frozenset({14, 19})),
    (62, 62, frozenset({16, 17, 18, 19})),
)


def nino(text: str) -> bool:
    """A National Insurance number with an allotted prefix."""
    return text[:2] not in _UNUSED_NINO and text[:2] != "QQ"


def _mod11(digits: str) -> bool:
    check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check % 11 == int(digits[9]) and check != 10


def nhs(text: str) -> bool:
    """An NHS number: ten digits, modulus 11, in an issued range (also Northern Ireland's)."""
    digits = text.zfill(10)
    return digits[0] in "34679" and len(set(digits)) > 2 and _mod11(digits)


def chi(text: str) -> bool:
    """A Scottish CHI number: a date of birth first, modulus 11."""
    digits = text.zfill(10)
    return _day(int(digits[:2]), int(digits[2:4])) and len(set(digits)) > 2 and _mod11(digits)


def _day(day: int, month: int) -> bool:
    try:
        date(2000, month, day)
    except ValueError:
        return False
    return True


def luhn(text: str) -> bool:
    """The Luhn check digit."""
    total = 0
    for i, ch in enumerate(reversed(text)):
        d = int(ch) * (2 if i % 2 else 1)
        total += d - 9 if d > 9 else d
    return total % 10 == 0


def payment_card(text: str) -> bool:
    """A card number: an issuer's range and length, Luhn, more than two different digits."""
    ranged = any(
        low <= int(text[: len(str(low))]) <= high and len(text) in lengths for low, high, lengths in _CARDS
    )
    return ranged and len(set(text)) > 3 and luhn(text)


def mod97(text: str) -> bool:
    """ISO 7064 MOD 97-10 over letters as 10 to 35: remainder 1."""
    return int("".join(str(int(ch, 36)) for ch in text)) % 97 == 1


def iban(text: str) -> bool:
    """An IBAN: check digits after the country, and the length of a British one."""
    return (not text.startswith("GB") or len(text) == 22) and mod97(text[4:] + text[:4])


def utr(text: str) -> bool:
    """A Unique Taxpayer Reference: the first digit checks the others."""
    digits = text.rstrip("K").zfill(10)
    total = sum(int(d) * w for d, w in zip(digits[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2), strict=True))
    return "21987654321"[total % 11] == digits[0]


def driving_licence(text: str) -> bool:
    """A Great Britain driver number: month (+50 for women), day and letters in their places."""
    month = int(text[6:8]) % 50
    return int(text[6:8]) < 63 and _day(int(text[8:10]), month)


def us_ssn(text: str) -> bool:
    """A US social security number in an issued area, group and serial."""
    return text[:3] not in ("000", "666") and text[0] != "9" and text[3:5] != "00" and text[5:] != "0000"


def isbn(text: str) -> bool:
    """An ISBN, EAN or UPC: the check digit of ISO 2108 or GS1."""
    if len(text) == 10:
        values = [10 if ch == "X" else int(ch) for ch in text]
        return sum(v * w for v, w in zip(values, range(10, 0, -1), strict=True)) % 11 == 0
    return sum(int(ch) * (3 if i % 2 else 1) for i, ch in enumerate(reversed(text))) % 10 == 0


def lei(text: str) -> bool:
    """A legal entity identifier."""
    return mod97(text)


def sequence(values: list[int]) -> bool:
    """Numbers that simply count on are nobody's identifiers, whatever their check digits say."""
    steps = {b - a for a, b in pairwise(values)}
    return len(values) > 3 and len(steps) == 1


def mailbox(text: str) -> bool:
    """A mailbox that somebody chose or was given: not the number of a message or an appointment."""
    local = text.partition("@")[0]
    runs = re.findall(r"\d+", local)
    mixed = len(local) >= _MANY and len(runs) >= 3
    return len(local) <= _LONG and sum(map(len, runs)) < _MANY_DIGITS and not mixed


CHECKS: dict[str, Callable[[str], bool]] = {
    "": lambda _: True,
    "none": lambda _: True,
    "nino": nino,
    "nhs": nhs,
    "chi": chi,
    "luhn": luhn,
    "payment_card": payment_card,
    "mod97": mod97,
    "iban": iban,
    "utr": utr,
    "driving_licence": driving_licence,
    "us_ssn": us_ssn,
    "isbn": isbn,
    "lei": lei,
    "mailbox": mailbox,
}
"""Validators by the name a rule gives."""
