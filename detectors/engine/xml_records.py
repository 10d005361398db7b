"""Which elements of an XML document are its records, and each record's values by name.

A record is an element that comes again and again and holds values: attributes and elements with
text only. Values of the elements around a record (a household around its persons) belong to it; elements that
take turns, one of each in every element around them, are parts of one record. A record may also be packed:
one text of always as many values, whose names stand elsewhere in the document. A document whose elements
stand amid text (a page, a manual) has no records but rows of cells.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from detectors.engine.verdict import Reason
from detectors.engine.xml_stream import MAX_DEPTH, local

Path = tuple[str, ...]
MAX_PATHS = 5_000
MAX_RECORD_DEPTH = 48
MAX_VALUES = 20_000
MAX_AROUND = 200
MAX_NAME = 40
MIXED_SHARE = 0.05
LEAST_WHOLE = 3
ONE_EACH, MOST_HAVE = 1.2, 0.5
LEAST_PACKED, LEAST_VALUES = 5, 3
MOST_NAMES = 20_000
_NAMING = ("name", "key", "id", "n", "code", "field", "variable", "var", "column", "concept")
_NAMES = frozenset({*_NAMING, "question", "label", "attribute", "displayname"})
_NAME_ENDS = ("oid", "name", "code", "key")
_VALUES = frozenset({"value", "val", "answer", "response"})
_CELLS = frozenset({"cell", "td", "th", "table-cell", "covered-table-cell"})
MOST_REPEATED = 1_000
MOST_INSIDE = 4
_ROWS = frozenset({"row", "tr", "table-row"})


@dataclass(slots=True)
class Record:
    """One record: its values by name in the order of the document. `positional`: names mean nothing."""

    path: Path
    values: list[tuple[str, str]]
    positional: bool = False

    @property
    def stands_at(self) -> tuple[str, int, str] | None:
        """Row, column and text of a cell that names its place itself."""
        at = {name.lower(): value for name, value in self.values}
        row, column = at.get("row", ""), at.get("col", at.get("column", ""))
        is_cell = self.path[-1].lower() in _CELLS and row.isdecimal() and column.isdecimal()
        return (row, int(column[:9]), at.get(self.path[-1].lower(), "")) if is_cell else None


@dataclass(slots=True)
class _Element:
    name: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)
    has_children: bool = False
    values: list[tuple[str, str]] = field(default_factory=list)


class Survey:
    """Counts, in the beginning of a document, which paths hold values; then names the records' paths."""

    def __init__(self) -> None:
        self._stack: list[str] = []
        self._leaf: list[bool] = []
        self._told: list[bool] = []
        self._inside: list[list[str]] = []
        """The names of what each open element holds: the first few of its attributes and values."""
        self._texts = self._mixed = 0
        self._seen: Counter[Path] = Counter()
        self._values: Counter[Path] = Counter()
        self._packed: dict[Path, list[Counter[int]]] = {}
        self._pairs: Counter[Path] = Counter()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._leaf:
            self._leaf[-1] = False
        self._stack.append(local(tag))
        self._leaf.append(True)
        self._told.append(False)
        self._inside.append([local(name).lower() for name in attributes][:MOST_INSIDE])
        if len(self._stack) > MAX_RECORD_DEPTH:
            return
        path = tuple(self._stack)
        if len(self._seen) < MAX_PATHS or path in self._seen:
            self._seen[path] += 1
            self._values[path] += sum(not _is_naming(name, attributes) for name in attributes)

    def characters(self, data: str) -> None:
        if not self._told or data.isspace():
            return
        self._told[-1] = True
        path = tuple(self._stack)
        if self._seen[path] and self._leaf[-1]:
            counts = self._packed.setdefault(path, [Counter() for _ in _SEPARATORS])
            for separator, often in zip(_SEPARATORS, counts, strict=True):
                often[len(data.split(separator))] += 1

    def end(self, tag: str) -> None:
        if self._told and self._told.pop():
            self._texts += 1
            self._mixed += not self._leaf[-1]
        is_leaf = bool(self._leaf) and self._leaf.pop()
        inside = self._inside.pop() if self._inside else []
        is_pair = _is_pair(inside)
        if (is_leaf or is_pair) and 1 < len(self._stack) <= MAX_RECORD_DEPTH:
            self._values[tuple(self._stack[:-1])] += 1
            self._pairs[tuple(self._stack)] += is_pair
            if len(self._inside[-1]) < MOST_INSIDE:
                self._inside[-1].append(self._stack[-1].lower() if is_leaf else "")
        if self._stack:
            self._stack.pop()

    @property
    def is_document(self) -> bool:
        """Whether elements with text often hold other elements as well: markup of a text, not data."""
        return self._mixed > MIXED_SHARE * self._texts

    def records(self) -> frozenset[Path]:
        """The paths of the elements that are records: at most one on each way down from the root."""
        rows = {
            p
            for p, often in self._seen.items()
            if p[-1].lower() in _ROWS and often >= 2 and self._of_cells(p)
        }
        if rows or self.is_document:
            return frozenset(rows)
        weights = {
            path: often
            for path, often in self._seen.items()
            if often >= 2
            and len(path) > 1
            and self._values[path] >= 1.5 * often
            and 2 * self._pairs[path] < often
        }
        if not weights:
            weights = {p: n for p, n in self._seen.items() if n >= 3 and len(p) > 1 and self._values[p] >= n}
        weights |= {
            path: self._seen[path]
            for path in self.packed()
            if not any(path[:depth] in weights for depth in range(2, len(path)))
        }
        chosen: list[Path] = []
        for path in sorted(weights, key=lambda p: (-weights[p], len(p), p)):
            if not any(_on_one_way(path, other) for other in chosen):
                chosen.append(path)
        return frozenset(self._whole(path, chosen) for path in chosen)

    def packed(self) -> dict[Path, str | None]:
        """The elements whose text is as many values each time, and what parts these (None: blanks)."""
        found: dict[Path, str | None] = {}
        for path, counts in self._packed.items():
            for separator, often in zip(_SEPARATORS, counts, strict=True):
                values, alike = often.most_common(1)[0]
                if values >= LEAST_VALUES and LEAST_PACKED <= alike >= 0.9 * self._seen[path]:
                    found[path] = separator
        return found

    def _whole(self, path: Path, chosen: list[Path]) -> Path:
        """The path, or the outermost element that it and other chosen ones are parts of, one of each."""
        for depth in range(2, len(path)):
            often = self._seen[path[:depth]]
            inside = [other for other in chosen if other[:depth] == path[:depth]]
            parts = {other[depth] for other in inside if self._seen[other] >= MOST_HAVE * often}
            one_each = all(self._seen[other] <= ONE_EACH * often for other in inside)
            if often >= LEAST_WHOLE and len(parts) >= 2 and one_each:
                return path[:depth]
        return path

    def _of_cells(self, row: Path) -> bool:
        return any(path[:-1] == row and path[-1].lower() in _CELLS for path in self._seen)


