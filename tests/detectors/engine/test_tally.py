"""Counts in text are of distinct, checked values, and bounded."""

from __future__ import annotations

import random

from detectors.engine.rules import RuleBook
from detectors.engine.tally import MAX_DISTINCT, MAX_FAILED, Tally
from detectors.engine.validators import payment_card

BOOK = RuleBook()


def test_the_same_identifier_many_times_is_one() -> None:
    tally = Tally(BOOK)
    tally.add("JG 11 22 33 A\nJG-112233-A\nJG112233A\n" * 50)
    assert [(c.rule.rule.id, len(c.passed)) for c in tally.of("conclusive")] == [("nino", 1)]


def test_a_shape_that_mostly_fails_its_check_is_a_coincidence() -> None:
    tally = Tally(BOOK)
    tally.add("\n".join(f"{400 + i} {100 + 7 * i % 900} {1000 + 31 * i % 9000}" for i in range(300)))
    assert not tally.of("conclusive")


def test_groups_of_digits_in_a_table_of_codes_are_no_payment_cards_and_cards_among_them_are() -> None:
    pick = random.Random(3)
    codes = [" ".join(str(pick.randrange(3400, 9999)) for _ in range(10)) for _ in range(900)]
    tally = Tally(BOOK)
    tally.add("\n".join(codes))
    cards = next(c for c in tally.counts if c.rule.rule.id == "payment_card")
    assert len(cards.passed) >= 21
    assert not tally.of("conclusive")
    tally = Tally(BOOK)
    tally.add("\n".join(codes[:50] + _cards(60)))
    assert [c.rule.rule.id for c in tally.of("conclusive")] == ["payment_card"]


def _cards(count: int) -> list[str]:
    """Made-up numbers that pass as payment cards."""
    pick, found = random.Random(5), list[str]()
    while len(found) < count:
        text = " ".join(["4539", *(f"{pick.randrange(10**4):04d}" for _ in range(3))])
        if payment_card(text.replace(" ", "")):
            found.append(text)
    return found


def test_what_is_kept_is_bounded() -> None:
    tally = Tally(BOOK)
    tally.add("\n".join(f"JG{100000 + i}A" for i in range(5000)))
    tally.add("\n".join(f"400 {i:03d} {1000 + i}" for i in range(1000)) * 3)
    assert all(len(c.passed) <= MAX_DISTINCT and len(c.failed) <= MAX_FAILED for c in tally.counts)


def test_in_a_table_others_count_from_the_first_conclusive_one_on() -> None:
    tally = Tally(BOOK, in_table=True)
    tally.add("a@example.org\tb@example.org")
    assert not tally.counts
    tally.add("JG 11 22 33 A\tc@example.org")
    tally.add("d@example.org")
    assert [len(c.passed) for c in tally.of("conclusive") + tally.of("strong")] == [1, 2]
