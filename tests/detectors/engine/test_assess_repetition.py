"""Rows that are all the same are no records: found on a log of one line, again and again."""

from __future__ import annotations

import pytest

from detectors.engine.judge import Judge
from detectors.engine.table import Table
from detectors.engine.verdict import Outcome


@pytest.mark.parametrize("rows", [2, 30, 1000])
def test_one_row_again_and_again_is_no_record_of_anybody(rows):
    judgement = Judge().begin()
    line = ["some", "words", "of", "a", "letter,", "nothing", "else"]
    judgement.table(Table(None, iter([line] * rows)))
    assert judgement.conclude().outcome is Outcome.NO_RECORDS