def _on_one_way(one: Path, other: Path) -> bool:
    short = min(len(one), len(other))
    return one[:short] == other[:short]


def _is_naming(name: str, attributes: Mapping[str, str]) -> bool:
    return len(attributes) == 1 and local(name).lower() in _NAMING


class Collector:
    """Turns tags into `Record`s of the given paths; what is outside them into lines, `named` or not."""

    def __init__(
        self, paths: frozenset[Path], named: bool = True, packed: Mapping[Path, str | None] | None = None
    ) -> None:
        self._named = named
        self._packed = packed or {}
        self._told: dict[Path, list[str]] = {}
        """What the elements are called that have a name, by their path."""
        self._headed: set[Path] = set()
        self.out: deque[Record | str] = deque()
        self.fault: Reason | None = None
        self._paths = paths
        self._stack: list[_Element] = []
        self._names: list[str] = []
        self._of_cells: set[Path] = set()
        self._depth = 0
        """How far down the record under way begins; 0 for none."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self.fault = Reason.LIMIT_DEPTH
        name = local(tag)
        if self._stack:
            self._stack[-1].has_children = True
        self._stack.append(_Element(name, {local(k): v for k, v in attributes.items()}))
        self._names.append(name)
        if not self._depth and tuple(self._names) in self._paths:
            self._depth = len(self._names)
        if self._packed:
            self._heed_name(attributes)

    def _heed_name(self, attributes: Mapping[str, str]) -> None:
        name = next((value for key, value in attributes.items() if _naming(local(key))), None)
        told = self._told.setdefault(tuple(self._names), []) if len(self._told) < MAX_PATHS else []
        if name is not None and len(told) < MOST_NAMES:
            told.append(name)

    def characters(self, data: str) -> None:
        if self._stack and not (self._stack[-1].has_children and data.isspace()):
            self._stack[-1].text.append(data)

    def end(self, tag: str) -> None:
        if not self._stack:
            return
        element = self._stack.pop()
        path = tuple(self._names)
        self._names.pop()
        text = "".join(element.text).strip()
        if self._depth and len(path) == self._depth:
            self._depth = 0
            self._emit(path, element, text)
        elif self._depth:
            self._inside(element, text)
        else:
            self._outside(element, text)

    def _inside(self, element: _Element, text: str) -> None:
        """Hand an element's values to the one around it, within a record."""
        around = self._stack[-1]
        if len(around.values) > MAX_VALUES:
            self.fault = Reason.LIMIT_COLUMNS
            return
        naming = next((v for k, v in element.attributes.items() if _naming(k)), None)
        if not element.has_children and naming is not None and (text or len(element.attributes) == 1):
            around.values.append((naming, text))
            return
        own = [*element.attributes.items(), *element.values]
        if not text and _is_pair([name.lower() for name, _ in own]):
            named = dict((name.lower() in _VALUES, value) for name, value in own)
            around.values.append((named[False], named[True]))
            return
        if element.name.lower() in _CELLS and around.name.lower() in _ROWS:
            around.values.extend(_as_cells(element, text, len(around.values)))
            return
        if text or not (element.has_children or element.attributes):
            around.values.append((element.name, text))
        around.values.extend((f"{element.name}.{name}", value) for name, value in own)

    def _outside(self, element: _Element, text: str) -> None:
        """A value that stands around records is a line, and part of the records that follow beside it."""
        if not self._named:
            self.out.extend(value for value in (text, *element.attributes.values()) if value)
            return
        if text:
            # every element has the root around it, and what is longer is no key of a form
            name = f"{self._stack[-1].name}.{element.name}" if len(self._stack) > 1 else element.name
            self.out.append(f"{name if len(name) <= MAX_NAME else element.name}: {text}")
        self.out.extend(f"{element.name}.{name}: {value}" for name, value in element.attributes.items())
        if text and not element.has_children and self._stack and len(self._stack[-1].values) < MAX_AROUND:
            self._stack[-1].values.append((element.name, text))

    def _emit(self, path: Path, element: _Element, text: str) -> None:
        values = [*element.attributes.items(), *element.values]
        if path in self._packed and text and not element.values:
            self._unpack(path, values, text.split(self._packed[path]))
            return
        if text:
            values.append((element.name, text))
        if element.name.lower() in _ROWS and _cells_only(element.values):
            self._of_cells.add(path)
        if path in self._of_cells and all(name.lower() in _CELLS for name, _ in element.values):
            while element.values and not element.values[-1][1]:
                element.values.pop()
            self.out.append(Record(path, element.values, positional=True))
            return
        if len(values) >= LEAST_VALUES and not element.attributes and len({name for name, _ in values}) == 1:
            self.out.append(Record(path, values, positional=True))
            return
        around = [
            (f"{outer.name}.{name}", value)
            for outer in self._stack
            for name, value in (*outer.attributes.items(), *outer.values)
        ]
        self.out.append(Record(path, around[:MAX_AROUND] + values))

    def _unpack(self, path: Path, values: list[tuple[str, str]], texts: list[str]) -> None:
        """The values of a packed record; before the first one the names that are just as many, if any are."""
        if path not in self._headed:
            self._headed.add(path)
            names = next((told for told in self._told.values() if len(told) == len(texts)), None)
            if names is not None:
                header = [*((name, name) for name, _ in values), *((name, name) for name in names)]
                self.out.append(Record(path, header, positional=True))
        unpacked = [*values, *((path[-1], text.strip()) for text in texts)]
        self.out.append(Record(path, unpacked, positional=True))


