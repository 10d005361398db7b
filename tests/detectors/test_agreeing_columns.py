"""Columns that agree as a person's do, and the near misses: months, panels of areas, rounded statistics."""

from __future__ import annotations

import random

from shipped import LEXICON

from detectors import agreeing_columns
from detectors.engine.columns import Column
from detectors.engine.view import TableView


def measured(rows: list[list[str]], header: list[str] | None = None) -> dict[str, float]:
    return agreeing_columns.measure(TableView(header, rows, LEXICON))


def test_an_age_goes_with_a_year_of_birth_whatever_they_are_called() -> None:
    r = random.Random(1)
    ages = [r.randint(17, 80) for _ in range(40)]
    rows = [[str(a), str(2024 - a - r.randint(0, 1)), r.choice("12")] for a in ages]
    assert measured(rows)["age_and_birth"] == 1.0
    assert measured([[a, str(r.randint(1940, 2007)), s] for a, _, s in rows])["age_and_birth"] == 0.0


def test_a_table_by_age_and_cohort_is_no_person() -> None:
    rows = [[str(a), str(2021 - a), str(1000 + 7 * a)] for a in range(20, 60)]
    assert measured(rows)["age_and_birth"] == 0.0


def test_potential_experience_follows_from_age_and_schooling() -> None:
    r = random.Random(2)
    people = [(r.randint(25, 60), r.randint(9, 18)) for _ in range(30)]
    rows = [[str(a), str(s), str(a - s - 6), f"{r.gauss(9, 2):.2f}"] for a, s in people]
    assert measured(rows)["work_and_school"] == 1.0


def test_a_choice_among_columns_is_seen() -> None:
    r = random.Random(3)
    header = ["trip", "mode", "cost_bus", "cost_car", "cost_rail"]
    rows = [
        [str(i), r.choice(["bus", "car", "rail"]), *(f"{r.uniform(1, 9):.2f}" for _ in "abc")]
        for i in range(30)
    ]
    found = measured(rows, header)
    assert found["choice_of_columns"] == 1.0 and found["alternatives"] == 0.0
    assert measured(rows, ["trip", "team", "a", "b", "c"])["choice_of_columns"] == 0.0


def test_a_grid_of_names_is_seen() -> None:
    header = ["id", "cost_1", "time_1", "cost_2", "time_2"]
    assert measured([["1", "2", "3", "4", "5"]] * 6, header)["alternatives"] == 0.8


def test_people_within_households_are_told_from_days_within_months_and_quarters_within_years() -> None:
    sizes = [3, 1, 2, 5, 2, 1, 4]
    people = [[str(700 + 3 * h), str(p + 1)] for h, n in enumerate(sizes) for p in range(n)]
    days = [[str(m + 1), str(d + 1)] for m, n in enumerate([31, 28, 31, 30, 31, 30]) for d in range(n)]
    quarters = [[str(2001 + y), str(q + 1)] for y in range(8) for q in range(4)]
    assert measured(people)["counts_within"] == measured(people)["uneven_runs"] == 1.0
    for rows in (days, quarters):
        assert measured(rows)["counts_within"] == measured(rows)["uneven_runs"] == 0.0


def test_reported_amounts_are_heaped_and_rounded_or_counted_ones_are_not() -> None:
    r = random.Random(4)
    told = [str(r.choice([10, 15, 20, 30, 40, 45, 50, 60, 90, 12, 25, 33, 70])) for _ in range(60)]
    assert agreeing_columns.heaped(Column(0, told))
    assert not agreeing_columns.heaped(Column(0, [str(5 * r.randint(2, 60)) for _ in range(60)]))
    assert not agreeing_columns.heaped(Column(0, [str(r.randint(10, 300)) for _ in range(60)]))


def test_answers_to_one_question_in_several_columns_are_seen() -> None:
    r = random.Random(5)
    rows = [
        [*(str(int(k == chosen)) for k in range(4)), str(r.randint(1, 90))]
        for chosen in [r.randrange(5) for _ in range(60)]
    ]
    assert measured(rows)["one_of_several"] == 0.8


def test_spells_begin_before_they_end_in_no_order() -> None:
    r = random.Random(6)
    rows = []
    for _ in range(30):
        month, day, long = r.randint(1, 11), r.randint(1, 18), r.randint(0, 9)
        rows.append([f"2023-{month:02d}-{day:02d}", f"2023-{month:02d}-{day + long:02d}", r.choice("ABC")])
    assert measured(rows)["spans"] == 1.0
    assert measured(sorted(rows))["spans"] == 0.0


def test_a_count_whose_last_cell_is_no_number_once_ended_the_examination() -> None:
    """Found by fuzzing: fewer numbers than rows, all of them as expected."""
    sizes = [3, 1, 2, 5, 2, 1, 4, 3, 2, 6, 1, 2, 3, 4, 2, 1, 3, 2]
    rows = [[str(700 + h), str(p + 1)] for h, size in enumerate(sizes) for p in range(size)]
    assert measured(rows)["counts_within"] == 1.0
    assert measured([*rows[:-1], [rows[-1][0], "x"]])["counts_within"] == 0.0
