"""What is no table of data, or says nothing of people, is not taken for records by its shape alone."""

from __future__ import annotations

import random

import pytest

from detectors import plausibility
from detectors.engine.judge import Judge
from detectors.engine.lexicon import Lexicon
from detectors.engine.table import Table
from detectors.engine.verdict import Outcome, Tier
from detectors.engine.view import TableView

NOBODY = {
    "age_values": 0.0,
    "birth_values": 0.0,
    "person_concepts": 0.0,
    "people_concepts": 0.0,
    "says_people": 0.0,
    "says_others": 0.0,
}
PROGRAM = [["hi", "def", f"link{i};", "{ return x->y; }"] for i in range(30)]
PROSE = [[f"The {i}th of many long sentences that go on about this and that", "yes"] for i in range(30)]
WORDS = [[f"alpha{i}", f"beta{i}"] for i in range(30)]


def doubts(
    rows: list[list[str]], header: list[str] | None = None, **measures: float
) -> list[plausibility.Doubt]:
    view = TableView(header, rows, Lexicon.load())
    return plausibility.find(view, NOBODY | measures, plausibility.Options())


def numbers(rows: int) -> list[list[str]]:
    pick = random.Random(4)
    return [[str(pick.randrange(5)), str(pick.randrange(90)), pick.choice("ab")] for _ in range(rows)]


@pytest.mark.parametrize(
    ("rows", "measure"), [(PROGRAM, "untidy_cells"), (PROSE, "wordy_cells"), (WORDS, "no_values")]
)
def test_what_is_no_data_gets_no_tier_from_its_shape(rows: list[list[str]], measure: str) -> None:
    found = doubts(rows)
    assert measure in {d.measure for d in found}
    assert all(d.ceiling is Tier.NONE for d in found)


def test_few_unnamed_numbers_are_held_back_and_many_are_not() -> None:
    assert [d.ceiling for d in doubts(numbers(20))] == [Tier.NONE]
    assert [d.ceiling for d in doubts(numbers(40))] == [Tier.POSSIBLE]
    assert doubts(numbers(60)) == []


def test_numbers_that_speak_of_people_are_not_held_back() -> None:
    assert doubts(numbers(20), age_values=0.8) == []
    assert doubts(numbers(20), people_concepts=3, says_people=0.5) == []


def test_a_program_cut_into_cells_is_not_microdata_but_identifiers_are_found_in_any_dress() -> None:
    judgement = Judge().begin()
    judgement.table(Table(None, iter(PROGRAM)))
    assert judgement.conclude().outcome is not Outcome.MICRODATA
    people = [[f"{{{i}}}", f"AB{i:02d}34{i:02d}C", f"<M{i}>", f"f{i}->x;"] for i in range(10, 40)]
    judgement = Judge().begin()
    judgement.table(Table(["k", "ni number", "m", "f"], iter(people)))
    assert judgement.conclude().tier in (Tier.LIKELY, Tier.CONFIRMED)
