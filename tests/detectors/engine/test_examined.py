"""What policy must hear of first."""

from __future__ import annotations

from detectors.engine.conclusion import Conclusion
from detectors.engine.examined import Examined
from detectors.engine.table import Protected
from detectors.engine.verdict import Outcome, Reason, Subject, Tier


def test_people_come_first_then_weak_protection_then_what_was_not_read() -> None:
    people = Conclusion(Outcome.MICRODATA, Tier.LIKELY, Subject.PERSON, 0.9)
    parts = [
        Examined((), "a", people),
        Examined((), "a", Conclusion(Outcome.MICRODATA, Tier.POSSIBLE, Subject.PERSON, 0.5)),
        Examined((), "a", protected=Protected("zipcrypto", False)),
        Examined((), "a", reason=Reason.MALFORMED),
        Examined((), "a", Conclusion(Outcome.BUSINESS_RECORDS)),
        Examined((), "a", protected=Protected("age", True)),
        Examined((), "a", Conclusion(Outcome.AGGREGATE)),
        Examined((), "a"),
    ]
    assert sorted(parts, key=lambda part: part.severity, reverse=True) == parts
