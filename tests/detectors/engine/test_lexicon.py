"""Words are whole tokens; shortened names match more weakly; every term is a code."""

from __future__ import annotations

import re

import pytest
from shipped import LEXICON

from detectors.engine.lexicon import tokens


def concepts(name: str) -> set[str]:
    return {w.concept for w in LEXICON.match(name)}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ageGroup", ["age", "group"]),
        ("NHSNumber", ["nhs", "number"]),
        ("date_of.birth", ["date", "of", "birth"]),
        ("wt71", ["wt", "71"]),
    ],
)
def test_names_are_split_where_people_join_words(name: str, parts: list[str]) -> None:
    assert tokens(name) == parts


def test_the_longest_run_of_tokens_wins() -> None:
    assert "birth" in concepts("Date of birth") and "period" not in concepts("Date of birth")


def test_shortened_and_compound_names_match_more_weakly() -> None:
    assert {w.strength for w in LEXICON.match("motheduc")} == {0.6}
    assert "education" in concepts("motheduc") and "ethnicity" in concepts("ethnici")


def test_a_letter_beside_a_number_says_nothing() -> None:
    assert not concepts("n1") and "count" in concepts("N")


def test_every_term_and_family_can_go_on_the_wire() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_.]{0,63}", t) for t in LEXICON.terms | LEXICON.families)
