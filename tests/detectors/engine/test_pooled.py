"""Small tables that are alike are judged together; forms about places, things and settings are no people."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from shipped import JUDGE, LEXICON

from detectors.engine import pooled
from detectors.engine.judge import Conclusion
from detectors.engine.pooled import Pooled
from detectors.engine.table import Table

NAMES = ["caseid", "age", "sex", "region", "marital", "health", "hours", "income"]


def person(r: random.Random) -> list[str]:
    return [str(r.randint(10_000, 99_999)), str(r.randint(16, 90)), r.choice("12"),
            r.choice(["North", "South", "East"]), r.choice("12345"), r.choice(["1", "2", "3", "-9"]),
            r.choice(["0", "20", "37", "40"]), str(50 * r.randint(80, 900))]  # fmt: skip


def place(r: random.Random) -> list[str]:
    return [str(r.randint(1000, 90_000)) for _ in range(7)]


def judged(tables: list[tuple[list[str] | None, list[list[str]]]]) -> Conclusion:
    judgement = JUDGE.begin()
    for header, rows in tables:
        judgement.table(Table(header, iter(rows)))
    return judgement.conclude()


def in_two(names: list[str], values: list[str]) -> list[list[str]]:
    return [[name, value] for name, value in zip(names, values, strict=True)]


def in_four(names: list[str], values: list[str]) -> list[list[str]]:
    pairs = in_two(names, values)
    return [pairs[i] + pairs[i + 1] for i in range(0, len(pairs), 2)]


@pytest.mark.parametrize("lay", [in_two, in_four])
def test_a_form_for_each_person_makes_records(lay: Callable[..., list[list[str]]]) -> None:
    r = random.Random(51)
    found = judged([(None, lay(NAMES, person(r))) for _ in range(60)])
    assert found.flagged and found.records_estimated == 60
    assert not judged([(None, lay(NAMES, person(r))) for _ in range(4)]).flagged


def test_a_few_rows_on_each_of_many_sheets_are_one_list() -> None:
    r = random.Random(52)
    assert judged([(NAMES, [person(r) for _ in range(1 + k % 4)]) for k in range(30)]).flagged


def test_forms_about_places_things_and_settings_are_no_records_of_people() -> None:
    r = random.Random(53)
    places = ["Area", "Population", "Male", "Female", "Births", "Deaths", "Unemployed", "Median age"]
    things = ["Product", "Price", "Weight", "Colour", "Stock", "Status", "Age"]
    settings = ["host", "port", "user", "region", "timeout", "retries"]
    for names in (places, things, settings):
        assert not judged(
            [(None, in_two(names, [f"N{k}", *place(r)[: len(names) - 1]])) for k in range(60)]
        ).flagged


def test_one_table_of_statistics_for_each_area_stays_statistics() -> None:
    r = random.Random(54)
    header = ["Age", "Sex", "Count"]
    ages = ("16-24", "25-34", "35-64", "65+")
    assert not judged(
        [(header, [[a, s, str(r.randint(5, 900))] for a in ages for s in "MF"]) for _ in range(60)]
    ).flagged


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pooled, "MOST_RECORDS", 40)
    monkeypatch.setattr(pooled, "MOST_POOLS", 2)
    kept = Pooled()
    r = random.Random(55)
    for k in range(200):
        kept.take([*NAMES[:-1], f"income{k % 3}"], [person(r)] * 3)
    tables = [list(table.rows) for table in kept.tables(LEXICON)]
    assert 0 < len(tables) <= 2 and sum(map(len, tables)) < 45


def test_numbers_of_questions_and_blank_columns_are_no_part_of_a_form() -> None:
    def form(i: int) -> list[list[str]]:
        return [
            ["", f"{k}.", f"{name}?", "", str(20 + i)] for k, name in enumerate(("Age", "Sex", "Income"), 1)
        ]

    pool = Pooled()
    for i in range(pooled.LEAST_TABLES):
        pool.take(None, form(i))
    (table,) = pool.tables(LEXICON)
    assert table.header == ["Age", "Sex", "Income"] and len(list(table.rows)) == pooled.LEAST_TABLES
