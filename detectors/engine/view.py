"""What detectors look at: a bounded sample of one table, with its names and the text around it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from detectors.engine.columns import Column
from detectors.engine.lexicon import Lexicon, Word
from detectors.engine.once import once

MAX_COLUMNS = 300
LEAST_LAYOUT = 8
SEVERAL_COLOURS = 3
_GENERIC = re.compile(r"(?:v|x|var|col|column|field|f|c|unnamed|colofn)?[ _:.]*\d*", re.I)
_YEAR = re.compile(r"[xy]?(?:18|19|20)\d\d", re.I)


def is_generic(name: str) -> bool:
    """A name that says nothing: V1, X2, col_3, Unnamed: 0, 17, or blank; but a year says something."""
    return _GENERIC.fullmatch(name.strip()) is not None and _YEAR.fullmatch(name.strip()) is None


def _unsaid(name: str, said: set[str]) -> str:
    """A path without the beginnings that earlier variables have: what stands over many is said once."""
    at = 0
    while (end := name.find(".", at)) >= 0 and name[:end] in said:
        at = end + 1
    said.update(name[:i] for i, mark in enumerate(name) if mark == ".")
    return name[at:]


class TableView:
    """A sample of a table's rows by column. Cells are stripped; at most `MAX_COLUMNS` columns.

    `text_lines` is how many lines of text stand around a table of which these are all rows, else 0;
    `loose` is told of a `Table`. `before` is another sample of the same table, under the same header.
    """

    def __init__(
        self,
        header: Sequence[str] | None,
        rows: Sequence[Sequence[str]],
        lexicon: Lexicon,
        context: Sequence[str] = (),
        labels: dict[int, str] | None = None,
        value_labels: dict[int, list[str]] | None = None,
        text_lines: int = 0,
        loose: bool = False,
        before: TableView | None = None,
    ) -> None:
        self.lexicon = lexicon
        if header and all(map(is_generic, header)):
            header = None  # V1 to V9 are as good as no names
        self.rows = len(rows)
        width = max([len(header or ()), *map(len, rows)], default=0)
        self.width = width
        self.context = list(context)[:40]
        self.text_lines = text_lines
        self.loose = loose
        kept = min(width, MAX_COLUMNS)
        by_column = zip(*rows, strict=True) if rows and all(len(row) == width for row in rows) else None
        self.columns = [
            Column(
                j,
                [*map(str.strip, next(by_column))]
                if by_column
                else [row[j].strip() if j < len(row) else "" for row in rows],
                header[j].strip() if header and j < len(header) else None,
                (labels or {}).get(j, ""),
                tuple((value_labels or {}).get(j, ()))[:40],
            )
            for j in range(kept)
        ]
        if before is not None and len(before.columns) == kept:
            self.words = before.words

    @once
    def used(self) -> list[Column]:
        """Columns that hold anything."""
        return [c for c in self.columns if c.counts]

    @once
    def numeric(self) -> list[Column]:
        """Columns of numbers."""
        return [c for c in self.used if c.numeric]

    @once
    def named(self) -> float:
        """Share of columns whose name says something."""
        if not self.columns:
            return 0.0
        said = sum(1 for c in self.columns if c.label or (c.name and not is_generic(c.name)))
        return said / len(self.columns)

    @once
    def layout(self) -> str:
        """One letter for each column: (b)lank, (d)ate, (n)umber, (t)ext. "" below `LEAST_LAYOUT` columns,
        which so many tables have alike that it would tell nothing."""
        if self.width < LEAST_LAYOUT:
            return ""
        return "".join(
            "b" if not c.counts else "n" if c.numeric else "d" if c.dates else "t" for c in self.columns
        )

    @once
    def words(self) -> list[list[Word]]:
        """By column: what its name and label speak of."""
        match = self.lexicon.match
        out = []
        said: set[str] = set()
        for c in self.columns:
            name = _unsaid(c.name, said) if self.loose and c.name else c.name
            found = match(name) if name and not is_generic(name) else []
            if c.label and c.label != c.name:
                found = found + match(c.label)
            out.append(found)
        return out

    @once
    def cell_concepts(self) -> list[dict[str, float]]:
        """By column: the share of filled cells that are words of each concept."""
        colours = frozenset(self.lexicon.context["colour"])
        return [self._concepts(c, colours) for c in self.columns]

    def _concepts(self, c: Column, colours: frozenset[str]) -> dict[str, float]:
        known = self.lexicon.cells
        found: dict[str, float] = {}
        for text in c.value_labels:
            for concept in known.get(text.strip().lower(), ()):
                found[concept] = found.get(concept, 0.0) + 1.0 / len(c.value_labels)
        if not c.textual or c.distinct > 120:
            return found
        total = c.filled
        painted = colours.intersection(map(str.lower, c.counts))
        if len(painted) >= SEVERAL_COLOURS:  # "black" and "green" speak of nobody here
            known = {
                word: () if word in colours else known.get(word, ()) for word in map(str.lower, c.counts)
            }
        for text, times in c.counts.items():
            for concept in known.get(text.lower(), ()) if len(text) < 40 else ():
                found[concept] = found.get(concept, 0.0) + times / total
        return found

    @once
    def coded(self) -> list[Column]:
        """Columns of categories (at least two), lowest cardinality first."""
        found = [c for c in self.used if c.coded and c.kinds >= 2]
        return sorted(found, key=lambda c: (c.kinds, c.position))
