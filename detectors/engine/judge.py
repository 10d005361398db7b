"""The judgement of one stream: tables and text in, one conclusion out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detectors.engine.stanza import StanzaError
from detectors.engine.table import Table, Text
from detectors.engine.verdict import Finding, Outcome, Polarity, Subject, Tier

__all__ = ["Conclusion", "FileJudgement", "Judge", "StanzaError"]

_SEVERITY = {Tier.NONE: 0.0, Tier.POSSIBLE: 1.0, Tier.LIKELY: 2.0, Tier.CONFIRMED: 3.0}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What one stream is, before its protection and completeness are taken into account.

    `weight` orders members of a container: the most severe one speaks for the file.
    """

    outcome: Outcome = Outcome.NO_RECORDS
    tier: Tier = Tier.NONE
    subject: Subject | None = None
    confidence: float = 0.0
    records_estimated: int | None = None
    findings: tuple[Finding, ...] = ()
    advisories: tuple[str, ...] = ()
    weight: float = 0.0

    @property
    def flagged(self) -> bool:
        """The shipped policy would act on this if the file is not strongly protected."""
        return (
            self.outcome is Outcome.MICRODATA
            and self.subject in (Subject.PERSON, Subject.HOUSEHOLD)
            and self.tier in (Tier.LIKELY, Tier.CONFIRMED)
        )


class Judge:
    """All detectors with one configuration. Shared by every file a process examines; never changes."""

    def __init__(self, stanzas: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.stanzas = {k: dict(v) for k, v in (stanzas or {}).items()}
        self.vocabulary: frozenset[str] = frozenset({"row_subject", "person_words", "small_cells"})
        self.digest = hashlib.sha256(json.dumps(self.stanzas, sort_keys=True).encode()).hexdigest()

    def begin(self) -> FileJudgement:
        """Start judging one stream."""
        return FileJudgement(self)


_PERSON = frozenset(
    "age sex gender dob nino surname forename ethnic marital grade salary rank income".split()
)


class FileJudgement:
    """The judgement of one leaf stream: a file, or a member of a container."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._best = Conclusion()
        self._tables = 0

    @property
    def settled(self) -> bool:
        """True once reading on cannot make the answer more severe in a way that matters."""
        return self._best.flagged

    def table(self, table: Table) -> None:
        """Consume one table; lets `Unreadable` through after keeping what was seen."""
        rows = 0
        try:
            for _ in table.rows:
                rows += 1
        finally:
            hits = len({w for h in table.header or [] for w in h.lower().replace("_", " ").split()} & _PERSON)
            found = Conclusion(Outcome.OTHER_RECORDS if rows else Outcome.NO_RECORDS, records_estimated=rows)
            if hits >= 3 and rows >= 10:
                finding = Finding("row_subject", Polarity.FOR, "person_words", table=self._tables, value=hits)
                found = Conclusion(
                    Outcome.MICRODATA, Tier.LIKELY, Subject.PERSON, 0.8, rows, (finding,), (), 2.8
                )
            if found.weight >= self._best.weight:
                self._best = found
            self._tables += 1

    def text(self, text: Text) -> None:
        """Consume running text."""
        for _ in text.lines:
            pass

    def conclude(self) -> Conclusion:
        """The answer for all that was seen."""
        return self._best
