"""The values of records in JSON, put into columns that are found as they come.

Nested values have columns of their own, and values of one list are joined. Objects in a list within a record
that hold a variable's name and its value are a column under that name.
"""

from __future__ import annotations

from detectors.engine.json_shape import ANY_KEY, ELEMENT, Place, pair_of
from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason

MAX_LIST_CHARS = 400
MOST_PAIRS = 1_000
MOST_DEEP = 3
KEY, LEAST_KEY = "key", 7
"""What the key of a record in an object is called; shorter numbers only count on."""


class Fields:
    """Takes the steps of a document record by record; `row` is the one under way."""

    def __init__(self, most: int) -> None:
        self.header: list[str] = []
        self.row: list[str] = []
        self._most = most
        self._columns: dict[Place | str, int] = {}
        self._element: Place | None = None
        self._pairs: dict[Place, tuple[str, str] | None] = {}
        self._pair: Place | None = None
        self._held: dict[str, str] = {}

    def begin(self, element: Place, key: str) -> None:
        """The next record, which may have a key of its own."""
        self._element, self._pair, self.row = element, None, [""] * len(self.header)
        if key and not (key.isdecimal() and len(key) < LEAST_KEY):
            self._put(KEY, key, False)

    def heed(self, place: Place, what: str, text: str) -> None:
        """One step within the record."""
        if what == "value":
            if self._pair is not None and (part := _part_of(place, self._pair)) is not None:
                self._held.setdefault(part.label, text)
            else:
                self._put(place, text, place.label in (ELEMENT, ANY_KEY))
        elif place.label == ELEMENT:
            if what == "begin":
                if place not in self._pairs:
                    self._pairs[place] = pair_of(place)
                if self._pairs[place] is not None:
                    self._pair, self._held = place, {}
            elif place is self._pair:
                self._end_pair(place)

    def are_branches(self, above: Place) -> bool:
        """Whether values lie deeper than their record's own values and the lists among them."""
        return any(isinstance(at, Place) and _is_branch(at, above) for at in self._columns)

    def _end_pair(self, place: Place) -> None:
        self._pair = None
        name, value = (self._held.get(label, "") for label in self._pairs[place] or ("", ""))
        if name not in self._columns and len(self._columns) >= MOST_PAIRS:
            name = ""
        self._put(name, value, True)

    def _put(self, at: Place | str, text: str, joined: bool) -> None:
        column, row = self._columns.get(at), self.row
        if column is None:
            column = self._columns[at] = len(self.header)
            if column >= self._most:
                raise Unreadable(Reason.LIMIT_COLUMNS)
            self.header.append(at.path(self._element) if isinstance(at, Place) else at)
        if column >= len(row):
            row.extend([""] * (column + 1 - len(row)))
        if not row[column]:
            row[column] = text
        elif text and joined and len(row[column]) < MAX_LIST_CHARS:
            row[column] += "; " + text


def _part_of(place: Place, pair: Place) -> Place | None:
    """The member of an object that a value stands in; None if it stands elsewhere."""
    for _ in range(MOST_DEEP):
        if place.parent is None or place.parent is pair:
            break
        place = place.parent
    return place if place.parent is pair else None


def _is_branch(place: Place, above: Place) -> bool:
    """Whether a value lies deeper than its record's own values and the lists among them."""
    field = place.parent if place.label in (ELEMENT, ANY_KEY) else place
    record = field.parent if field is not None else None
    return record is not None and record.parent is not above
