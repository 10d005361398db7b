"""What a fleet may be sent: stanzas of detectors, below what a machine sets itself, and nothing else."""

from __future__ import annotations

import pytest

from config.settings import Settings
from config.tuning import TUNABLE, NotTuning, keys_of, may_find_less, stanzas_of, tuned

WORDS = '[detectors.row_subject]\nwords_person = ["disgybl"]\n'


def test_stanzas_of_detectors_are_taken_as_they_are():
    assert stanzas_of(WORDS) == {"row_subject": {"words_person": ["disgybl"]}}


@pytest.mark.parametrize("section", sorted(set(Settings.model_fields) - set(TUNABLE)))
def test_no_other_section_of_the_configuration_can_come(section):
    for line in (f"[{section}]\nx = 1\n", f"{section} = 1\n", f"[[{section}]]\nx = 1\n"):
        with pytest.raises(NotTuning, match="each machine's own"):
            stanzas_of(line + WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing",
        "detectors = 1",
        "[detectors]\nx = 1",
        "[detectors.row_subject]",
        "[[detectors.row_subject]]\nbonus = 1",
        "[detectors.row_subject]\nbonus = nan",
        "[detectors.row_subject]\nbonus = inf",
        "[detectors.row_subject]\nbonus = 2026-01-01",
        "[detectors.row_subject\n",
        "[detectors.x]\ny = " + "[" * 5000,
        "[detectors.x]\ny = " + "9" * 5000,
    ],
)
def test_what_is_no_tuning_is_refused_in_words_of_our_own(text):
    with pytest.raises(NotTuning) as fault:
        stanzas_of(text)
    assert "row_subject" not in str(fault.value) and "99" not in str(fault.value)


def test_a_key_that_is_set_here_keeps_its_value_and_nothing_else_is_touched():
    local = Settings(detectors={"record_model": {"likely": 0.6}, "small_cells": {"below": 10}})
    fleet = {"record_model": {"likely": 0.4, "possible": 0.3}, "row_subject": {"bonus": 1}}
    both = tuned(local, fleet)
    assert both.detectors == {
        "record_model": {"likely": 0.6, "possible": 0.3},
        "row_subject": {"bonus": 1},
        "small_cells": {"below": 10},
    }
    assert both.model_copy(update={"detectors": local.detectors}) == local
    assert tuned(local, {}) == local
    assert list(keys_of(fleet)) == ["record_model.likely", "record_model.possible", "row_subject.bonus"]


@pytest.mark.parametrize(
    ("stanzas", "less"),
    [
        ({"row_subject": {"words_person": ["x"]}, "direct_identifiers": {"rules": [{"id": "a"}]}}, []),
        ({"row_subject": {"enabled": True, "mode": "enforce"}}, []),
        ({"row_subject": {"enabled": False}}, ["row_subject.enabled"]),
        ({"row_subject": {"mode": "audit"}}, ["row_subject.mode"]),
        ({"row_subject": {"words_aggregate": ["x"]}}, ["row_subject.words_aggregate"]),
        ({"record_model": {"likely": 0.4}}, ["record_model.likely"]),
        ({"direct_identifiers": {"rules": [{"subject": "thing"}]}}, ["direct_identifiers.rules"]),
    ],
)
def test_all_but_added_words_and_rules_about_people_may_find_less(stanzas, less):
    assert may_find_less(stanzas) == less
