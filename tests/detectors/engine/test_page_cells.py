"""What was filled into a form of a page is told from buttons, hidden fields and what was not chosen."""

from __future__ import annotations

from detectors.engine.page_cells import typed


def test_only_what_was_typed_or_chosen_counts() -> None:
    assert typed({"value": " 34 "}) == "34" and typed({"type": "DATE", "value": "1980-01-02"}) == "1980-01-02"
    assert typed({"type": "radio", "value": "1", "checked": ""}) == "1"
    for kind in ("radio", "checkbox", "submit", "hidden", "button"):
        assert typed({"type": kind, "value": "1"}) == ""
