"""The members of a zip file, out of its central directory and its local headers.

Both are read because neither alone can be trusted: an entry may be missing from the directory, or
be described otherwise there than where it lies. Format: PKWARE APPNOTE 6.3.10. Lazy: a directory of
a million entries costs no more than is taken of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from detectors.engine.streams import chunks_of, read_at, size_of, unpacked, window
from detectors.engine.table import Budget, Unreadable
from detectors.engine.unpack import ZIP_METHODS
from detectors.engine.verdict import Reason

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END64, LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
ENCRYPTED, DESCRIPTOR, STRONG, MASKED = 0x1, 0x8, 0x40, 0x2000
STORED, AES = 0, 99
MAX_NAME = 1024

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(slots=True)
class Entry:
    """One member. `start` is where its header lies, `length` how many packed bytes it has."""

    untrusted_name: str
    flags: int
    method: int
    length: int
    size: int
    start: int
    extra: bytes
    listed: bool
    data: int = -1
    """Where its packed bytes begin; -1 until the local header was read."""

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & (ENCRYPTED | MASKED))


@dataclass(slots=True)
class _Directory:
    start: int
    length: int
    shift: int
    entries: int


def entries(stream: BinaryIO, budget: Budget) -> Iterator[Entry]:
    """Every member, listed ones first; raises `Unreadable` after the last one if the zip is broken."""
    size = size_of(stream)
    directory = _directory(stream, size)
    if directory is None:
        yield from _hidden(stream, 0, size, budget)
        raise Unreadable(Reason.MALFORMED)
    covered: list[tuple[int, int]] = []
    for entry in _listed(stream, directory):
        budget.enter()
        local = _locate(stream, entry)
        if local is not None:
            covered.append((entry.start, entry.data + entry.length))
        yield entry
        if local is not None and _differs(entry, local):
            budget.enter()
            yield local
    position = 0
    for first, last in sorted(covered):
        if first - position >= _LOCAL.size:
            yield from _hidden(stream, position, first, budget)
        position = max(position, last)
    if directory.start - position >= _LOCAL.size:
        yield from _hidden(stream, position, directory.start, budget)


def _directory(stream: BinaryIO, size: int) -> _Directory | None:
    reach = min(size, 65_535 + _END.size)
    tail = read_at(stream, size - reach, reach)
    at = tail.rfind(END)
    while at >= 0 and len(tail) - at < _END.size:
        at = tail.rfind(END, 0, at)
    if at < 0:
        return None
    _, _, _, _, count, length, offset, _ = _END.unpack_from(tail, at)
    end = size - reach + at
    locator = read_at(stream, end - 20, 20) if end >= 20 else b""
    if locator[:4] == LOCATOR64 and len(locator) == 20:
        at64 = int.from_bytes(locator[8:16], "little")
        for place in (at64, end - 20 - _END64.size):
            record = read_at(stream, place, _END64.size) if 0 <= place < size else b""
            if record[:4] == END64 and len(record) == _END64.size:
                *_, count, length, offset = _END64.unpack(record)
                end = place
                break
    start = end - length
    if start < 0 or (count and read_at(stream, start, 4) != CENTRAL):
        return None
    return _Directory(start, length, start - offset, count)


def _listed(stream: BinaryIO, directory: _Directory) -> Iterator[Entry]:
    position, end = directory.start, directory.start + directory.length
    while position + _CENTRAL.size <= end:
        head = read_at(stream, position, _CENTRAL.size)
        if len(head) < _CENTRAL.size or head[:4] != CENTRAL:
            break
        fields = _CENTRAL.unpack(head)
        flags, method = fields[3], fields[4]
        length, size, name_length, extra_length, comment_length = fields[8:13]
        start = fields[16]
        rest = read_at(stream, position + _CENTRAL.size, name_length + extra_length)
        extra = rest[name_length:]
        size, length, start = _wide(extra, (size, length, start))
        yield Entry(
            _name(rest[:name_length]), flags, method, length, size, start + directory.shift, extra, True
        )
        position += _CENTRAL.size + name_length + extra_length + comment_length
    if position != end:
        raise Unreadable(Reason.MALFORMED)


def _name(raw: bytes) -> str:
    return raw[:MAX_NAME].decode("utf-8", "replace")


def extra_field(extra: bytes, wanted: int) -> bytes | None:
    """The data of one extra field."""
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, position)
        if tag == wanted:
            return extra[position + 4 : position + 4 + length]
        position += 4 + length
    return None


def _wide(extra: bytes, values: tuple[int, int, int]) -> tuple[int, int, int]:
    """Sizes and offset with the ZIP64 extra field applied: only what is all ones is in it."""
    field = extra_field(extra, 1)
    if field is None:
        return values
    result, position = list(values), 0
    for i, value in enumerate(values):
        if value == 0xFFFFFFFF and position + 8 <= len(field):
            result[i] = int.from_bytes(field[position : position + 8], "little")
            position += 8
    return result[0], result[1], result[2]


def _local(stream: BinaryIO, start: int) -> Entry | None:
    head = read_at(stream, start, _LOCAL.size) if start >= 0 else b""
    if len(head) < _LOCAL.size or head[:4] != LOCAL:
        return None
    _, _, flags, method, _, _, _, length, size, name_length, extra_length = _LOCAL.unpack(head)
    rest = read_at(stream, start + _LOCAL.size, name_length + extra_length)
    extra = rest[name_length:]
    size, length, _ = _wide(extra, (size, length, 0))
    data = start + _LOCAL.size + name_length + extra_length
    return Entry(_name(rest[:name_length]), flags, method, length, size, start, extra, False, data)


def _locate(stream: BinaryIO, entry: Entry) -> Entry | None:
    """Find where the member's data begin; gives the local description of it."""
    local = _local(stream, entry.start)
    if local is not None:
        entry.data = local.data
    return local


