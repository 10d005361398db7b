"""Exchangeable rows with repeated codes differ from series and factorial keys, in any order of columns."""

from __future__ import annotations

import random
from itertools import product

from shipped import LEXICON

from detectors import unit_records
from detectors.engine.view import TableView


def measured(rows: list[list[str]]) -> dict[str, float]:
    return unit_records.measure(TableView(None, rows, LEXICON))


def test_series_have_order_and_records_have_none() -> None:
    r = random.Random(6)
    series = [[str(2000 + i), str(100 + 3 * i + r.randint(0, 3))] for i in range(40)]
    records = [[str(r.randint(16, 90)), str(r.randint(100, 900))] for _ in range(200)]
    assert measured(series)["row_order"] > 0.9 > 0.2 > measured(records)["row_order"]


def test_a_full_factorial_key_is_seen_in_any_order_of_columns() -> None:
    rows = [[a, b, str(i * 7 % 1000)] for i, (a, b) in enumerate(product("ABCDE", "wxyz"))]
    shuffled = [[row[2], row[1], row[0]] for row in rows]
    assert measured(rows)["grid_full"] == measured(shuffled)["grid_full"] == 1.0


def test_measures_do_not_depend_on_how_numbers_are_written() -> None:
    r = random.Random(7)
    rows = [[str(r.randint(1, 5)), str(r.randint(18, 80))] for _ in range(100)]
    floats = [[f"{c}.0" for c in row] for row in rows]
    one, other = measured(rows), measured(floats)
    assert {k: v for k, v in one.items() if k != "text_length"} == {
        k: v for k, v in other.items() if k != "text_length"
    }


def test_an_empty_sample_has_measures_too() -> None:
    assert set(measured([])) == set(unit_records.FEATURES) == set(measured([[""], [""]]))
