"""Conclusions are ordered by severity; only likely records of people are flagged."""

from __future__ import annotations

from detectors.engine.conclusion import Conclusion
from detectors.engine.verdict import Outcome, Subject, Tier


def test_severity_rises_with_tier_and_records_outrank_statistics() -> None:
    ranked = [
        Conclusion(),
        Conclusion(Outcome.AGGREGATE, confidence=1.0),
        Conclusion(Outcome.OTHER_RECORDS, confidence=1.0),
        Conclusion(Outcome.BUSINESS_RECORDS),
        *(
            Conclusion(Outcome.MICRODATA, t, Subject.PERSON, 1.0)
            for t in (Tier.POSSIBLE, Tier.LIKELY, Tier.CONFIRMED)
        ),
    ]
    assert [c.weight for c in ranked] == sorted(c.weight for c in ranked)


def test_only_likely_records_of_people_are_flagged() -> None:
    assert Conclusion(Outcome.MICRODATA, Tier.LIKELY, Subject.HOUSEHOLD).flagged
    assert not Conclusion(Outcome.MICRODATA, Tier.POSSIBLE, Subject.PERSON).flagged
    assert not Conclusion(Outcome.BUSINESS_RECORDS, Tier.LIKELY, Subject.ORGANISATION).flagged
