"""Values without a blank between them are parted by their digits; other lines of one length are not."""

from __future__ import annotations

import hashlib
import random

from detectors.engine.packed import packed

RANDOM = random.Random(11)


def person(i: int) -> list[str]:
    r = RANDOM
    return [f"{5000 + 3 * i}", f"{r.randint(16, 89)}", r.choice("12"), r.choice("1234567"), r.choice("12345"),
            f"{r.choice((0, 16, 20, 35, 37, 40)):02d}", r.choice("123"), r.choice("123456")]  # fmt: skip


PEOPLE = [person(i) for i in range(400)]


def test_a_value_begins_where_not_all_digits_are_as_likely() -> None:
    layout = packed(["".join(row) for row in PEOPLE])
    assert layout is not None and layout.is_guess
    assert {4, 6, 7, 8, 9, 11, 12} <= set(layout.cuts) and 5 not in layout.cuts
    rows = layout.rows("\n".join("".join(row) for row in PEOPLE))
    assert [row[-7:] for row in rows] == [row[1:] for row in PEOPLE] or [
        "".join(row[-8:]) for row in rows
    ] == ["".join(row[1:]) for row in PEOPLE]


def test_dates_stay_whole_and_text_is_one_column() -> None:
    lines = [f"{'Ann Lee' if i % 2 else 'Jo':10}{1 + i % 28:02d}/03/19{40 + i % 50}{''.join(row)}"
             for i, row in enumerate(PEOPLE)]  # fmt: skip
    layout = packed(lines)
    assert layout is not None
    assert {10, 20} <= set(layout.cuts) and not {*range(1, 10), *range(11, 20)} & set(layout.cuts)


def test_digests_random_digits_and_dates_are_not_parted() -> None:
    digests = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(99)]
    digits = ["".join(RANDOM.choices("0123456789", k=40)) for _ in range(200)]
    dates = [f"2025{1 + i % 12:02d}{1 + i % 28:02d}" for i in range(99)]
    few = ["".join(row) for row in PEOPLE[:20]]
    assert [packed(lines) for lines in (digests, digits, dates, few, [])] == [None] * 5
