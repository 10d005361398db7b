"""Every verdict has words, and every reason."""

from __future__ import annotations

import pytest

from agent.commands.words import REASONS, examined, sentence, why_not_examined
from detectors.engine.verdict import Outcome, Protection, Reason, Subject, Tier, Verdict


def test_every_reason_has_words():
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.UNREADABLE])
@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("subject", [*Subject, None])
def test_every_verdict_has_a_sentence_on_one_line(outcome, tier, subject):
    said = sentence(Verdict(outcome, tier=tier, subject=subject, records_estimated=3))
    assert said and said.isprintable()


@pytest.mark.parametrize(
    ("verdict", "is_examined"),
    [
        (Verdict(Outcome.AGGREGATE), True),
        (Verdict(Outcome.ENCRYPTED, Reason.STRONG_ENCRYPTION, protection=Protection.STRONG), True),
        (Verdict(Outcome.ENCRYPTED, Reason.PASSWORD, protection=Protection.WEAK), False),
        (Verdict(Outcome.MICRODATA, Reason.LIMIT_BYTES, flagged=True, complete=False), True),
        (Verdict(Outcome.MICRODATA, Reason.LIMIT_BYTES, tier=Tier.POSSIBLE, complete=False), False),
        (Verdict.unreadable(Reason.CRASHED), False),
    ],
)
def test_examined_means_looked_into_as_far_as_the_verdict_needs(verdict, is_examined):
    assert examined(verdict) is is_examined


def test_what_was_not_examined_always_counts_under_a_reason():
    assert why_not_examined(Verdict(Outcome.ENCRYPTED, protection=Protection.WEAK)) is Reason.PASSWORD
    assert why_not_examined(Verdict(Outcome.MICRODATA, complete=False)) is Reason.PARTIAL


def test_a_member_and_small_counts_are_said():
    said = sentence(Verdict(Outcome.AGGREGATE, member="3/0", advisories=("small_cells",)))
    assert "member 3/0" in said and "small counts" in said
