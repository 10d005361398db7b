"""The passage of one table: a head that may settle a yes, and a full pass that alone may settle a no.

After the head every row is looked through for identifiers with one linear search, and rows are taken in
chunks. A chunk whose columns look unlike all before (a region that changes), and every so many chunks in any
case, is weighed like a head. Memory is bounded by the head and one chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from detectors.engine.assess import Assessment, Bench, assess, conclude
from detectors.engine.conclusion import Conclusion
from detectors.engine.lexicon import Lexicon
from detectors.engine.prose import from_tally
from detectors.engine.table import Row, Table
from detectors.engine.tally import Tally
from detectors.engine.view import TableView

HEAD = 300
CHUNK = 256
WEIGHED = 128
MOST_NEW = 64
COUNT_ON = 20_000
EVERY = 128


class Passage:
    """One table on its way through; `read` may raise `Unreadable`, after which `conclude` still holds."""

    def __init__(self, bench: Bench, lexicon: Lexicon, table: Table, index: int) -> None:
        self._bench, self._lexicon, self._table, self._index = bench, lexicon, table, index
        self._head: Assessment | None = None
        self._scores: list[float] = []
        self._deep: Assessment | None = None
        self._deep_score = -30.0
        self._rows = 0
        self._tally = Tally(bench.book)
        self._shapes: set[tuple[str, ...]] = set()

    def read(self) -> None:
        """Take the rows: all of them, unless the head settles a yes."""
        rows = iter(self._table.rows)
        head: list[Row] = []
        try:
            for row in rows:
                head.append(row)
                if len(head) == HEAD:
                    break
        finally:
            self._rows = len(head)
            if head:
                self._weigh_head(head)
        settle = self._bench.options("record_model").settle
        if self._head is not None and len(head) == HEAD and not self._settles(settle):
            self._pass(rows)
        elif len(head) == HEAD:
            for _ in islice(rows, COUNT_ON):
                self._rows += 1

    def _view(self, rows: Sequence[Row]) -> TableView:
        t = self._table
        return TableView(t.header, rows, self._lexicon, t.context, t.labels, t.value_labels)

    def _weigh_head(self, head: list[Row]) -> None:
        self._head = assess(self._bench, self._view(head))
        self._scores = [self._head.score] * 2
        self._shapes.add(shape(head[-8:]))
        self._tally.add(_joined(head))

    def _settles(self, least: float) -> bool:
        found = self._conclusion(self._head, self._scores)
        return found.flagged and found.confidence >= least

    def _pass(self, rows: Iterator[Row]) -> None:
        """The rest of the rows, chunk by chunk."""
        number = new = 0
        while chunk := list(islice(rows, CHUNK)):
            number += 1
            self._rows += len(chunk)
            self._tally.add(_joined(chunk))
            seen = shape(chunk[:: max(1, len(chunk) // 8)])
            changed = seen not in self._shapes
            new += changed
            if changed and len(self._shapes) < 1000:
                self._shapes.add(seen)
            due = number & (number - 1) == 0 or number % EVERY == 0
            if (
                len(chunk) >= 12
                and ((changed and new <= MOST_NEW) or due)
                and self._weigh_chunk(chunk, changed)
            ):
                return

    def _weigh_chunk(self, chunk: list[Row], changed: bool) -> bool:
        """Weigh a chunk; True if the table is settled by it."""
        found = assess(self._bench, self._view(chunk[:WEIGHED]))
        score = found.score
        if not changed:
            self._scores.append(score)
        if found.decisive or score + found.bonus > self._deep_score:
            self._deep, self._deep_score = found, score + found.bonus
        settle = self._bench.options("record_model").settle
        deep = self._conclusion(found, [score])
        sure = deep.flagged and (found.decisive or (changed and deep.confidence >= max(0.9, settle)))
        return sure or (self._settles(settle) and len(self._scores) >= 4)

    def _conclusion(self, a: Assessment | None, scores: list[float]) -> Conclusion:
        if a is None:
            return Conclusion(records_estimated=0)
        return conclude(self._bench, a, sum(scores) / len(scores), self._rows, self._index)

    def conclude(self) -> Conclusion:
        """What the table is, by all that was read of it."""
        found = self._conclusion(self._head, self._scores)
        if self._deep is not None:
            deep = self._conclusion(self._deep, [self._deep_score - self._deep.bonus])
            if (
                deep.flagged
                and (self._deep.decisive or deep.confidence >= 0.9)
                and deep.weight > found.weight
            ):
                found = deep
        spotted = from_tally(self._tally, self._rows, self._index, in_table=True)
        return spotted if spotted.weight > found.weight else found


def _joined(rows: Sequence[Row]) -> str:
    return "\n".join(["\t".join(row) for row in rows])


def shape(rows: Sequence[Row]) -> tuple[str, ...]:
    """What the columns of a few rows look like: n number, t text, b blank, m mixed; by column."""
    out = []
    for cells in zip(*(row[:40] for row in rows), strict=False):
        kinds = {("b" if not c else "n" if c.strip("-+.,%£ ")[:1].isdigit() else "t") for c in cells} - {"b"}
        out.append("m" if len(kinds) > 1 else "".join(kinds) or "b")
    return (str(len(rows[0]) if rows else 0), *out)
