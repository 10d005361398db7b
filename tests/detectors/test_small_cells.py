"""Small counts in tables bound for publication are told; suppressed ones and other numbers are not."""

from __future__ import annotations

from shipped import LEXICON

from detectors import small_cells
from detectors.engine.judge import Judge
from detectors.engine.table import Table
from detectors.engine.verdict import Outcome
from detectors.engine.view import TableView

ROWS = [["North", "120"], ["South", "3"], ["East", "45"], ["West", "88"]]


def test_small_counts_are_found_below_the_threshold_only() -> None:
    view = TableView(["Region", "Count"], ROWS, LEXICON)
    assert small_cells.find(view, small_cells.Options()) == {1: 1}
    assert small_cells.find(view, small_cells.Options(below=3)) == {}


def test_an_aggregate_with_a_small_count_gets_the_advisory_and_is_not_flagged() -> None:
    judgement = Judge().begin()
    rows = [[f"Area {i}", str(40 * i + 2), str(31 * i + 3)] for i in range(14)]
    judgement.table(
        Table(
            ["Region", "Males", "Headcount"], iter([*rows, ["Total", "3668", "2863"]]), ["Table 1: headcount"]
        )
    )
    found = judgement.conclude()
    assert found.outcome is Outcome.AGGREGATE and found.advisories == ("small_cells",) and not found.flagged
