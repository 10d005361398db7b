"""What readers give to detectors: tables of text cells, and running text.

Readers turn any format into these two shapes; detectors see only them, never the format.
Everything in here is `untrusted` content of a file and must stay inside the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from detectors.engine.forms import Forms
from detectors.engine.lines import NEVER, Lines
from detectors.engine.verdict import Reason

MEMORY_BYTES = 96 * 1024**2
"""What all unpacked streams of one file may keep in memory together."""


class NeedsHeavy(Exception):
    """A part of the file is for a reader whose parsers this process has not imported."""


class NotPlain(Exception):
    """Only a plain text was wanted, and this is none, or something lies within it."""


class Unreadable(Exception):
    """The stream cannot be examined (further). Carries a reason code and nothing else."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Budget:
    """What is left of one file's limits. Shared by all its readers, so nesting buys nothing."""

    def __init__(self, expanded_bytes: int, entries: int) -> None:
        self.expanded_bytes = expanded_bytes
        self.entries = entries
        self.memory = MEMORY_BYTES

    def keep(self, count: int) -> bool:
        """Ask for memory to keep unpacked bytes in (negative gives back); False if there is none left."""
        if count > self.memory:
            return False
        self.memory -= count
        return True

    def expand(self, count: int) -> None:
        """Spend `count` bytes that came out of a decompressor; raises `Unreadable` past the limit."""
        self.expanded_bytes -= count
        if self.expanded_bytes < 0:
            raise Unreadable(Reason.LIMIT_EXPANDED)

    def enter(self) -> None:
        """Spend one member of a container; raises `Unreadable` past the limit."""
        self.entries -= 1
        if self.entries < 0:
            raise Unreadable(Reason.LIMIT_ENTRIES)


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How much work one file may cost. Counted work, so the same bytes stop at the same place."""

    max_input_bytes: int = 4 * 1024**3
    max_expanded_bytes: int = 4 * 1024**3
    max_entries: int = 10_000
    max_depth: int = 6
    max_columns: int = 16_384
    max_cell_chars: int = 32_768
    max_line_bytes: int = 8 * 1024**2
    budget: Budget | None = None
    """The file's shared budget; readers take it by `spending()`. The consumer of a `Part` need not
    count what it reads of it: the reader that made the part does."""

    def spending(self) -> Budget:
        """The shared budget, or a fresh one of these limits."""
        return self.budget or Budget(self.max_expanded_bytes, self.max_entries)


def _never(_: Forms) -> int:
    return NEVER


Row = Sequence[str]
"""One row: its cells as text, exactly as many as the row holds ("" is a blank cell)."""


@dataclass(slots=True)
class Table:
    """One table of a file, streamed.

    `header`   the variables' names as the file gives them, joined by "|" when several header rows
               were folded into one; None when the file has none (never made up from row 1).
    `rows`     yields each data row once, in file order; raises `Unreadable` where it must stop.
    `context`  text lines around the table: titles, sheet name, notes (at most 40 short lines).
    `labels`   variable labels of statistical formats, by column position.
    `value_labels`  labels of codes, by column position.
    `rows_total`    row count if the format states it, else None.
    `text_lines`    how many lines of running text or program stand around the table, as far as seen.
    `loose`    it was cut out of what need not be a file of data: cells between blanks, lines of
               a program, a tree with branches or of elements that share few fields.
    """

    header: list[str] | None
    rows: Iterator[Row]
    context: list[str] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)
    value_labels: dict[int, list[str]] = field(default_factory=dict)
    rows_total: int | None = None
    hidden: bool = False
    """The table lies where people do not look (hidden sheet, pivot cache)."""
    bulk: Callable[[Forms], Lines | int] = field(default=_never, repr=False)
    """Many of the next rows at once, where they are regular lines of text (told apart by whether all
    have a look that was seen); else how many to take from `rows` before it is worth while to ask again."""
    text_lines: int = 0
    loose: bool = False


@dataclass(slots=True)
class Text:
    """Running text outside tables: prose, a log, a mail body. Streamed as lines without line ends."""

    lines: Iterator[str]


@dataclass(slots=True)
class Part:
    """A member of a container: a stream of its own, to be sniffed and examined in turn.

    `position` is the member's place in its container, counted from 0. `untrusted_name` may help to
    tell a format (never to exempt); it does not leave the worker.
    `protected` is set when the member is encrypted and cannot be opened.
    """

    position: int
    open: Callable[[], BinaryIO]
    untrusted_name: str = ""
    protected: Protected | None = None


@dataclass(frozen=True, slots=True)
class Protected:
    """Content that is encrypted: strongly, or only weakly (`scheme` is a code such as `zip_aes`)."""

    scheme: str
    strong: bool


Content = Table | Text | Part | Protected


class Reader(Protocol):
    """A family of formats. Each module in `detectors.readers` has `MEDIA_TYPES` and `read`."""

    MEDIA_TYPES: frozenset[str]

    def read(self, stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
        """Yield what the stream holds, in order, lazily.

        `stream` is seekable unless `stream.seekable()` says no. A consumer may abandon a table half
        way and go on with the next. Raises nothing but `Unreadable`.
        """
        ...
