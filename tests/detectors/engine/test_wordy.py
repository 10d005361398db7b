"""Whether one of a few words stands in a text."""

from __future__ import annotations

import pytest

from detectors.engine.wordy import Words

WORDS = Words(("insert", "@data", "begin data"))


@pytest.mark.parametrize("text", ["an INSERTion", "@Data", "x\nBegin Data.", "é insert", "é @DATA"])
def test_it_does_in_any_case_and_in_any_alphabet(text: str) -> None:
    assert WORDS.stand_in(text)


@pytest.mark.parametrize("text", ["", "in sert", "data", "begin  data", "é data", "d a t a @"])
def test_it_does_not(text: str) -> None:
    assert not WORDS.stand_in(text)
