"""Record numbers, weights, missing codes and batteries are seen."""

from __future__ import annotations

import random

from shipped import LEXICON

from detectors import survey_design
from detectors.engine.columns import Column
from detectors.engine.view import TableView


def test_traces_of_a_survey_are_seen() -> None:
    r = random.Random(11)
    rows = [
        [
            str(1001 + i),
            f"{0.4 + r.expovariate(1.5):.4f}",
            *(str(r.choice([1, 2, 3, 4, 5, -9])) for _ in range(6)),
        ]
        for i in range(80)
    ]
    m = survey_design.measure(TableView(None, rows, LEXICON))
    assert m["key_dense"] and m["weight_values"] and m["missing_codes"] > 0.5 and m["battery"] > 0.5


def test_repeated_visits_of_the_same_people_are_seen() -> None:
    rows = [[f"P{1000 + i}", str(v), str((i * 31 + v * 7) % 90)] for i in range(12) for v in range(4)]
    assert survey_design.measure(TableView(None, rows, LEXICON))["key_runs"] == 1.0


def test_a_high_value_among_high_values_is_no_missing_code() -> None:
    assert not survey_design.missing_code(Column(0, [str(v) for v in range(60, 100)]))
    assert survey_design.missing_code(Column(0, ["1", "2", "3", "99", "2", "1"]))
