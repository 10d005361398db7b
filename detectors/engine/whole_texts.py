"""Whole texts that are values of another format: printed tables, pages of HTML, dumps of SQL.

A text is one value of several lines, or a list of values each of which is a line with its end (so notebooks
keep what was printed). Few are kept, the longest that may hold a table.
"""

from __future__ import annotations

import heapq
import re

from detectors.engine.media_types import HTML, JSON, PLAIN, SQL, XML
from detectors.engine.sniff import sniff

LEAST_LINES = 5
LEAST_CHARS = 100
MAX_TEXTS = 24
MAX_CHARS = 8 * 1024**2
_LOOK_CHARS = 16 * 1024
_TAIL_BYTES = 64 * 1024
_KINDS = frozenset({PLAIN, HTML, JSON, SQL, XML})
_ROWS = re.compile(r"<(?:\w+:)?(?:tr|row)\b|^\s*(?:INSERT|COPY)\s", re.I | re.M)
_CUT = re.compile(r"\S(?: {2,}| *[\t|,;] *)(?=\S)")


class WholeTexts:
    """Takes the values of a document one after another and keeps the texts among them."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, int, str]] = []
        self._chars = self._count = 0
        self.lines: list[str] = []
        """The text under way; while there is none, only values with a line end or a `<` need be given."""
        self._lines_chars = 0

    def value(self, text: str, in_list: bool) -> None:
        """One value; it may be the next line of the text that the list around it is."""
        if in_list and text[-1:] == "\n":
            self._lines_chars += len(text)
            if self._lines_chars <= MAX_CHARS:
                self.lines.append(text)
            return
        if self.lines:
            self.lines.append(text)
            self.end()
        elif len(text) >= LEAST_CHARS:
            self._keep(text)

    def end(self) -> None:
        """The list of lines is at its end."""
        if self.lines:
            self._keep("".join(self.lines))
            self.lines.clear()
            self._lines_chars = 0

    def _keep(self, text: str) -> None:
        if len(text) < LEAST_CHARS or len(text) > MAX_CHARS:
            return
        if text[:1] not in "[{" and not may_hold_a_table(text[:_LOOK_CHARS]):
            return
        self._count += 1
        self._chars += len(text)
        heapq.heappush(self._kept, (len(text), -self._count, text))
        while len(self._kept) > MAX_TEXTS or self._chars > MAX_CHARS:
            self._chars -= heapq.heappop(self._kept)[0]

    def parts(self) -> list[bytes]:
        """The texts of the kinds that are looked into, in the order of the document."""
        coded = [text.encode("utf-8", "replace") for _, _, text in sorted(self._kept, key=lambda k: -k[1])]
        return [data for data in coded if sniff(data[:_TAIL_BYTES], data[-_TAIL_BYTES:], len(data)) in _KINDS]


def may_hold_a_table(text: str) -> bool:
    """Whether it has rows of a page or a dump, or several lines that are mostly cut into three or more."""
    if len(_ROWS.findall(text)) >= LEAST_LINES:
        return True
    lines = [line for line in text.split("\n") if line.strip()]
    return len(lines) >= LEAST_LINES and sum(
        len(_CUT.findall(line[:400])) >= 2 for line in lines
    ) >= 0.5 * len(lines)
