"""A tuning is tried on the detectors of this version before anybody signs it."""

from __future__ import annotations

import sys

from console import trial


def test_detectors_say_which_key_they_do_not_take():
    assert trial.fault_of({"row_subject": {"wrods_person": ["x"]}}) == (
        "detectors.row_subject.wrods_person: unknown key"
    )


def test_detectors_that_cannot_be_asked_take_nothing(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert "cannot be asked" in trial.fault_of({"row_subject": {"bonus": 1}})
