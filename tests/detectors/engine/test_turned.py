"""Registers on their side are set upright; statistics and matrices are left as they are."""

from __future__ import annotations

import random

from shipped import JUDGE, LEXICON

from detectors.engine.judge import Conclusion
from detectors.engine.table import Table
from detectors.engine.turned import upright

NAMES = ["caseid", "sex", "age", "region", "marital", "income", "health"]


def records(n: int) -> list[list[str]]:
    r = random.Random(31)
    return [
        [str(5000 + 3 * i), r.choice("12"), str(r.randint(16, 90)), str(r.randint(1, 12)), r.choice("1234"),
         str(int(2.7 ** r.gauss(10, 0.5))), r.choice("12345")]
        for i in range(n)
    ]  # fmt: skip


def judged(header: list[str] | None, rows: list[list[str]]) -> Conclusion:
    judgement = JUDGE.begin()
    judgement.table(Table(header, iter(rows)))
    return judgement.conclude()


def test_a_register_with_a_record_in_each_column_is_found() -> None:
    people = records(40)
    rows = [[name, *cells] for name, cells in zip(NAMES, zip(*people, strict=True), strict=True)]
    assert list(upright(None, rows, LEXICON)) == [(NAMES, people)]
    assert judged(None, rows).flagged and judged(rows[0], rows[1:]).flagged
    assert judged(None, rows).records_estimated == 40


def test_a_register_with_one_value_a_row_is_found_in_any_order_of_columns() -> None:
    people = records(40)
    long = [[row[0], name, cell] for row in people for name, cell in zip(NAMES, row, strict=True)]
    assert list(upright(["id", "variable", "value"], long, LEXICON)) == [(NAMES, people)]
    assert judged(["id", "variable", "value"], long).flagged
    assert judged(["value", "variable", "id"], [row[::-1] for row in long]).flagged


def test_statistics_with_people_down_the_side_stay_statistics() -> None:
    r = random.Random(32)
    groups = ["Male", "Female", "Married", "Single", "Disabled", "Employed"]
    years = [str(y) for y in range(2004, 2024)]
    wide = [[g, *(str(10 * r.randint(50, 900)) for _ in years)] for g in groups]
    assert not judged(["Group", *years], wide).flagged
    long = [[y, g, str(10 * r.randint(50, 900))] for y in years for g in groups]
    assert not judged(["year", "group", "count"], long).flagged


def test_one_word_in_every_name_opens_no_door() -> None:
    drawn = random.Random(33)
    rows = [[f"segment age {i}", *(drawn.choice("01") for _ in range(15))] for i in range(10)]
    assert list(upright(None, rows, LEXICON)) == []


def test_what_does_not_speak_of_people_or_is_too_large_is_not_turned() -> None:
    matrix = [[f"gene{i}", *(str(i * j) for j in range(30))] for i in range(6)]
    assert list(upright(None, matrix, LEXICON)) == []
    huge = [[name, *(["1"] * 20_000)] for name in NAMES]
    assert list(upright(None, huge, LEXICON)) == []
    assert list(upright(None, [], LEXICON)) == []
