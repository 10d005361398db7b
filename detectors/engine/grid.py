"""From the rows of a sheet, or of any grid of text cells, to the tables that lie on it.

People put titles and notes around tables, leave rows blank, stack tables and set them side by
side. This finds each table with its header while the rows stream by; nothing is kept but a short
look ahead. No cell is lost: what belongs to no table comes out as context, and as `Text`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice, takewhile

from detectors.engine.beside import spans
from detectors.engine.cutting import parsed
from detectors.engine.dialect import Dialect
from detectors.engine.forms import Forms
from detectors.engine.header import column, filled, fold, header_depth, kind, main_kind
from detectors.engine.inner import cut_alike
from detectors.engine.lines import NEVER, Bulk, Lines, Plain
from detectors.engine.table import Row, Table, Text, Unreadable

LOOK_AHEAD = 40
MAX_CONTEXT = 40
MAX_CONTEXT_CHARS = 200
MAX_NOTE_ROWS = 10
MAX_LINES = 500
MOST_LOOKS = 64
LEAST_NAMED = 3


class _Feed:
    """Rows with a look ahead; knows how many were taken.

    A fault of the rows is kept until all rows before it were taken.
    """

    def __init__(self, rows: Iterator[Row], bulk: Bulk | None = None) -> None:
        self._rows, self._bulk = rows, bulk
        self._held: deque[Row] = deque()
        self.taken = 0
        self._fault: Unreadable | None = None

    def _next(self) -> Row | None:
        try:
            return next(self._rows, None)
        except Unreadable as fault:
            self._fault = fault
            return None

    def finish(self) -> None:
        """Raise the fault that ended the rows, once."""
        if self._fault is not None and not self._held:
            fault, self._fault = self._fault, None
            raise Unreadable(fault.reason)

    def peek(self, count: int = LOOK_AHEAD) -> list[Row]:
        """Up to `count` rows ahead, none taken."""
        while len(self._held) < count:
            row = self._next()
            if row is None:
                break
            self._held.append(row)
        return list(islice(self._held, count))

    def block(self, count: int = LOOK_AHEAD) -> list[Row]:
        """The rows ahead up to the first blank one."""
        return list(takewhile(filled, self.peek(count)))

    def take(self) -> Row | None:
        if self._held:
            self.taken += 1
            return self._held.popleft()
        try:
            row = next(self._rows, None)
        except Unreadable as fault:
            self._fault = fault
            return None
        self.taken += row is not None
        return row

    def put_back(self, row: Row) -> None:
        self._held.appendleft(row)
        self.taken -= 1

    def lines(self, plain: Plain, forms: Forms) -> Lines | int:
        """The next rows at once, if all are plain; else how many to take before that may be."""
        if self._bulk is None or self._fault is not None:
            return NEVER
        if self._held:
            return len(self._held)
        found = self._bulk.lines(plain, forms)
        self.taken += len(found) if isinstance(found, Lines) else 0
        return found

    def cut(self, dialect: Dialect) -> None:
        """From here on, cut each row of one filled cell."""
        held, self._held, self._bulk = self._held, deque(), None
        self._rows = (_cut(row, dialect) for row in chain(held, self._rows))

    def skip(self, count: int) -> None:
        for _ in range(count):
            self.take()

    def skip_blank(self) -> bool:
        """Go on to the next row that holds something; False at the end."""
        while True:
            ahead = self.peek(1)
            if not ahead:
                return False
            if filled(ahead[0]):
                return True
            self.take()


def tables(
    rows: Iterator[Row],
    context: Sequence[str] = (),
    hidden: bool = False,
    again: Callable[[], Iterator[Row]] | None = None,
    bulk: Bulk | None = None,
) -> Iterator[Table | Text]:
    """Every table among `rows`, in order, then the loose lines as one `Text`.

    `rows`     rows of cells as text; a blank row has no filled cell. May raise `Unreadable`.
    `context`  what is known about the place, such as the sheet's name.
    `again`    reads the same rows from the start; without it tables side by side stay together.
    `bulk`     gives the next of `rows` many at once, where it can.
    """
    feed = _Feed(rows, bulk)
    looks = 0
    lines: list[str] = []
    notes: list[str] = [line[:MAX_CONTEXT_CHARS] for line in context]
    while feed.skip_blank():
        block = feed.block()
        dialect = None
        if looks < MOST_LOOKS and max(map(filled, block)) == 1:
            looks += 1
            dialect = cut_alike(["".join(row) for row in block])
        if dialect is not None:
            feed.cut(dialect)
            block, again = feed.block(), None
        titles = _titles(block)
        for row in block[:titles]:
            _note(row, notes, lines)
        feed.skip(titles)
        if titles < len(block):
            yield from _block(feed, block[titles:], notes, lines, hidden, again)
        if len(lines) >= MAX_LINES:
            yield Text(iter(lines))
            lines = []
    if lines:
        yield Text(iter(lines))
    feed.finish()


def _block(
    feed: _Feed,
    body: list[Row],
    notes: list[str],
    lines: list[str],
    hidden: bool,
    again: Callable[[], Iterator[Row]] | None,
) -> Iterator[Table]:
    """The table, or the tables side by side, that begin with `body`."""
    start = feed.taken
    ranges: list[tuple[int, int] | None] = [*spans(body)] if again is not None else []
    for number, span in enumerate(ranges or [None]):
        source = feed
        if number and again is not None:
            source = _Feed(again())
            source.skip(start)
        part = _Body(source, body, lines, span)
        table = Table(part.header, part.rows(), notes[-MAX_CONTEXT:], hidden=hidden, bulk=part.bulk)
        yield table
        for _ in table.rows:  # a consumer may have left it half way
            pass


def _cut(row: Row, dialect: Dialect) -> Row:
    if filled(row) != 1:
        return row
    return [cell for cut in parsed(dialect, "".join(row)) for cell in cut]


def _titles(block: list[Row]) -> int:
    """How many of the first rows are titles or notes rather than rows of a table."""
    fills = [filled(row) for row in block]
    widest = max(fills)
    if widest >= 2:
        few = 1 if widest < 6 else 2
        lead = next(i for i, count in enumerate(fills) if count > few or count == widest)
        return lead if lead == len(block) - 1 or not _same_below(block, lead) else lead - 1 if lead else 0
    cells = ["".join(row).strip() for row in block]
    prose = sum(len(cell) > 60 or cell.count(" ") > 6 for cell in cells)
    return len(block) if len(block) < 6 or prose > len(block) / 3 else 0


def _same_below(block: list[Row], lead: int) -> bool:
    """Whether the row before the first full one is a value row that happens to be short."""
    return lead > 0 and lead < len(block) and kind("".join(block[lead - 1])) in "nd"


def _note(row: Row, notes: list[str], lines: list[str]) -> None:
    text = " ".join(cell.strip() for cell in row if cell.strip())
    lines.append(text)
    notes.append(text[:MAX_CONTEXT_CHARS])
    del notes[:-MAX_CONTEXT]


class _Body:
    """One table's header and rows out of a feed; `span` is its columns, None for all.

    The table goes on over blank rows where what follows has the same columns and kinds.
    """

    def __init__(self, feed: _Feed, body: list[Row], lines: list[str], span: tuple[int, int] | None) -> None:
        self._feed, self._lines, self._span = feed, lines, span
        self._lead = 0 if span else min(map(_blanks_before, body))
        mine = [cut for row in body if filled(cut := self._cut(row))]
        lead = next((i for i, row in enumerate(body) if filled(self._cut(row))), 0)
        titles = _titles(mine) if span else 0
        titles = titles if titles < len(mine) else 0
        for row in mine[:titles]:
            _note(row, [], lines)
        depth = header_depth(mine[titles:])
        self._heads = [list(row) for row in mine[titles : titles + depth]]
        self.header = fold(self._heads) if depth else None
        self._kinds = _kinds(mine[titles + depth :])
        self._numbers = [i for i, k in enumerate(self._kinds) if k == "n"]
        self._probe = self._numbers[0] if len(self._numbers) >= 2 else -1
        self._lone: list[Row] = []
        self._plain = None if span or self._lead else self._plain_row(mine[titles + depth :])
        feed.skip(lead + titles + depth)

    def _plain_row(self, rows: list[Row]) -> Plain | None:
        """What a row is that `rows` yields without a second look."""
        full = [i for i, cells in enumerate(zip(*rows, strict=False)) if all(cells)]
        full.sort(key=lambda i: self._kinds[i] != "n")
        if len(full) < 2:
            return None
        return Plain((full[0], full[1]), self._probe, self._heads[-1][0] if self._heads else None)

    def bulk(self, forms: Forms) -> Lines | int:
        """The next rows at once, if each is nothing but a row; else how many to take before that may be."""
        if self._plain is None:
            return NEVER
        return self._feed.lines(self._plain, forms) if not self._lone else 1

    def _cut(self, row: Row) -> Row:
        if self._span is not None:
            return row[self._span[0] : self._span[1]]
        if not self._lead:
            return row
        astray = [cell for cell in row[: self._lead] if cell]
        return [*row[self._lead :], *astray]

    def rows(self) -> Iterator[Row]:
        """Data rows; repeated headers are left out, trailing notes become lines."""
        lone = self._lone
        feed, probe = self._feed, self._probe
        is_uncut = self._span is None and not self._lead
        first = self._heads[-1][0] if self._heads else None
        start = feed.taken
        while (whole := feed.take()) is not None:
            row = whole if is_uncut else self._cut(whole)
            many = len(row) - row.count("") >= 2
            if many and not lone and row[0] != first and (probe < 0 or probe >= len(row) or row[probe] < "A"):
                yield row
                continue
            count = filled(row)
            begun = bool(self._heads) or feed.taken > start + 1  # a first row must not be put back for ever
            if (not count and not self._goes_on(whole)) or (count and begun and self._is_new_header(whole)):
                feed.put_back(whole)
                break
            if not count or (self._heads and list(row) in self._heads):
                continue
            if count == 1 and len(self._kinds) > 2 and len(lone) < MAX_NOTE_ROWS and main_kind(row) == "t":
                lone.append(row)
                continue
            yield from lone
            lone.clear()
            yield row
        for row in lone:
            _note(row, [], self._lines)
        feed.finish()

    def _goes_on(self, whole: Row) -> bool:
        """Whether the table continues after the blank row just taken; takes the others if so."""
        if self._span is not None:
            return filled(whole) > 0
        ahead = self._feed.peek()
        gap = next((i for i, row in enumerate(ahead) if filled(row)), len(ahead))
        block = list(takewhile(filled, ahead[gap:]))
        if not block or gap > 2:
            return False
        if not self._kinds:
            if not self._names(block):
                return False
            self._kinds = _kinds(block)
            self._feed.skip(gap)
            return True
        if not (self._heads and list(block[0]) in self._heads):
            if _titles(block) or header_depth(block):
                return False
            kinds = _kinds(block)
            pairs = [(a, b) for a, b in zip(kinds, self._kinds, strict=False) if "b" not in (a, b)]
            alike = sum(a == b for a, b in pairs)
            if len(pairs) < 2 or alike < 0.8 * len(pairs) or len(kinds) > len(self._kinds):
                return False
        self._feed.skip(gap)
        return True

    def _names(self, block: list[Row]) -> bool:
        """Whether the header, below which a blank row stands, is that of the rows behind that."""
        if len(self._heads) != 1 or len(block) < LEAST_NAMED or header_depth(block):
            return False
        wide = filled(self._heads[0])
        alike = sum(filled(row) == wide for row in block)
        return alike >= 0.8 * len(block) and header_depth([self._heads[0], *block]) == 1

    def _is_new_header(self, whole: Row) -> bool:
        """Whether another table begins here with no blank row before it."""
        row, probe = self._cut(whole), self._probe
        if self._span is not None or probe < 0 or probe >= len(row) or kind(row[probe]) != "t":
            return False
        if list(row) in self._heads:
            return False
        texts = sum(i < len(row) and kind(row[i]) == "t" for i in self._numbers)
        if texts < 2 or texts < 0.6 * len(self._numbers) or any(kind(cell) in "nd" for cell in row):
            return False
        return header_depth([row, *self._feed.block(20)]) > 0


def _blanks_before(row: Row) -> int:
    return next((i for i, cell in enumerate(row) if cell and not cell.isspace()), len(row))


def _kinds(rows: Sequence[Row]) -> list[str]:
    width = max(map(len, rows), default=0)
    return [main_kind(column(rows, position)[:20]) for position in range(width)]
