"""Codes give way to their labels, and words that all cells of a column begin with to a name."""

from __future__ import annotations

import pytest

from detectors.engine.labelled import labelled

SEXES, WORK = {"1": "Male", "2": "Female"}, {"1": "Employed", "2": "Retired", "-9": "Refused"}
CODES = [("12"[i % 2], ["1", "2", "-9"][i % 3]) for i in range(24)]


@pytest.mark.parametrize("form", ["[{}] {}", "({}) {}", "{} {}", "{} - {}", "{}. {}", "{}={}"])
def test_codes_with_their_labels_become_these(form: str) -> None:
    rows = [
        [str(40 + i), form.format(s, SEXES[s]), form.format(w, WORK[w])] for i, (s, w) in enumerate(CODES)
    ]
    expected = [[str(40 + i), SEXES[s], WORK[w]] for i, (s, w) in enumerate(CODES)]
    assert list(labelled(["age", "sex", "work"], rows)) == [(["age", "sex", "work"], expected)]


def test_addresses_and_one_such_column_are_left_alone() -> None:
    addresses = [[f"{i} Mill Lane", f"{i + 3} Orchard Close"] for i in range(24)]
    one = [[str(i), f"[{s}] {SEXES[s]}"] for i, (s, _) in enumerate(CODES)]
    assert list(labelled(["a", "b"], addresses)) == [] and list(labelled(["a", "b"], one)) == []


def test_words_that_cells_begin_with_are_names() -> None:
    rows = [[f"{i}) age {20 + i}", f"sex {SEXES[s]}", f"job: {WORK[w]}"] for i, (s, w) in enumerate(CODES)]
    rows = [[f"age {20 + i}", *row[1:]] for i, row in enumerate(rows)]
    expected = [[str(20 + i), SEXES[s], WORK[w]] for i, (s, w) in enumerate(CODES)]
    assert list(labelled(None, rows)) == [(["age", "sex", "job"], expected)]


def test_values_that_begin_alike_are_no_names() -> None:
    assert list(labelled(None, [[f"Ward{i}", f"Zone{i}", f"Plot{i}"] for i in range(24)])) == []
