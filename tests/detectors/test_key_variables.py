"""Ages, births, sexes and answers are known by their values; sorted life tables and years are not ages."""

from __future__ import annotations

import random

from shipped import LEXICON

from detectors import key_variables
from detectors.engine.columns import Column
from detectors.engine.lexicon import Lexicon
from detectors.engine.view import TableView


def test_unsorted_ages_look_like_ages_and_a_life_table_does_not() -> None:
    r = random.Random(8)
    assert key_variables.age_like(Column(0, [str(r.randint(16, 90)) for _ in range(100)])) == 1.0
    assert key_variables.age_like(Column(0, [str(i) for i in range(100)])) < 1.0
    assert key_variables.age_like(Column(0, [f"{r.uniform(0, 90):.2f}" for _ in range(100)])) == 0.0


def test_hours_days_minutes_even_steps_and_keys_are_no_ages() -> None:
    r = random.Random(15)
    for low, high in ((0, 23), (1, 31), (0, 59)):
        evenly = [str(low), str(high), *(str(r.randint(low, high)) for _ in range(200))]
        assert key_variables.age_like(Column(0, evenly)) == 0.0
    assert key_variables.age_like(Column(0, [str(2 * r.randint(9, 45)) for _ in range(200)])) == 0.0
    rows = [[str(r.randint(16, 90))] for _ in range(100)]
    for name, seen in (("FileId", 0.0), ("age", 1.0), ("", 1.0), ("Age key", 1.0)):
        assert key_variables.measure(TableView([name], rows, LEXICON))["age_values"] == seen


def test_one_letter_again_and_again_is_no_sex() -> None:
    letters = [["f" if i % 3 else "b"] for i in range(60)]
    assert key_variables.measure(TableView(None, letters, LEXICON))["sex_values"] == 0.0
    assert key_variables.measure(TableView(["sex"], letters, LEXICON))["sex_values"] == 1.0
    both = [["f" if i % 3 else "m"] for i in range(60)]
    assert key_variables.measure(TableView(None, both, LEXICON))["sex_values"] == 1.0


def test_years_of_birth_spread_and_years_of_publication_rise() -> None:
    r = random.Random(9)
    assert key_variables.birth_like(Column(0, [str(r.randint(1935, 2003)) for _ in range(80)])) > 0
    assert key_variables.birth_like(Column(0, [str(1940 + i) for i in range(80)])) == 0.0


def test_categories_of_people_count_when_they_repeat() -> None:
    r = random.Random(10)
    rows = [
        [r.choice(["Male", "Female"]), r.choice(["Single", "Married"]), r.choice(["Agree", "Disagree"])]
        for _ in range(60)
    ]
    m = key_variables.measure(TableView(None, rows, LEXICON))
    assert m["sex_values"] == 1.0 and m["person_concepts"] == 3 and m["person_cells_share"] == 1.0
    once = key_variables.measure(
        TableView(None, [["Male", "9"], ["Female", "4"], *[[f"r{i}", "1"] for i in range(20)]], LEXICON)
    )
    assert once["sex_values"] == 0.0


def test_welsh_words_are_known() -> None:
    rows = [["Gwryw"], ["Benyw"]] * 10
    assert key_variables.measure(TableView(None, rows, LEXICON))["sex_values"] == 1.0


def test_diagnoses_in_no_order_are_seen_and_a_code_list_is_none() -> None:
    codes = ["I219", "J18.9", "S52", "F32.1", "M545", "E11.9", "K35.8", "C50.9"]
    assert key_variables.diagnosis_like(Column(0, [codes[(3 * i) % 8] for i in range(40)]))
    assert not key_variables.diagnosis_like(Column(0, sorted(codes)))
    assert not key_variables.diagnosis_like(Column(0, ["A1", "B2", "A1", "C3", "B2", "A1"]))


def test_what_a_name_says_is_a_page_or_a_temperature_is_no_age() -> None:
    r = random.Random(8)
    cells = [str(r.randint(16, 80)) for _ in range(60)]

    def ages(name: str) -> float:
        view = TableView([name, "answer"], [[c, str(r.randint(1, 5))] for c in cells], Lexicon.load())
        return key_variables.measure(view)["age_values"]

    assert ages("page") == ages("temperature") == 0
    assert ages("age") == ages("a7") == 1


def test_many_columns_that_could_be_ages_are_scores() -> None:
    r = random.Random(6)
    ages = [[str(r.randint(17, 70)) for _ in range(9)] for _ in range(60)]
    one = [[row[0], "x", "y"] for row in ages]
    assert key_variables.measure(TableView(None, one, LEXICON))["age_values"] > 0
    assert key_variables.measure(TableView(None, ages, LEXICON))["age_values"] == 0
