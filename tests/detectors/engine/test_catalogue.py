"""The catalogue tells everything there is, with what the administrator changed."""

from __future__ import annotations

import pytest

from detectors.engine.catalogue import catalogue
from detectors.engine.stanza import StanzaError


def test_detectors_and_rules_are_told_with_their_examples():
    told = catalogue({})
    assert all(d["description"] and d["runbook"] and "weight" in d["options"] for d in told["detectors"])
    assert all(r["match"] and not r["missed"] and not r["taken"] for r in told["rules"])


def test_what_was_changed_is_told():
    told = catalogue({"small_cells": {"below": 10}, "direct_identifiers": {"disabled": ["iban"]}})
    (small,) = [d for d in told["detectors"] if d["id"] == "small_cells"]
    assert small["options"]["below"] == 10
    assert "iban" not in {r["id"] for r in told["rules"]}


def test_a_wrong_stanza_is_refused():
    with pytest.raises(StanzaError):
        catalogue({"no_such": {}})
