"""Values of JSON records find their columns."""

from __future__ import annotations

import pytest

from detectors.engine.json_fields import Fields
from detectors.engine.json_shape import ANY_KEY, ELEMENT, Place
from detectors.engine.table import Unreadable


def test_values_of_a_list_are_joined_and_a_key_is_one_of_them_unless_it_counts_on() -> None:
    above = Place("people", None)
    person = Place(ANY_KEY, above)
    tags = Place(ELEMENT, Place("tags", person))
    fields = Fields(9)
    fields.begin(person, "ab-1")
    for text in ("x", "y"):
        fields.heed(tags, "value", text)
    assert (fields.header, fields.row, fields.are_branches(above)) == (
        ["key", "tags"],
        ["ab-1", "x; y"],
        False,
    )
    fields.begin(person, "17")
    assert fields.row == ["", ""]
    fields.heed(Place("deep", Place("down", person)), "value", "z")
    assert fields.header[2:] == ["down.deep"] and fields.are_branches(above)


def test_more_columns_than_allowed_are_a_limit() -> None:
    person = Place(ELEMENT, None)
    fields = Fields(1)
    fields.begin(person, "")
    fields.heed(Place("a", person), "value", "1")
    with pytest.raises(Unreadable):
        fields.heed(Place("b", person), "value", "1")