_SEPARATORS = (None, ",", ";", "\t", "|")
_TEXTS = _CELLS | {"data", "p", "v"}
"""What holds the text of a cell."""


def _is_pair(names: list[str]) -> bool:
    """Whether what has these in it is one variable's name with its value."""
    return len(names) == 2 and any(
        b in _VALUES and (a in _NAMES or a.endswith(_NAME_ENDS)) for a, b in (names, names[::-1])
    )


def _as_cells(cell: _Element, text: str, before: int) -> list[tuple[str, str]]:
    """A cell with what it holds, behind the blank ones that it passes over, as often as it says.

    Excel counts cells by `Index`, from 1; OpenDocument repeats one.
    """
    own = [value for name, value in cell.values if name.rpartition(".")[2].lower() in _TEXTS and value]
    if not (text or own) and "value" in cell.attributes:
        own = [cell.attributes["value"]]
    index = cell.attributes.get("Index", "")
    passed = int(index) - 1 - before if index.isdecimal() and len(index) < 5 else 0
    often = cell.attributes.get("number-columns-repeated", "1")
    times = min(int(often), MOST_REPEATED) if often.isdecimal() and len(often) < 9 else 1
    return [(cell.name, "")] * passed + [(cell.name, " ".join(filter(None, (text, *own))))] * times


def _cells_only(values: list[tuple[str, str]]) -> bool:
    return bool(values) and all(name.split(".")[0].lower() in _CELLS for name, _ in values)


def _naming(name: str) -> bool:
    return name.lower() in _NAMING
