"""The sentence says what was found, for and against, in our words only."""

from __future__ import annotations

import random

from shipped import JUDGE

from detectors.engine.conclusion import Conclusion
from detectors.engine.explain import explain
from detectors.engine.table import Table
from detectors.engine.verdict import (
    Finding,
    Outcome,
    Polarity,
    Protection,
    Reason,
    Role,
    Subject,
    Tier,
    Verdict,
)


def verdict(found: Conclusion) -> Verdict:
    return Verdict(
        found.outcome,
        flagged=found.flagged, confidence=found.confidence, tier=found.tier, subject=found.subject,
        records_estimated=found.records_estimated, findings=found.findings, advisories=found.advisories,
    )  # fmt: skip


def test_a_pseudonymised_file_is_told_as_an_analyst_would() -> None:
    r = random.Random(22)
    rows = [
        [str(10_000 + 3 * i), str(r.randint(17, 64)), r.choice("12"), r.choice("12345"), r.choice("1234567")]
        for i in range(4812)
    ]
    judgement = JUDGE.begin()
    judgement.table(Table(["case", "age", "sex", "ethnic", "canary_qqxyzzy"], iter(rows)))
    said = explain(verdict(judgement.conclude()))
    assert said.startswith("4,812 people, one per row: ages 17–64 unsorted")
    assert (
        "column 1 unique" in said
        and "no direct identifiers (pseudonymised)" in said
        and "qqxyzzy" not in said
    )


def test_codes_of_age_bands_are_no_ages() -> None:
    r = random.Random(23)
    rows = [
        [str(i), str(r.randint(1, 9)), r.choice("12"), *(r.choice("12345") for _ in range(6))]
        for i in range(300)
    ]
    judgement = JUDGE.begin()
    judgement.table(Table(["caseid", "ageband", "sex", *(f"q{k}" for k in range(6))], iter(rows)))
    said = explain(verdict(judgement.conclude()))
    assert "ages" not in said and "age" in said


def test_identifiers_are_named_by_rule_and_place() -> None:
    finding = Finding(
        "direct_identifiers", Polarity.FOR, "valid_share", 0, 2, "nhs_number", Role.DIRECT_IDENTIFIER, 1.0
    )
    said = explain(
        Verdict(
            Outcome.MICRODATA,
            flagged=True,
            tier=Tier.CONFIRMED,
            subject=Subject.PERSON,
            records_estimated=9,
            findings=(finding,),
        )
    )
    assert "nhs number in column 3" in said and "pseudonymised" not in said


def test_every_outcome_has_a_sentence() -> None:
    for outcome in Outcome:
        reason = Reason.PARTIAL if outcome is Outcome.UNREADABLE else None
        assert explain(Verdict(outcome, reason)).endswith(".")
    assert "Weakly" in explain(Verdict(Outcome.ENCRYPTED, protection=Protection.WEAK))
