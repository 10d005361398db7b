"""The thresholds between tiers: how sure the record model must be, and of how many rows.

Runbook: raise `likely` if ordinary tables are taken for records; the file then waits for review as POSSIBLE.
`confirmed` without direct identifiers needs `confirmed_rows` rows and a trace of a survey or register.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.engine.stanza import Bounds

_UNIT = {"bounds": Bounds(0.0, 1.0)}


@dataclass(frozen=True)
class Options:
    """Least probability for each tier, and least rows for the two higher ones."""

    enabled: bool = True
    weight: float = 1.0
    possible: float = field(default=0.4, metadata=_UNIT)
    likely: float = field(default=0.5, metadata=_UNIT)
    confirmed: float = field(default=0.97, metadata=_UNIT)
    settle: float = field(default=0.85, metadata=_UNIT)
    likely_rows: int = field(default=10, metadata={"bounds": Bounds(2, 10_000)})
    confirmed_rows: int = field(default=50, metadata={"bounds": Bounds(2, 100_000)})
