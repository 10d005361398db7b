"""Cells are read as people write them."""

from __future__ import annotations

import pytest

from detectors.engine.columns import Column, correlation, is_band, is_mark, number, ordinal


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,250", 1250.0), ("12%", 12.0), ("£30.50", 30.5), ("3,14", 3.14), ("1 250", 1250.0), ("-7", -7.0)],
)
def test_decorated_numbers_are_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["1_000", "nan", "inf", "infinity", "", "12a", "--", "1,2,3"])
def test_what_python_would_take_for_a_number_is_none(text: str) -> None:
    assert number(text) is None


def test_marks_and_bands_are_told_from_words() -> None:
    assert all(map(is_mark, ["~", "[c]", "..", "<5"])) and not any(map(is_mark, ["cat", "5", "[notes here]"]))
    assert all(map(is_band, ["20-24", "65+", "under 5", "25 to 34"])) and not is_band("2019-20 school")


@pytest.mark.parametrize("text", ["14/03/1975", "1975-03-14", "14-Mar-1975", "14.03.1975"])
def test_dates_in_every_dress_are_the_same_day(text: str) -> None:
    assert ordinal(text) == ordinal("1975-03-14T00:00:00")


def test_impossible_dates_are_none() -> None:
    assert ordinal("31/02/2001") is None and ordinal("99/99/9999") is None


def test_numbers_written_differently_are_one_kind() -> None:
    assert Column(0, ["1", "1.0", "01", "2"]).kinds == 2


def test_correlation_of_a_constant_is_undefined_and_of_huge_numbers_finite() -> None:
    assert correlation([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]) is None
    assert correlation([1e200, -1e200, 1e200, 2e200], [1.0, 2.0, 3.0, 4.0]) is None
