"""What a tuning must be before anybody signs it, beside what `agent.statements` asks of all kinds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.statement_kinds import BadStatement, Tuning, check, number_of

TOML = '\n[detectors.row_subject]  \r\nwords_person = ["disgybl"]\n\n'
FINE = Tuning.made(TOML, " words of ours ", ["host-1"], "2027-01-01", 1_790_000_000.0)


def test_it_is_made_of_lines_that_whoever_signs_can_read() -> None:
    check(FINE)
    assert FINE.settings == ("[detectors.row_subject]", 'words_person = ["disgybl"]')
    assert FINE.stanzas == {"row_subject": {"words_person": ["disgybl"]}}
    assert FINE.reason == "words of ours" and number_of(FINE).startswith("TUN-2026-09-")
    assert FINE.tuning_id != Tuning.made(TOML + "# x", "", [], "2027-01-01", 1_790_000_000.0).tuning_id


@pytest.mark.parametrize(
    "wrong",
    [
        {"tuning_id": "x"},
        {"tuning_id": "TUN 1"},
        {"reason": "  "},
        {"agents": ("",)},
        {"settings": ()},
        {"settings": ("[policy]", 'mode = "audit"')},
        {"settings": ("[[approvers]]", 'name = "Eve"')},
        {"settings": ("[detectors.row_subject]", "bonus = 1\t# hidden")},
        {"settings": ("[detectors.row_subject]", "bonus = 1 # \u202e")},
        {"settings": ("[detectors.row_subject]\nbonus = 1",)},
        {"review_by": "2026-01-01"},
        {"review_by": "2036-01-01"},
        {"review_by": "soon"},
    ],
)
def test_no_tuning_is_made_of(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadStatement):
        check(replace(FINE, **wrong))