def _differs(entry: Entry, local: Entry) -> bool:
    """Whether the member is described in two ways, so that programs may disagree what it is."""
    if (entry.method, entry.encrypted) != (local.method, local.encrypted):
        return True
    if local.flags & DESCRIPTOR and not local.length:
        return False
    return local.length != entry.length


def _hidden(stream: BinaryIO, position: int, end: int, budget: Budget) -> Iterator[Entry]:
    """Members by their local headers alone, between two places."""
    while True:
        start = _find(stream, LOCAL, position, end)
        if start is None:
            return
        entry = _local(stream, start)
        if entry is None or entry.data > end or entry.method > AES:
            position = start + 4
            continue
        if entry.flags & DESCRIPTOR and not entry.length:
            following = _find(stream, LOCAL, entry.data, end)
            entry.length = (end if following is None else following) - entry.data
        entry.length = min(entry.length, end - entry.data)
        budget.enter()
        yield entry
        position = entry.data + entry.length


def _find(stream: BinaryIO, mark: bytes, position: int, end: int) -> int | None:
    carried = b""
    for chunk in chunks_of(stream, position, max(0, end - position)):
        block = carried + chunk
        at = block.find(mark)
        if at >= 0:
            return position - len(carried) + at
        position += len(chunk)
        carried = block[-len(mark) + 1 :]
    return None


def open_entry(stream: BinaryIO, entry: Entry, budget: Budget) -> BinaryIO:
    """The member's content, unpacked. Reading it raises `Unreadable` where it is broken."""
    if entry.data < 0:
        raise Unreadable(Reason.MALFORMED)
    if entry.method == STORED:
        return window(stream, entry.data, entry.length)
    unpack = ZIP_METHODS.get(entry.method)
    if unpack is None:
        raise Unreadable(Reason.UNSUPPORTED)
    return unpacked(lambda: unpack(chunks_of(stream, entry.data, entry.length)), budget)
