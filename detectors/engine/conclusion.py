"""What was concluded about one stream, and how conclusions are ordered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from detectors.engine.verdict import Finding, Outcome, Subject, Tier

_TIERS = {Tier.NONE: 0.0, Tier.POSSIBLE: 1.0, Tier.LIKELY: 2.0, Tier.CONFIRMED: 3.0}
_OUTCOMES = {Outcome.BUSINESS_RECORDS: 0.4, Outcome.OTHER_RECORDS: 0.3, Outcome.AGGREGATE: 0.2}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What one stream is, before its protection and completeness are taken into account.

    `records_estimated` counts the rows that were read; where a yes ended the reading, it is a lower bound.
    """

    outcome: Outcome = Outcome.NO_RECORDS
    tier: Tier = Tier.NONE
    subject: Subject | None = None
    confidence: float = 0.0
    records_estimated: int | None = None
    tell: Callable[[], tuple[Finding, ...]] = field(default=tuple, repr=False, compare=False)
    """Puts the evidence together: of many tables of a file one is told of."""
    advisories: tuple[str, ...] = ()
    layout: str = ""
    """See `Verdict.layout`."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The evidence for and against, by column and as a whole."""
        return self.tell()

    @property
    def flagged(self) -> bool:
        """The shipped policy would act on this if the file is not strongly protected."""
        about_people = self.subject in (Subject.PERSON, Subject.HOUSEHOLD)
        return (
            self.outcome is Outcome.MICRODATA and about_people and self.tier in (Tier.LIKELY, Tier.CONFIRMED)
        )

    @property
    def weight(self) -> float:
        """Orders parts of a file: the most severe one speaks for it."""
        if self.outcome is Outcome.MICRODATA:
            return 1.0 + _TIERS[self.tier] + 0.9 * self.confidence
        return _OUTCOMES.get(self.outcome, 0.0) + 0.09 * self.confidence
