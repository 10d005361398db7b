from __future__ import annotations

import pytest

from detectors.engine.dialect import Dialect, candidates
from detectors.engine.runs import runs

PEOPLE = [f"{i},{20 + i % 40},Jo Example,{i}.5" for i in range(30)]


def test_the_delimiter_that_gives_clean_columns_weighs_most() -> None:
    lines = [f"{i};1,{i % 10};North, West;{i * 7}" for i in range(30)]
    weights = {d.delimiter: sum(r.weight for r in runs(d, lines)) for d in candidates("\n".join(lines))}
    assert max(weights, key=weights.__getitem__) == ";"


def test_a_run_ends_where_the_rows_do() -> None:
    lines = ["A title of it", "", *PEOPLE, "", "That was all."]
    (run,) = runs(Dialect(","), lines)
    assert (run.first, run.last, run.width) == (2, 32, 4)


@pytest.mark.parametrize("count", [1, 2, 30, 500, 3000])
def test_lines_that_are_cut_for_a_sample_only_run_as_all_cut_do(count: int) -> None:
    block = [f"{i},{20 + i % 40},Jo Example,{i}.5" for i in range(count)]
    lines = ["A title", *block, "", ",,,", "1,2", "3,4", "5,6", *block]
    assert runs(Dialect(","), lines) == runs(Dialect(",", '"'), lines)


@pytest.mark.parametrize("delimiter", "\t;|,^~¦\x01\x1f")
def test_any_delimiter_is_found(delimiter: str) -> None:
    lines = [line.replace(",", delimiter) for line in PEOPLE]
    weights = {d.delimiter: sum(r.weight for r in runs(d, lines)) for d in candidates("\n".join(lines))}
    assert max(weights, key=weights.__getitem__) == delimiter
