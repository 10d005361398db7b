"""The passage of one table: a head that may settle a yes, and a full pass that alone may settle a no.

After the head every row is looked through twice, each time by one linear search: for identifiers, and
for whether it is like rows seen before. Rows are taken in chunks. What is unlike all before (a region that
changes), and every so many chunks in any case, is weighed like a head; so are, at the end, the first rows
that were unlike the others around them. Memory is bounded by the head and a few chunks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice

from detectors.engine.assess import Assessment, Bench, assess, conclude, identified
from detectors.engine.conclusion import Conclusion
from detectors.engine.forms import Forms
from detectors.engine.inner import inner
from detectors.engine.joined import joined
from detectors.engine.labelled import labelled
from detectors.engine.lexicon import Lexicon
from detectors.engine.lines import Lines
from detectors.engine.prose import BY_TEXT, from_tally
from detectors.engine.table import Row, Table, Unreadable
from detectors.engine.tally import Tally
from detectors.engine.turned import upright
from detectors.engine.view import TableView

HEAD = 300
CHUNK = 256
WEIGHED = 128
MOST_NEW = 64
MOST_LOOKS = 1000
LEAST = 12
POOLED = 0.7
COUNT_ON = 20_000
EVERY = 512

Shape = tuple[str, ...]
STEADY: Shape = ("steady",)
STRAYS: Shape = ("strays",)


@dataclass(slots=True)
class Region:
    """Rows of one look within a table: the telling sample and the log-odds of every chunk weighed."""

    sample: Assessment
    scores: list[float]


class Spread:
    """A row from here and there: the first of every chunk; of every second one where they become many."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._step, self._chunks = 1, 0

    def take(self, chunk: Lines | list[Row]) -> None:
        """Heed the next chunk."""
        if self._chunks % self._step == 0:
            self.rows += _cut(chunk[:1])
        self._chunks += 1
        if len(self.rows) == HEAD:
            self.rows = self.rows[::2]
            self._step *= 2


