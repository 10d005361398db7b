"""Dates that spreadsheets keep as numbers."""

from __future__ import annotations

import pytest

from detectors.engine.dates import format_kind, from_serial


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (14, None, "date"), (22, None, "date"), (20, None, "time"), (0, None, ""), (2, None, ""),
        (49, None, ""),
        (164, "dd/mm/yyyy", "date"), (165, "[$-809]d mmmm yyyy;@", "date"), (166, "hh:mm", "time"),
        (167, '0.00" days"', ""), (168, "General", ""), (169, "#,##0", ""), (170, "[h]:mm", "time"),
        (171, "mmm", "date"),
        (172, "[Red]0", ""), (173, '"year" 0', ""),
    ],
)  # fmt: skip
def test_number_formats_say_whether_a_number_is_a_date(number: int, code: str | None, kind: str) -> None:
    assert format_kind(number, code) == kind


@pytest.mark.parametrize(
    ("text", "kind", "from_1904", "expected"),
    [
        ("25569", "date", False, "1970-01-01"),
        ("25569.5", "date", False, "1970-01-01 12:00:00"),
        ("1", "date", False, "1900-01-01"),
        ("24107", "date", True, "1970-01-01"),
        ("0.75", "time", False, "18:00:00"),
        ("-5", "date", False, "-5"),
        ("1e300", "date", False, "1e300"),
        ("nan", "date", False, "nan"),
        ("x", "date", False, "x"),
    ],
)
def test_day_counts_read_as_iso(text: str, kind: str, from_1904: bool, expected: str) -> None:
    assert from_serial(text, kind, from_1904) == expected
