"""The judgement of one stream: tables and text in, one conclusion out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import resources
from itertools import islice
from typing import Any

from detectors.engine.assess import MIN_ROWS, Bench
from detectors.engine.conclusion import Conclusion
from detectors.engine.evidence import COLUMN_MEASURES
from detectors.engine.key_values import form_of
from detectors.engine.lexicon import Lexicon
from detectors.engine.passage import Passage
from detectors.engine.pooled import Pooled
from detectors.engine.prose import Prose
from detectors.engine.roster import roster
from detectors.engine.rules import RuleBook
from detectors.engine.stanza import StanzaError
from detectors.engine.table import Table, Text
from detectors.engine.verdict import Tier
from detectors.engine.weigh import load_models

__all__ = ["Conclusion", "FileJudgement", "Judge", "StanzaError"]

WITHOUT_AUDITED = {tier: f"without_audited_{tier.value}" for tier in (Tier.NONE, Tier.POSSIBLE, Tier.LIKELY)}
"""How sure a verdict is without the detectors in audit mode, where that is less sure -> its advisory."""
ADVISORIES = frozenset({"small_cells", *WITHOUT_AUDITED.values()})
MANY = 128
MOST_SAID = 200
"""Lines of text that are kept of a stream, in case that it is one form."""
_FOLDERS = ("lexicon", "rules")


class Judge:
    """All detectors with one configuration. Shared by every file a process examines; never changes.

    `stanzas` are the configuration's `[detectors.ID]` tables; a wrong one raises `StanzaError` with its key.
    `model_text` stands in for the shipped record model (to measure it on data it was not trained on).
    `vocabulary` holds every code that a finding may carry; `digest` stands for everything that decides;
    `acting` is the same judge without the detectors that are in audit mode, None if none is.
    """

    def __init__(
        self, stanzas: Mapping[str, Mapping[str, Any]] | None = None, model_text: str | None = None
    ) -> None:
        plain = {name: dict(stanza) for name, stanza in (stanzas or {}).items()}
        found = roster(plain)
        identifiers, subject = found["direct_identifiers"].options, found["row_subject"].options
        extra = {
            "person": subject.words_person,
            "aggregate": subject.words_aggregate,
            "organisation": subject.words_organisation,
            "thing": subject.words_thing,
        }
        self.lexicon = Lexicon.load({family: words for family, words in extra.items() if words})
        models, model_text = load_models(model_text)
        owner = {m: d.id for d in found.values() for m in d.measures}
        names = (resources.files("detectors") / "lexicon" / "forenames.toml").read_text("utf-8")
        self.bench = Bench(
            detectors=found,
            models=models,
            book=RuleBook(identifiers.rules, identifiers.disabled, identifiers.enabled),
            forenames=frozenset(names.split('"""')[1].split()),
            factors={
                name: tuple(found[owner[m]].factor for m in model.measures) for name, model in models.items()
            },
            owner=owner,
        )
        self.vocabulary: frozenset[str] = (
            frozenset(found)
            | frozenset(owner)
            | frozenset(COLUMN_MEASURES)
            | self.lexicon.terms
            | self.lexicon.families
        ) | (self.bench.book.ids | ADVISORIES)
        self.digest = _digest(plain, model_text)
        audited = [d.id for d in found.values() if d.audited]
        off = {name: {**plain[name], "mode": "enforce", "enabled": False} for name in audited}
        self.acting = Judge(plain | off, model_text) if audited else None

    def begin(self, pooled: Pooled | None = None) -> FileJudgement:
        """Start judging one stream, or what others have `pooled`."""
        return FileJudgement(self, pooled)


def _digest(stanzas: Mapping[str, Any], model_text: str) -> str:
    """One digest over stanzas, data and the detectors' own source."""
    total = hashlib.sha256(json.dumps(stanzas, sort_keys=True, default=str).encode())
    total.update(model_text.encode())
    root = resources.files("detectors")
    files = [f for folder in _FOLDERS for f in (root / folder).iterdir() if f.name.endswith(".toml")]
    files += [f for folder in (root, root / "engine") for f in folder.iterdir() if f.name.endswith(".py")]
    for file in sorted(files, key=lambda f: f.name):
        total.update(file.name.encode() + file.read_bytes())
    return total.hexdigest()


class FileJudgement:
    """The judgement of one leaf stream: a file, or a member of a container."""

    def __init__(self, judge: Judge, pooled: Pooled | None = None) -> None:
        self._judge = judge
        self._best = Conclusion()
        self._tables = 0
        self._advisories: dict[str, None] = {}
        self._prose = Prose(judge.bench, judge.lexicon)
        self._pooled = pooled or Pooled()
        self._said: list[str] = []

    @property
    def settled(self) -> bool:
        """True once a person yes is LIKELY or better: no need to read on."""
        return self._best.flagged

    def table(self, table: Table) -> None:
        """Consume one table; lets `Unreadable` through after keeping what was seen."""
        passage = Passage(self._judge.bench, self._judge.lexicon, table, self._tables, self._least_rows())
        self._tables += 1
        try:
            passage.read()
        finally:
            self._take(passage.conclude())
            self._pooled.take(table.header, passage.first)

    def _least_rows(self) -> int:
        """How many rows a table must have for its shape to add anything, after so many tables of one file.

        A manual or a change log has thousands of small ones. Fewer than three rows have no shape; fewer
        than ten make it *possible* at most, which one before may have done.
        """
        if self._tables < MANY:
            return 0
        options = self._judge.bench.options("record_model")
        return options.likely_rows if self._best.tier is Tier.POSSIBLE else MIN_ROWS

    def text(self, text: Text) -> None:
        """Consume running text; lets `Unreadable` through after keeping what was seen."""
        try:
            self._prose.read(self._heard(text.lines))
        finally:
            self._take(self._prose.conclude(self._tables, last=False))

    def _heard(self, lines: Iterator[str]) -> Iterator[str]:
        """The same lines; the first of them are kept."""
        for line in islice(lines, MOST_SAID - len(self._said)):
            self._said.append(line)
            yield line
        yield from lines

    def give(self, pool: Pooled) -> None:
        """Add to `pool` what is little here: small tables, or the one form that this stream is."""
        pool.absorb(self._pooled, form_of(self._said))

    def _take(self, found: Conclusion) -> None:
        self._advisories |= dict.fromkeys(found.advisories)
        if found.weight > self._best.weight:
            self._best = found

    def conclude(self) -> Conclusion:
        """The answer for all that was seen: the most severe part, with every advisory."""
        self._take(self._prose.conclude(self._tables))
        for table in () if self.settled else self._pooled.tables(self._judge.lexicon):
            passage = Passage(self._judge.bench, self._judge.lexicon, table, self._tables)
            passage.read()
            found = passage.conclude()
            if found.flagged:
                self._take(found)
        return replace(self._best, advisories=tuple(self._advisories))
