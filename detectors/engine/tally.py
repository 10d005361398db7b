"""Identifiers in running text, and in every row of a table: counted by distinct values, never kept.

One match is at most a possibility. A rule counts in text only where its `text` pattern stands; its check must
hold for nearly all that have its shape, or for more of them than chance explains (a binomial tail, as for a
column): in a table of code points one group of sixteen digits in ten passes as a payment card.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.engine.rules import CompiledRule, RuleBook, fold, tail

MAX_DISTINCT = 200
MAX_FAILED = 2_000
MAX_SEEN = 20_000
NEARLY_ALL = 0.7
BY_CHANCE = 1e-6
_OPENING = ("<", "(", "[")


@dataclass(slots=True)
class Count:
    """Of one rule: how many matches had its shape, and which distinct values passed or failed its check."""

    rule: CompiledRule
    shaped: int = 0
    passed: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    signed: set[int] = field(default_factory=set)
    """Those that stand in brackets, as behind the name of who wrote something: `Jo Bell <jo@example.org>`."""

    @property
    def sound(self) -> bool:
        """Passing is no coincidence of the shape."""
        hits, rate = len(self.passed), self.rule.rule.pass_rate
        seen = hits + len(self.failed)
        if not hits or rate < 0.05 or hits >= NEARLY_ALL * seen:
            return hits > 0
        return tail(seen, hits, rate) < BY_CHANCE


class Tally:
    """Counts of identifiers over a stream of text blocks. Keeps at most `MAX_DISTINCT` hashes a rule.

    `in_table`  others matter only beside a conclusive one, and are counted from where the first of these is.
    """

    def __init__(self, book: RuleBook, in_table: bool = False) -> None:
        self.counts: list[Count] = []
        self._book = book
        self._first = book.any_conclusive if in_table else book.any_text

    def add(self, block: str) -> None:
        """Look through one block of text; a block without any identifier costs one linear search."""
        coded = block.encode()  # else the engine counts characters up to each match
        awaited = self._book.any_text if self.counts else self._first
        if awaited is None or awaited.search(coded) is None:
            return
        self.counts = self.counts or [Count(c) for c in self._book.rules if c.text is not None]
        for count in self.counts:
            if len(count.passed) >= MAX_DISTINCT or count.shaped >= MAX_SEEN or count.rule.text is None:
                continue
            for found in count.rule.text.finditer(coded):
                count.shaped += 1
                start, end = found.span()
                # one number, however it is spaced
                text = fold(coded[start:end].decode(), count.rule.rule.fold)
                if count.rule.folded_passes(text):
                    count.passed.add(hash(text))
                    if coded[start - 1 : start].decode("latin-1") in _OPENING:
                        count.signed.add(hash(text))
                elif len(count.failed) < MAX_FAILED:
                    count.failed.add(hash(text))
                if len(count.passed) >= MAX_DISTINCT or count.shaped >= MAX_SEEN:
                    break

    def of(self, strength: str) -> list[Count]:
        """The sound counts of one strength, most values first."""
        found = [c for c in self.counts if c.sound and c.rule.rule.strength == strength]
        return sorted(found, key=lambda c: -len(c.passed))
