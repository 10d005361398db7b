"""The tiers follow the thresholds: of rows, of probability, of evidence."""

from __future__ import annotations

import random

import pytest

from detectors.engine.judge import Conclusion, Judge, StanzaError
from detectors.engine.table import Table
from detectors.engine.verdict import Outcome, Subject, Tier

HEADER = ["person_id", "age", "sex", "ethnic_group", "marital_status", "income", "region"]


def people(n: int, seed: int = 12) -> list[list[str]]:
    r = random.Random(seed)
    return [
        [f"{r.getrandbits(40):010x}", str(r.randint(16, 90)), r.choice("12"), r.choice("12345"),
         r.choice("1234"), str(r.randint(90, 900) * 100), r.choice(["Wales", "London", "South East"])]
        for _ in range(n)
    ]  # fmt: skip


def conclude(rows: list[list[str]], stanzas: dict[str, dict[str, object]] | None = None) -> Conclusion:
    judgement = Judge(stanzas).begin()
    judgement.table(Table(HEADER, iter(rows)))
    return judgement.conclude()


def test_the_tier_falls_as_evidence_thins() -> None:
    order = [Tier.NONE, Tier.POSSIBLE, Tier.LIKELY, Tier.CONFIRMED]
    tiers = [order.index(conclude(people(n)).tier) for n in (2, 5, 12, 400)]
    assert tiers == sorted(tiers) and tiers[0] == 0 and tiers[1] <= 1 and tiers[2] == 2 and tiers[3] == 3


def test_pseudonymised_people_are_people() -> None:
    found = conclude(people(400))
    assert found.outcome is Outcome.MICRODATA and found.subject is Subject.PERSON and found.flagged
    assert found.records_estimated == 400


def test_a_higher_threshold_makes_it_a_matter_for_review() -> None:
    strict = conclude(people(30), {"record_model": {"likely_rows": 100}})
    assert strict.tier is Tier.POSSIBLE and not strict.flagged


def test_a_wrong_stanza_names_its_key() -> None:
    with pytest.raises(StanzaError) as wrong:
        Judge({"record_model": {"likley": 0.5}})
    assert wrong.value.key == "detectors.record_model.likley" and "likely" in wrong.value.hint
    with pytest.raises(StanzaError):
        Judge({"record_modell": {}})
    with pytest.raises(StanzaError):
        Judge({"record_model": {"likely": 1.5}})
