"""Detectors are found by walking the package; their stanzas are strict; their measures are whole."""

from __future__ import annotations

import math

import pytest

from detectors.engine.lexicon import Lexicon
from detectors.engine.roster import measured, roster
from detectors.engine.stanza import StanzaError
from detectors.engine.view import TableView


def test_every_measure_that_a_detector_names_is_given_and_finite() -> None:
    found = roster({})
    names = {m for d in found.values() for m in d.measures}
    for rows in ([], [["1"]], [["a", "2"], ["b", "3"], ["c", "~"]] * 5):
        given = measured(TableView(None, rows, Lexicon.load()), found)
        assert set(given) == names and all(math.isfinite(v) for v in given.values())


@pytest.mark.parametrize("stanza", [{"weight": -1}, {"weight": "much"}, {"enabled": 1}, {"enabledd": True}])
def test_a_wrong_stanza_names_its_key(stanza: dict[str, object]) -> None:
    with pytest.raises(StanzaError) as wrong:
        roster({"unit_records": stanza})
    assert wrong.value.key.startswith("detectors.unit_records.")


def test_any_detector_may_be_in_audit_mode() -> None:
    found = roster({"small_cells": {"mode": "audit", "below": 7}})
    assert [d.id for d in found.values() if d.audited] == ["small_cells"]
    with pytest.raises(StanzaError, match=r"small_cells\.mode: must be one of: audit, enforce"):
        roster({"small_cells": {"mode": "loud"}})
