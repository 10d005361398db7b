"""Totals, rounding, withheld cells and factorial keys are seen for what they are."""

from __future__ import annotations

import random

from shipped import LEXICON

from detectors import aggregate_shape
from detectors.engine.view import TableView


def measured(
    header: list[str] | None, rows: list[list[str]], context: tuple[str, ...] = ()
) -> dict[str, float]:
    return aggregate_shape.measure(TableView(header, rows, LEXICON, context))


def test_a_row_of_totals_is_seen_also_when_figures_are_rounded() -> None:
    body = [["A", "120", "340"], ["B", "60", "90"], ["C", "1,250", "770"]]
    m = measured(["Rank", "2019", "2020"], [*body, ["Total", "1,430", "1,200"]])
    assert m["total_row"] == 1.0 and m["total_words"] > 0 and m["period_names"] > 0.5 and m["thousands"] > 0


def test_withheld_cells_count_only_in_numeric_columns() -> None:
    assert (
        measured(["g", "n"], [["a", "20"], ["b", "~"], ["c", "[c]"], *[[x, "40"] for x in "defghij"]])[
            "marks"
        ]
        == 1.0
    )
    assert measured(["g"], [["~"], ["-"], ["x"]])["marks"] == 0.0


def test_one_count_for_each_combination_is_seen() -> None:
    rows = [
        [s, a, str(10 + i)]
        for i, (s, a) in enumerate((s, a) for s in "MF" for a in ("16-24", "25-44", "45-64"))
    ]
    assert measured(["sex", "age group", "count"], rows)["count_by_key"] == 1.0


def test_words_that_begin_like_months_are_no_months() -> None:
    assert (
        measured(["married", "money", "marital", "secure"], [["1", "2", "3", "4"]] * 5)["period_names"] == 0.0
    )


def test_symmetric_matrices_are_seen() -> None:
    r = random.Random(5)
    half = {(i, j): f"{r.uniform(-1, 1):.2f}" for i in range(6) for j in range(i)}
    rows = [["1" if i == j else half[max(i, j), min(i, j)] for j in range(6)] for i in range(6)]
    assert measured(None, rows)["symmetric"] == 1.0


def test_the_words_of_a_release_are_whole_words() -> None:
    assert (
        measured(["a"], [["1"]], ("Table 3: strength", "Source: made up", "Notes"))["published_words"] == 1.0
    )
    assert measured(["a"], [["1"]], ("Tablet sales", "Resources"))["published_words"] == 0.0


def test_a_code_of_an_area_on_each_row_speaks_for_statistics_and_repeated_ones_hardly() -> None:
    rows = [[f"E0{6000001 + i}", str(3 * i % 17)] for i in range(20)]
    assert aggregate_shape.measure(TableView(None, rows, LEXICON))["area_key"] == 1.0
    again = [[f"E0{6000001 + i % 4}", str(3 * i % 17)] for i in range(20)]
    assert aggregate_shape.measure(TableView(None, again, LEXICON))["area_key"] < 0.5


def test_percentages_of_one_whole_are_told_also_beside_their_base() -> None:
    def shares(rows: list[list[str]]) -> bool:
        return aggregate_shape.are_shares(TableView(None, rows, LEXICON))

    rows = [[f"g{i}", str(60 + i), str(25 - i), "15", str(900 + 7 * i)] for i in range(9)]
    varied = [[*row[:3], str(15 - i % 3), row[4]] for i, row in enumerate(rows)]
    varied = [[a, str(100 - int(c) - int(d)), c, d, e] for a, _, c, d, e in varied]
    assert shares(varied) and shares([row[:4] for row in varied])
    assert not shares([[str(70 + i), *row] for i, row in enumerate(varied)])
