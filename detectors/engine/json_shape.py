"""The shape of a JSON document: a tree of the places in it, and which of them hold tables.

Built from parser events, so that a document of any size costs memory only for its distinct places.
Members of objects that are used as lists (many objects, or numbers as keys) count as one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

ELEMENT, ANY_KEY = "[]", "{}"
MAX_NAMED_OBJECTS = 8
MAX_NAMED = 4096
MAX_PLACES = 50_000
COLUMN_SHARE = 0.5
LEAST_KEYED = 10
MOST_OF_A_PAIR = 6
NAMES = (
    "displayname",
    "label",
    "question",
    "name",
    "variable",
    "field",
    "key",
    "code",
    "attribute",
    "concept",
    "linkid",
)
VALUES = ("value", "answer", "val", "text", "response")


class Place:
    """One place: the members it has, and how often which kind of value stood here."""

    __slots__ = ("arrays", "label", "members", "named_objects", "objects", "parent", "scalars")

    def __init__(self, label: str, parent: Place | None) -> None:
        self.label, self.parent = label, parent
        self.members: dict[str, Place] = {}
        self.objects = self.arrays = self.scalars = self.named_objects = 0

    def path(self, above: Place | None = None) -> str:
        """Dotted names from below `above` down to here; list steps have no name."""
        names: list[str] = []
        place: Place | None = self
        while place is not None and place is not above:
            if place.label not in (ELEMENT, ANY_KEY, ""):
                names.append(place.label)
            place = place.parent
        return ".".join(reversed(names))


class Kind(Enum):
    """How a table is laid out."""

    RECORDS = "records"
    ROWS = "rows"
    COLUMNS = "columns"


@dataclass(slots=True)
class Target:
    """A place that holds a table: its elements are the records, its rows, or its columns."""

    kind: Kind
    place: Place
    records: int
    variables: int


class Shape:
    """The tree of places of one document."""

    def __init__(self) -> None:
        self.root = Place("", None)
        self._places = 1

    def member(self, place: Place, key: str, is_object: bool) -> Place:
        """The place of one member, made when it is new."""
        found = place.members.get(key)
        if found is not None:
            return found
        if key != ELEMENT and (key.isdecimal() or self._is_listlike(place, is_object)):
            key = ANY_KEY
            found = place.members.get(key)
            if found is not None:
                return found
        found = place.members[key] = Place(key, place)
        self._places += 1
        place.named_objects += is_object and key not in (ELEMENT, ANY_KEY)
        return found

    def _is_listlike(self, place: Place, is_object: bool) -> bool:
        if is_object and place.named_objects >= MAX_NAMED_OBJECTS:
            return True
        return len(place.members) >= MAX_NAMED or self._places >= MAX_PLACES

    def places(self) -> Iterator[Place]:
        """All places, outer ones first."""
        waiting = [self.root]
        while waiting:
            place = waiting.pop()
            yield place
            waiting.extend(place.members.values())

    def targets(self) -> list[Target]:
        """Every table, the largest first."""
        found = [target for place in self.places() if (target := target_at(place)) is not None]
        return sorted(found, key=lambda target: -target.records * min(target.variables, 50))


def target_at(place: Place) -> Target | None:
    """The table whose records, rows or columns are the members of `place`."""
    columns = columns_of(place)
    if columns:
        return Target(Kind.COLUMNS, place, max(map(_length, columns)), len(columns))
    best: Target | None = None
    for key in (ELEMENT, ANY_KEY):
        element = place.members.get(key)
        if element is None:
            continue
        if element.objects >= 2 and element.members and (best is None or element.objects > best.records):
            best = Target(Kind.RECORDS, place, element.objects, len(element.members))
        cell = element.members.get(ELEMENT)
        if element.arrays >= 2 and cell is not None and cell.scalars >= 2 and best is None:
            best = Target(Kind.ROWS, place, element.arrays, max(1, cell.scalars // element.arrays))
    return best


def columns_of(place: Place) -> list[Place]:
    """The members of `place` that are equally long lists of single values: a table by columns."""
    columns = [m for m in place.members.values() if m.label not in (ELEMENT, ANY_KEY) and _length(m) >= 2]
    if len(columns) < 2 or (place.label == ELEMENT and place.objects > 1):
        return []
    lengths = [_length(column) for column in columns]
    usual = max(set(lengths), key=lengths.count)
    columns = [column for column in columns if _length(column) == usual]
    keyed = [column.members.keys() for column in columns if len(column.members) > 1]
    if keyed and (
        ANY_KEY in place.members
        or len(keyed) < len(columns)
        or usual <= 2 * len(columns)
        or any(k != keyed[0] for k in keyed)
    ):
        return []
    return columns if len(columns) >= 2 and len(columns) >= COLUMN_SHARE * len(place.members) else []


def pair_of(place: Place) -> tuple[str, str] | None:
    """The members of an object in a list that are a variable's name and its value, if it holds both."""
    known = {label.lower(): label for label, member in place.members.items() if _is_single(member)}
    name = next((known[word] for word in NAMES if word in known), None)
    value = next((known[word] for word in VALUES if word in known), None)
    is_pair = place.label == ELEMENT and place.objects > 1 and len(place.members) <= MOST_OF_A_PAIR
    return (name, value) if is_pair and name and value else None


def _is_single(place: Place) -> bool:
    """Whether there is a value here, or nothing but one in a list or an object."""
    while not place.scalars and len(place.members) == 1:
        (place,) = place.members.values()
    return place.scalars > 0 or _are_of_types(place)


def _are_of_types(place: Place) -> bool:
    """Whether the members are one value under a name for each type, as `valueString` and `valueInteger`."""
    return bool(place.members) and all(
        label.startswith("value") and member.scalars for label, member in place.members.items()
    )


def _length(place: Place) -> int:
    """How many single values a list holds, or an object with numbers or many names as keys; 0 for others."""
    if len(place.members) != 1:
        singles = place.objects == 1 and all(
            m.scalars and not (m.objects or m.arrays) for m in place.members.values()
        )
        return len(place.members) if singles and len(place.members) >= LEAST_KEYED else 0
    ((key, element),) = place.members.items()
    single = key in (ELEMENT, ANY_KEY) and not element.objects and not element.arrays
    return element.scalars if single and place.objects + place.arrays == 1 else 0
