"""Tables beside each other are told by the blank columns between them, unless it is one with a gap."""

from __future__ import annotations

from detectors.engine.beside import spans


def test_two_tables_are_parted_and_one_with_a_blank_column_is_not() -> None:
    left, right = ["a", "b"], ["c", "d"]
    rows = [["1", "2", "", "3", "4"]] * 5
    assert spans([[*left, "", *right], *rows]) == []
    assert spans([[*left, "", *left], *rows]) == [(0, 2), (3, 5)]
    assert spans([[*left, "", *right], *rows, ["5", "6", "", "", ""]]) == [(0, 2), (3, 5)]
    assert spans([["a", "b"], ["1", "2"]]) == []
