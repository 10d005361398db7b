"""Shipped rules hold their own examples; chance is reckoned, damage undone."""

from __future__ import annotations

import pytest

from detectors.engine.columns import Column
from detectors.engine.rules import RuleBook, fold, tail
from detectors.engine.stanza import StanzaError

BOOK = RuleBook()


def test_every_shipped_rule_has_examples_both_ways() -> None:
    assert all(c.rule.match and c.rule.no_match for c in BOOK.rules)


def test_the_binomial_tail_is_the_chance_of_as_many_or_more() -> None:
    assert tail(2, 1, 0.5) == pytest.approx(0.75)
    assert tail(7, 7, 0.1) == pytest.approx(1e-7, rel=1e-6)
    assert tail(10, 0, 0.1) == 1.0


@pytest.mark.parametrize(
    ("cell", "folded"),
    [
        ("943 476-5919", "9434765919"),
        ("3.21E+3", "3210"),
        ("4401.0", "4401"),
        ("ab\u200b1", "AB1"),
        ("１２", "12"),
    ],
)
def test_folding_undoes_typing_and_spreadsheets(cell: str, folded: str) -> None:
    assert fold(cell, "compact") == folded


def test_measured_amounts_are_not_probed() -> None:
    assert BOOK.column(Column(0, [f"{i}.25" for i in range(4000000000, 4000000050)], "nhs number")) is None


def test_a_disabled_rule_is_silent_and_an_unknown_one_an_error() -> None:
    cells = Column(0, [f"JG{100000 + i}A" for i in range(20)], "nino")
    assert RuleBook(disabled=["nino"]).column(cells) is None
    with pytest.raises(StanzaError):
        RuleBook(disabled=["ninoo"])


def test_what_passes_a_rule_has_the_shape_of_one() -> None:
    """Lost zeros and all: a column is only looked at by those rules that one search does not rule out."""
    missed = [
        example
        for c in BOOK.rules
        for example in c.rule.match
        if c.rule.id not in BOOK.shaped(c.rule.fold, [fold(example, c.rule.fold)])
    ]
    assert not missed
    assert not BOOK.shaped("compact", ["7", "12", "-"])
