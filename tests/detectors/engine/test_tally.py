"""Counts in text are of distinct, checked values, and bounded."""

from __future__ import annotations

from detectors.engine.rules import RuleBook
from detectors.engine.tally import MAX_DISTINCT, Tally

BOOK = RuleBook()


def test_the_same_identifier_many_times_is_one() -> None:
    tally = Tally(BOOK)
    tally.add("JG 11 22 33 A\n" * 50)
    assert [(c.rule.rule.id, len(c.passed)) for c in tally.of("conclusive")] == [("nino", 1)]


def test_a_shape_that_mostly_fails_its_check_is_a_coincidence() -> None:
    tally = Tally(BOOK)
    tally.add("\n".join(f"{400 + i} {100 + 7 * i % 900} {1000 + 31 * i % 9000}" for i in range(300)))
    assert not tally.of("conclusive")


def test_what_is_kept_is_bounded() -> None:
    tally = Tally(BOOK)
    tally.add("\n".join(f"JG{100000 + i}A" for i in range(5000)))
    assert all(len(c.passed) <= MAX_DISTINCT for c in tally.counts)