class Passage:
    """One table on its way through; `read` may raise `Unreadable`, after which `conclude` still holds.

    Of a table of fewer than `least` rows, and of few columns, only identifiers and names matter.
    """

    def __init__(self, bench: Bench, lexicon: Lexicon, table: Table, index: int, least: int = 0) -> None:
        self._bench, self._lexicon, self._table, self._index = bench, lexicon, table, index
        self._least = least
        self._head: Region | None = None
        self._regions: dict[Shape, Region] = {}
        self._rows = 0
        self._tally = Tally(bench.book, in_table=True)
        self._known: set[Shape] = set()
        self._forms = Forms([])
        self._strays: list[Row] = []
        self.first: list[Row] = []
        """The head, if it was weighed."""
        self._spread = Spread()
        self._settle: float = bench.options("record_model").settle

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
                self._begin(head)
                if not self._is_beyond_doubt():
                    self._tally.add(_joined(head))
        if self._head is None or len(head) < HEAD:
            return
        if self._sure(self._head, self._settle):
            self._count_on(rows)
        else:
            self._forms.learn(head)
            self._pass(rows, self._head)

    def _begin(self, head: list[Row]) -> None:
        view = self._view(head, whole=len(head) < HEAD)
        if len(head) < self._least and view.width < LEAST:
            hits, named = identified(self._bench, view)
            if not (hits or named.names or named.births):
                return
        sample = assess(self._bench, view)
        self._head = Region(sample, [sample.score] * 2)
        self.first = head
        self._known.add(shape(head[-8:]))

    def _is_beyond_doubt(self) -> bool:
        """Whether nothing that text in the rows could add makes the head's conclusion any surer."""
        head = self._head
        return head is not None and head.sample.decisive and self._conclusion(head).weight >= BY_TEXT.weight

    def _count_on(self, rows: Iterator[Row]) -> None:
        """Count `COUNT_ON` more rows, or all that there are; regular ones by the block."""
        left = COUNT_ON
        while left > 0:
            found = self._table.bulk(self._forms)
            if isinstance(found, Lines):
                counted = min(len(found), left)
            else:
                counted = _length(islice(rows, min(found, left)))
            if not counted:
                return
            self._rows += counted
            left -= counted

    def _view(self, rows: Sequence[Row], whole: bool = False, named: bool = True) -> TableView:
        t = self._table
        around = t.text_lines if whole else 0
        if not named:
            return TableView(None, rows, self._lexicon, t.context, loose=t.loose)
        before = self._head.sample.view if self._head is not None else None
        return TableView(
            t.header, rows, self._lexicon, t.context, t.labels, t.value_labels, around, t.loose, before
        )

    def _chunks(self, rows: Iterator[Row]) -> Iterator[Lines | list[Row]]:
        """The rest of the rows in chunks of `CHUNK`, uncut where they are regular lines; each row is tallied.

        What stops the rows comes after all that were before it.
        """
        held: Lines | list[Row] = []
        stopped: Unreadable | None = None
        while stopped is None:
            singly: list[Row] = []
            found: Lines | int = 0
            try:
                found = self._table.bulk(self._forms)
                if not isinstance(found, Lines):
                    singly.extend(islice(rows, min(found, CHUNK - len(held))))
            except Unreadable as fault:
                stopped = fault
            part = found if isinstance(found, Lines) else singly
            if not len(part):
                break
            self._tally.add(_joined(part))
            if isinstance(part, Lines) and isinstance(held, list) and held:
                first = [*held, *part[: CHUNK - len(held)].rows()]
                held, part = [], part[CHUNK - len(held) :]
                if len(first) < CHUNK:
                    held = first
                    continue
                yield first
            held = _together(held, part)
            at = 0
            for at in range(CHUNK, len(held) + 1, CHUNK):
                yield held[at - CHUNK : at]
            held = held[at:]
        if len(held):
            yield held
        if stopped is not None:
            raise Unreadable(stopped.reason)

    def _pass(self, rows: Iterator[Row], head: Region) -> None:
        """The rest of the rows, chunk by chunk, until a yes is settled."""
        new = 0
        for number, chunk in enumerate(self._chunks(rows), 1):
            self._rows += len(chunk)
            self._spread.take(chunk)
            look, changed, unlike = self._look(chunk)
            new += changed
            growing = number & (number - 1) == 0 and number.bit_length() % 2 == 0
            due = growing or number % EVERY == 0
            if len(chunk) >= LEAST and (due or (changed and new <= MOST_NEW) or self._doubtful(look)):
                apart = changed and len(unlike) >= max(LEAST, len(chunk) // 2)
                telling = unlike if changed and len(unlike) >= LEAST else _cut(chunk[:WEIGHED])
                if self._settled(self._weigh(telling, look, head, changed, named=not apart)):
                    return
        if len(self._strays) >= LEAST:
            self._weigh(self._strays, STRAYS, head, changed=True, named=False)

    def _look(self, chunk: Lines | list[Row]) -> tuple[Shape, bool, list[Row]]:
        """What the rows of a chunk look like, whether that is new, and the rows that are unlike any before.

        Where every row has a look that was seen, nothing is; else some are looked at by cell.
        """
        steady = isinstance(chunk, Lines) and chunk.steady
        steady = steady or self._forms.hold(_joined(chunk))
        if steady and not self._in_doubt():
            return STEADY, False, []
        rows = _cut(chunk)
        some = rows[:: max(1, len(rows) // 8)]
        look = shape(some)
        unlike: list[Row] = []
        if not steady:
            fit = 2 * sum(self._forms.hold(_joined([row])) for row in some) >= len(some)
            if not fit or not (self._forms.allow_blanks(rows) or len(self._strays) >= CHUNK):
                unlike = [row for row in rows if not self._forms.hold(_joined([row]))]
                self._strays.extend(unlike[: CHUNK - len(self._strays)])
            if not fit and self._forms.learn(unlike) and look in self._known:
                look = (*look, str(self._forms.version))
        changed = look not in self._known and len(self._known) < MOST_LOOKS
        if changed:
            self._known.add(look)
        return look, changed, unlike

    def _in_doubt(self) -> bool:
        return any(map(self._doubtful, self._regions))

    def _doubtful(self, look: Shape) -> bool:
        """A region that may hold people and of which more should be weighed."""
        region = self._regions.get(look)
        return region is not None and len(region.scores) < 4 and _mean(region.scores) > 0.0

    def _weigh(
        self, rows: Sequence[Row], look: Shape, head: Region, changed: bool, named: bool = True
    ) -> Region:
        """Weigh some rows as a sample; `named` is off where the header is hardly that of these rows."""
        sample = assess(self._bench, self._view(rows[:WEIGHED], named=named))
        region = self._regions.get(look)
        if region is None and (changed or sample.decisive) and len(self._regions) < MOST_NEW:
            region = self._regions[look] = Region(sample, [])
        region = head if region is None else region
        region.scores.append(sample.score)
        return region

    def _settled(self, region: Region) -> bool:
        if region is self._head:
            return len(region.scores) >= 4 and self._sure(region, self._settle)
        return self._sure(region, self._settle) or (len(region.scores) >= 3 and self._sure(region, POOLED))

    def _sure(self, region: Region, least: float) -> bool:
        found = self._conclusion(region)
        return found.flagged and (found.confidence >= least or region.sample.decisive)

    def _conclusion(self, region: Region) -> Conclusion:
        return conclude(self._bench, region.sample, _mean(region.scores), self._rows, self._index)

    def conclude(self) -> Conclusion:
        """What the table is, by all that was read of it: the head, unless another region holds people."""
        spotted = from_tally(self._tally, self._rows, self._index, in_table=True)
        if self._head is None:
            return spotted
        found = self._conclusion(self._head)
        for region in self._regions.values():
            if self._sure(region, POOLED if len(region.scores) >= 2 else self._settle):
                deep = self._conclusion(region)
                found = deep if deep.weight > found.weight else found
        if not found.flagged:
            found = self._sorted_by_groups() or self._set_otherwise() or found
        return spotted if spotted.weight > found.weight else found

    def _sorted_by_groups(self) -> Conclusion | None:
        """Records of people that are sorted, so that the first of them are nearly all alike.

        Only then: of statistics, rows from here and there no longer show their order and totals.
        """
        assert self._head is not None
        used = self._head.sample.view.used
        alike = sum(c.distinct == 1 for c in used)
        if 2 * alike < len(used) or len(self._spread.rows) < LEAST:
            return None
        sample = assess(self._bench, self._view(self._spread.rows))
        found = conclude(self._bench, sample, sample.score, self._rows, self._index)
        least = POOLED if alike == len(used) else self._settle  # a head of one line says nothing else
        return found if found.flagged and (found.confidence >= least or sample.decisive) else None

    def _set_otherwise(self) -> Conclusion | None:
        """Records of people, if the table holds them once its head is set upright, or its cells are cut."""
        header, first = self._table.header, self.first
        ways: Iterator[tuple[list[str] | None, Sequence[Row]]]
        over_rows = ((None, records) for records in joined(header, first))
        cut = chain(inner(header, first), labelled(header, first))
        ways = chain(upright(header, first, self._lexicon), cut, over_rows)
        for names, records in ways:
            sample = assess(
                self._bench, TableView(names, records, self._lexicon, self._table.context, loose=True)
            )
            found = conclude(self._bench, sample, sample.score, len(records), self._index)
            if found.flagged and (found.confidence >= self._settle or sample.decisive):
                return found
        return None


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores)


def _length(rows: Iterator[Row]) -> int:
    """How many there are; they are taken."""
    counter = count()
    deque(zip(rows, counter, strict=False), maxlen=0)  # a row is taken before its number is
    return next(counter)


def _cut(rows: Lines | Sequence[Row]) -> Sequence[Row]:
    return rows.rows() if isinstance(rows, Lines) else rows


def _together(held: Lines | list[Row], part: Lines | list[Row]) -> Lines | list[Row]:
    """`held` and behind it `part`; lines stay lines if both are."""
    if not len(held):
        return part
    if isinstance(held, Lines) and isinstance(part, Lines):
        return held + part
    return [*_cut(held), *_cut(part)]


def _joined(rows: Lines | Sequence[Row]) -> str:
    if isinstance(rows, Lines):
        return rows.joined
    return "\n".join(["\t".join(row) for row in rows])


def shape(rows: Sequence[Row]) -> Shape:
    """What the columns of a few rows look like: n number, t text, b blank, m mixed; by column."""
    out = []
    for cells in zip(*(row[:40] for row in rows), strict=False):
        kinds = {("b" if not c else "n" if c.strip("-+.,%£ ")[:1].isdigit() else "t") for c in cells} - {"b"}
        out.append("m" if len(kinds) > 1 else "".join(kinds) or "b")
    return (str(len(rows[0]) if rows else 0), *out)
