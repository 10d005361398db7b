"""R's serialisation ("R Internals", chapter on serialization formats), versions 2 and 3, XDR and native.

Turns the bytes into plain objects with attributes. Nothing is evaluated; functions and environments
are walked past. Memory is bounded by what vectors say they hold.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from detectors.engine.table import Budget, Unreadable
from detectors.engine.verdict import Reason

MAX_MEMORY = 224 * 1024**2
MAX_DEPTH = 150
NA_INTEGER = -(2**31)

NIL, SYMBOL, PAIRS, CLOSURE, ENVIRONMENT, PROMISE, LANGUAGE = 0, 1, 2, 3, 4, 5, 6
SPECIAL, BUILTIN, CHARACTERS, LOGICAL, INTEGER, REAL, COMPLEX = 7, 8, 9, 10, 13, 14, 15
STRINGS, DOTS, LIST, EXPRESSION, BYTECODE, POINTER, WEAK, RAW, S4 = 16, 17, 19, 20, 21, 22, 23, 24, 25
ALTREP, ATTRIBUTED_PAIRS, ATTRIBUTED_LANGUAGE, REPEATED, REPEAT = 238, 239, 240, 243, 244
PERSISTENT, PACKAGE, NAMESPACE, REFERENCE = 247, 248, 249, 255
_CONSTANTS = frozenset({0, 241, 242, 250, 251, 252, 253, 254})


@dataclass(slots=True)
class RObject:
    """One R value: `kind` is its type number, `values` what it holds, `attributes` by name."""

    kind: int
    values: array[int] | array[float] | list[str | None] | list[RObject] | None = None
    attributes: dict[str, RObject] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    """Tags of a pair list."""

    def strings(self) -> list[str]:
        """The values of a character vector; empty for any other."""
        if self.kind != STRINGS or self.values is None:
            return []
        return [value if isinstance(value, str) else "" for value in self.values]

    def attribute(self, name: str) -> list[str]:
        """The strings of an attribute, such as `names` or `class`."""
        found = self.attributes.get(name)
        return found.strings() if found is not None else []

    def objects(self) -> list[RObject]:
        """The members of a list or pair list."""
        values = self.values if isinstance(self.values, list) else []
        return [value for value in values if isinstance(value, RObject)]

    def __len__(self) -> int:
        return len(self.values) if self.values is not None else 0


class RReader:
    """Reads one serialised object from a stream that stands at its start."""

    def __init__(self, stream: BinaryIO, budget: Budget) -> None:
        self._stream, self._budget = stream, budget
        self._seen: list[RObject] = []
        self._texts: dict[bytes, str] = {}
        self._memory = 0
        self._swap = False
        self._int = struct.Struct(">i")
        self._readers: dict[int, Callable[[int, int], RObject]] = {
            LOGICAL: self._numbers,
            INTEGER: self._numbers,
            REAL: self._numbers,
            COMPLEX: self._numbers,
            STRINGS: self._strings,
            LIST: self._list,
            EXPRESSION: self._list,
            RAW: self._raw,
            CHARACTERS: self._characters,
            SYMBOL: self._symbol,
            ENVIRONMENT: self._environment,
            POINTER: self._pointer,
            WEAK: self._pointer,
            SPECIAL: self._builtin,
            BUILTIN: self._builtin,
            BYTECODE: self._bytecode,
            ALTREP: self._altrep,
            PERSISTENT: self._names_of_place,
            PACKAGE: self._names_of_place,
            NAMESPACE: self._names_of_place,
            S4: lambda flags, depth: RObject(S4),
        }

    def read(self) -> RObject:
        """The object; raises `Unreadable` where the bytes break the format or a limit."""
        magic = self._take(2)
        if magic == b"B\n":
            self._int = struct.Struct("<i")
        elif magic != b"X\n":
            raise Unreadable(Reason.UNSUPPORTED)
        self._swap = (magic == b"X\n") == (sys.byteorder == "little")
        version = self._integer()
        self._take(8)
        if version == 3:
            self._take(self._length())
        elif version != 2:
            raise Unreadable(Reason.UNSUPPORTED)
        return self._item(0)

    def _take(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) != count:
            raise Unreadable(Reason.MALFORMED)
        return data

    def _integer(self) -> int:
        return int(self._int.unpack(self._take(4))[0])

    def _length(self) -> int:
        length = self._integer()
        if length == -1:
            length = (self._integer() << 32) + (self._integer() & 0xFFFFFFFF)
        if length < 0:
            raise Unreadable(Reason.MALFORMED)
        return length

    def _remember(self, count: int) -> None:
        self._memory += count
        if self._memory > MAX_MEMORY:
            raise Unreadable(Reason.LIMIT_MEMORY)

    def _item(self, depth: int) -> RObject:
        if depth > MAX_DEPTH:
            raise Unreadable(Reason.LIMIT_DEPTH)
        self._remember(64)
        flags = self._integer()
        kind = flags & 0xFF
        if kind in _CONSTANTS:
            return RObject(NIL)
        if kind == REFERENCE:
            index = (flags >> 8) or self._integer()
            if not 0 < index <= len(self._seen):
                raise Unreadable(Reason.MALFORMED)
            return self._seen[index - 1]
        if kind in (PAIRS, LANGUAGE, CLOSURE, PROMISE, DOTS):
            return self._pairs(flags, depth)
        reader = self._readers.get(kind)
        if reader is None:
            raise Unreadable(Reason.MALFORMED)
        found = reader(flags, depth)
        if flags & 0x200 and kind not in (CHARACTERS, ENVIRONMENT, ALTREP, SYMBOL):
            self._attributes(found, depth)
        elif flags & 0x200 and kind == CHARACTERS:
            self._item(depth + 1)
        return found

    def _attributes(self, owner: RObject, depth: int) -> None:
        pairs = self._item(depth + 1)
        owner.attributes = dict(zip(pairs.names, pairs.objects(), strict=False))

    def _pairs(self, flags: int, depth: int) -> RObject:
        """A pair list, cell after cell; a function's parts are read as if they were one."""
        kind = flags & 0xFF
        found = RObject(kind)
        members: list[RObject] = []
        while True:
            if flags & 0x200:
                attributes = self._item(depth + 1)
                if not members:
                    found.attributes = dict(zip(attributes.names, attributes.objects(), strict=False))
            tag = self._item(depth + 1) if flags & 0x400 else RObject(NIL)
            names = tag.strings()
            members.append(self._item(depth + 1))
            found.names.append(names[0] if names else "")
            self._remember(64)
            flags = self._integer()
            kind = flags & 0xFF
            if kind in _CONSTANTS:
                break
            if kind not in (PAIRS, LANGUAGE, DOTS):
                members.append(self._again(flags, depth))
                found.names.append("")
                break
        found.values = members
        return found

    def _again(self, flags: int, depth: int) -> RObject:
        """An item whose flags were read already."""
        if flags & 0xFF == REFERENCE:
            index = (flags >> 8) or self._integer()
            if not 0 < index <= len(self._seen):
                raise Unreadable(Reason.MALFORMED)
            return self._seen[index - 1]
        if flags & 0xFF in (CLOSURE, PROMISE):
            return self._pairs(flags, depth + 1)
        reader = self._readers.get(flags & 0xFF)
        if reader is None:
            raise Unreadable(Reason.MALFORMED)
        found = reader(flags, depth + 1)
        if flags & 0x200 and flags & 0xFF not in (CHARACTERS, ENVIRONMENT, ALTREP, SYMBOL):
            self._attributes(found, depth + 1)
        return found

    def _numbers(self, flags: int, depth: int) -> RObject:
        kind = flags & 0xFF
        count = self._length() * (2 if kind == COMPLEX else 1)
        values: array[int] | array[float] = array("d" if kind in (REAL, COMPLEX) else "i")
        self._remember(count * values.itemsize)
        left = count * values.itemsize
        while left:
            part = self._take(min(left, 1 << 20))
            self._budget.expand(len(part))
            values.frombytes(part)
            left -= len(part)
        if self._swap:
            values.byteswap()
        return RObject(kind, values)

    def _strings(self, flags: int, depth: int) -> RObject:
        count = self._length()
        self._remember(count * 8)
        values: list[str | None] = []
        for _ in range(count):
            flags = self._integer()
            if flags & 0xFF != CHARACTERS:
                raise Unreadable(Reason.MALFORMED)
            values.append(self._text())
        return RObject(STRINGS, values)

    def _text(self) -> str | None:
        length = self._integer()
        if length == -1:
            return None
        if not 0 <= length <= 1 << 26:
            raise Unreadable(Reason.LIMIT_CELL)
        raw = self._take(length)
        found = self._texts.get(raw)
        if found is None:
            self._remember(2 * length + 120)
            try:
                found = raw.decode()
            except UnicodeDecodeError:
                found = raw.decode("cp1252", "replace")
            self._texts[raw] = found
        self._budget.expand(length)
        return found

    def _characters(self, flags: int, depth: int) -> RObject:
        return RObject(STRINGS, [self._text()])

    def _symbol(self, flags: int, depth: int) -> RObject:
        found = self._item(depth + 1)
        self._seen.append(found)
        return found

    def _list(self, flags: int, depth: int) -> RObject:
        count = self._length()
        self._remember(count * 8)
        found = RObject(LIST)
        found.values = [self._item(depth + 1) for _ in range(count)]
        return found

    def _raw(self, flags: int, depth: int) -> RObject:
        left = self._length()
        while left:
            left -= len(self._take(min(left, 1 << 20)))
        return RObject(RAW)

    def _environment(self, flags: int, depth: int) -> RObject:
        found = RObject(ENVIRONMENT)
        self._seen.append(found)
        self._integer()
        found.values = [self._item(depth + 1) for _ in range(4)]
        return found

    def _pointer(self, flags: int, depth: int) -> RObject:
        found = RObject(POINTER)
        self._seen.append(found)
        if flags & 0xFF == POINTER:
            self._item(depth + 1)
            self._item(depth + 1)
        return found

    def _builtin(self, flags: int, depth: int) -> RObject:
        self._take(self._length())
        return RObject(NIL)

    def _names_of_place(self, flags: int, depth: int) -> RObject:
        self._integer()
        for _ in range(self._length()):
            self._item(depth + 1)
        found = RObject(ENVIRONMENT)
        self._seen.append(found)
        return found

    def _altrep(self, flags: int, depth: int) -> RObject:
        """A vector in a compact form: a sequence, numbers as text yet to be made, or a wrapper."""
        about, state = self._item(depth + 1), self._item(depth + 1)
        attributes = self._item(depth + 1)
        names = about.objects()
        form = names[0].strings()[:1] if names else []
        found = _expanded(form[0] if form else "", state)
        if found is None:
            raise Unreadable(Reason.UNSUPPORTED)
        self._remember(8 * len(found))
        found.attributes |= dict(zip(attributes.names, attributes.objects(), strict=False))
        return found

    def _bytecode(self, flags: int, depth: int) -> RObject:
        self._integer()
        self._code(depth + 1)
        return RObject(NIL)

    def _code(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise Unreadable(Reason.LIMIT_DEPTH)
        self._item(depth + 1)
        for _ in range(self._length()):
            kind = self._integer()
            if kind == BYTECODE:
                self._code(depth + 1)
            else:
                self._code_constant(kind, depth + 1)

    def _code_constant(self, kind: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise Unreadable(Reason.LIMIT_DEPTH)
        if kind == REPEATED:
            self._integer()
            return
        if kind == REPEAT:
            self._integer()
            kind = self._integer()
        if kind in (LANGUAGE, PAIRS, ATTRIBUTED_LANGUAGE, ATTRIBUTED_PAIRS):
            if kind in (ATTRIBUTED_LANGUAGE, ATTRIBUTED_PAIRS):
                self._item(depth + 1)
            self._item(depth + 1)
            self._code_constant(self._integer(), depth + 1)
            self._code_constant(self._integer(), depth + 1)
        else:
            self._item(depth + 1)


def _expanded(form: str, state: RObject) -> RObject | None:
    members = state.objects()
    if form.startswith("wrap_") and members:
        return members[0]
    if form in ("compact_intseq", "compact_realseq") and state.kind in (REAL, INTEGER) and len(state) == 3:
        count, first, step = (float(x) for x in state.values or () if isinstance(x, int | float))
        if not 0 <= count <= 50_000_000:
            raise Unreadable(Reason.LIMIT_MEMORY)
        whole = array("d", (first + i * step for i in range(int(count))))
        return RObject(REAL, whole)
    if form == "deferred_string" and members:
        texts: list[str | None] = [f"{x:.15g}" for x in members[0].values or () if isinstance(x, int | float)]
        return RObject(STRINGS, texts)
    return None
