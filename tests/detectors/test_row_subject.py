"""Names of variables are read by whole tokens, in English, Welsh and usual abbreviations."""

from __future__ import annotations

import pytest
from shipped import LEXICON

from detectors import row_subject
from detectors.engine.lexicon import Lexicon
from detectors.engine.view import TableView


def says(*names: str) -> dict[str, float]:
    return row_subject.measure(TableView(list(names), [["1"] * len(names)] * 3, LEXICON))


@pytest.mark.parametrize("name", ["age", "AGE", "ageGroup", "resp_age", "oed", "Oedran", "age.at.visit"])
def test_age_is_demographic_however_it_is_written(name: str) -> None:
    assert says(name)["says_demographic"] > 0


@pytest.mark.parametrize("name", ["image", "message", "mileage", "storage", "wagering", "essex"])
def test_a_suffix_is_no_word(name: str) -> None:
    assert says(name)["says_demographic"] == 0


def test_statistics_and_firms_speak_of_others() -> None:
    m = says("Local authority", "Headcount", "Percentage", "turnover")
    assert m["says_area"] and m["says_aggregate"] and m["says_organisation"] and m["says_people"] == 0


def test_things_have_words_of_their_own_and_take_none_of_peoples() -> None:
    assert says("BroodSize", "spp", "nearestGene", "landuse")["says_thing"] > 1
    assert says("X4o.clock", "mari", "chronic", "salary")["says_thing"] == 0


def test_names_that_say_nothing_say_nothing() -> None:
    m = says("V1", "V2", "col_3", "Unnamed: 4")
    assert m["named"] == 0 and m["words_known"] == 0


def test_an_administrators_words_are_heard() -> None:
    own = Lexicon.load({"person": ["dependantkin"]})
    view = TableView(["DependantKin"], [["1"]], own)
    assert (
        row_subject.measure(view)["says_person"] > 0
        or row_subject.measure(TableView(["dependantkin"], [["1"]], own))["says_person"] > 0
    )
