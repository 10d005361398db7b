"""Running text: identifiers in prose and logs, and blocks of "key: value" lines, which are records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from detectors.engine.assess import Bench, assess, conclude
from detectors.engine.conclusion import Conclusion
from detectors.engine.key_values import table_of
from detectors.engine.lexicon import Lexicon
from detectors.engine.tally import Count, Tally
from detectors.engine.verdict import Finding, Outcome, Polarity, Role, Subject, Tier
from detectors.engine.view import TableView

BLOCK_LINES = 200
MAX_RECORDS = 400
MAX_KEYS = 60
BY_TEXT = Conclusion(Outcome.MICRODATA, Tier.CONFIRMED, Subject.PERSON, 0.97)
"""The surest that identifiers in running text make anything."""
_PAIR = re.compile(r"\s*([^\W\d][\w .'/()#-]{0,40}?)\s*[:=]\s+(\S.{0,200})")


class Prose:
    """All running text of one stream. Keeps counts, and at most `MAX_RECORDS` records of key-value blocks."""

    def __init__(self, bench: Bench, lexicon: Lexicon) -> None:
        self._bench, self._lexicon = bench, lexicon
        self._tally = Tally(bench.book)
        self._keys: set[str] = set()
        self._records: list[dict[str, str]] = []
        self._open: dict[str, str] = {}
        self._unkeyed = 0
        self._looked_at = 0
        self._listed = Conclusion()

    def read(self, lines: Iterator[str]) -> None:
        """Take lines; may raise `Unreadable`, after which `conclude` still holds."""
        while block := list(islice(lines, BLOCK_LINES)):
            self._tally.add("\n".join(block))
            if len(self._records) < MAX_RECORDS:
                for line in block:
                    self._line(line)

    def _line(self, line: str) -> None:
        found = _PAIR.fullmatch(line) if len(line) < 250 and (":" in line or "=" in line) else None
        if found is None:
            self._unkeyed += bool(line.strip())
            return
        key = found[1].strip()
        if key in self._open:
            self._close()
        if key in self._keys or len(self._keys) < MAX_KEYS:
            self._keys.add(key)
            self._open[key] = found[2].strip()

    def _close(self) -> None:
        if len(self._records) < MAX_RECORDS:
            self._records.append(self._open)
        self._open = {}

    def conclude(self, table: int, *, last: bool = True) -> Conclusion:
        """What the text is by all that was read. Unless `last`, records wait until they are twice as many."""
        found = from_tally(self._tally, None, table, in_table=False)
        records = [*self._records, self._open] if self._open else self._records
        if len(records) > self._looked_at * (1 if last else 2):
            self._looked_at = len(records)
            self._listed = self._weighed(records, table)
        listed = self._listed
        return listed if listed.flagged and listed.weight > found.weight else found

    def _weighed(self, records: list[dict[str, str]], table: int) -> Conclusion:
        """What the blocks of keys and values are, as one table, if the text is little more than they."""
        keyed = table_of(records, least_keys=2)
        if keyed is None or sum(map(len, records)) < self._unkeyed:
            return Conclusion()
        rows = list(keyed.rows)
        parts = [name.rpartition(".") for name in keyed.header or ()]  # a path is of many variables
        paths = list(dict.fromkeys(path for path, _, _ in parts if path))
        view = TableView([name for _, _, name in parts], rows, self._lexicon, context=paths, loose=True)
        a = assess(self._bench, view)
        return conclude(self._bench, a, a.score, len(rows), table)


def from_tally(tally: Tally, rows: int | None, table: int, *, in_table: bool) -> Conclusion:
    """What identifiers in running text, or anywhere in a table's rows, say by themselves."""
    conclusive = tally.of("conclusive")
    others = tally.of("strong") + tally.of("supporting")
    most = len(conclusive[0].passed) if conclusive else 0
    beside = len(others[0].passed) if others else 0
    emails = max((len(c.passed - c.signed) for c in tally.of("strong")), default=0)
    least = 3 if in_table else 2
    if most >= 5 and beside >= 3:
        tier, sure = BY_TEXT.tier, BY_TEXT.confidence
    elif most >= least:
        tier, sure = Tier.LIKELY, 0.9
    elif most or emails >= 10:
        tier, sure = Tier.POSSIBLE, 0.5
    else:
        return Conclusion(Outcome.NO_RECORDS, records_estimated=rows)
    if in_table and not conclusive:
        return Conclusion(Outcome.NO_RECORDS, records_estimated=rows)
    findings = tuple(_finding(c, c in conclusive, least, table) for c in conclusive + others)
    return Conclusion(Outcome.MICRODATA, tier, Subject.PERSON, sure, most or emails, lambda: findings)


def _finding(count: Count, conclusive: bool, least: int, table: int) -> Finding:
    return Finding(
        "direct_identifiers",
        Polarity.FOR,
        "text_identifiers",
        table,
        term=count.rule.rule.id,
        role=Role.DIRECT_IDENTIFIER,
        value=float(len(count.passed)),
        threshold=float(least),
        weight=4.0 if conclusive else 1.0,
        records_seen=count.shaped,
        records_matched=len(count.passed),
    )
