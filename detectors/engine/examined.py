"""What was found out about one stream of a file, and which of several policy must hear of first."""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.engine.conclusion import Conclusion
from detectors.engine.table import Protected
from detectors.engine.verdict import Outcome, Reason


@dataclass(slots=True)
class Examined:
    """What was found out about one stream; the file itself has the empty position."""

    position: tuple[int, ...]
    media_type: str
    conclusion: Conclusion = field(default_factory=Conclusion)
    reason: Reason | None = None
    protected: Protected | None = None

    @property
    def severity(self) -> tuple[int, float]:
        """Order among the parts of a file: what policy must hear of first."""
        if self.conclusion.flagged:
            return 9, self.conclusion.weight
        if self.conclusion.outcome is Outcome.MICRODATA:
            return 8, self.conclusion.weight
        if self.protected is not None and not self.protected.strong:
            return 7, 0.0
        if self.reason is not None:
            return 6, 0.0
        if self.conclusion.outcome is Outcome.BUSINESS_RECORDS:
            return 5, self.conclusion.weight
        if self.protected is not None:
            return 4, 0.0
        order = {Outcome.OTHER_RECORDS: 3, Outcome.AGGREGATE: 2}
        return order.get(self.conclusion.outcome, 1), self.conclusion.weight
