"""dBase tables (dBase III to 7, FoxPro, Clipper), as geographic and old statistical programs write them.

A header of fixed-width fields, then records; deleted ones are only marked, so they are read as well. Memos
lie in a file beside it. After the description "Xbase File Format" by E. Bachmann and the FoxPro 2.6 manual.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from detectors.engine.streams import chunks_of, read_at
from detectors.engine.table import Content, ReadLimits, Row, Table, Unreadable
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/x-dbf"})

_HEAD = 32
_JULIAN = 1_721_425
"""The julian day number before the first day of `date.fromordinal`."""
_CODECS = {0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x04: "mac_roman", 0x64: "cp852", 0xC8: "cp1250",
           0xC9: "cp1251", 0xCB: "cp1253"}  # fmt: skip
"""Language drivers -> code pages; without one, UTF-8 or Windows-1252."""


@dataclass(frozen=True, slots=True)
class Field:
    """One variable: its name, and where in a record its bytes are."""

    name: str
    kind: str
    first: int
    last: int


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield the one table of the file."""
    head = read_at(stream, 0, _HEAD)
    if len(head) < _HEAD:
        raise Unreadable(Reason.MALFORMED)
    count, start, length = struct.unpack_from("<IHH", head, 4)
    codec = _CODECS.get(head[29], "")
    fields = _fields(stream, head[0], start, limits)
    if not fields or length < 2 or fields[-1].last > length:
        raise Unreadable(Reason.MALFORMED)
    header = [field.name for field in fields]
    yield Table(header, _rows(stream, start, length, count, fields, codec), rows_total=count)


def _fields(stream: BinaryIO, version: int, start: int, limits: ReadLimits) -> list[Field]:
    """The variables, in order. Level 7 has longer names in larger descriptors."""
    at, size, named, sized = (68, 48, 32, 33) if version & 7 == 4 else (_HEAD, 32, 11, 16)
    described = read_at(stream, at, max(0, start - at))
    found: list[Field] = []
    place = 1
    for i in range(0, len(described) - size + 1, size):
        one = described[i : i + size]
        if one[:1] in (b"\r", b"\0"):
            break
        if len(found) >= limits.max_columns:
            raise Unreadable(Reason.LIMIT_COLUMNS)
        name, kind, width = one[:named].partition(b"\0")[0], chr(one[named]), one[sized]
        if kind == "C" and size == 32:  # Clipper and FoxPro: texts of more than 255 bytes
            width += 256 * one[sized + 1]
        found.append(Field(_text(name, ""), kind, place, place + width))
        place += width
    return found


def _rows(
    stream: BinaryIO, start: int, length: int, count: int, fields: list[Field], codec: str
) -> Iterator[Row]:
    """Records to the end of the file, whatever their count says; fewer than it says are a fault."""
    held = b""
    read = 0
    for chunk in chunks_of(stream, start, None):
        held += chunk
        at = 0
        while len(held) - at >= length:
            yield [_cell(f.kind, held[at + f.first : at + f.last], codec) for f in fields]
            at += length
            read += 1
        held = held[at:]
    if read < count:
        raise Unreadable(Reason.MALFORMED)


def _cell(kind: str, data: bytes, codec: str) -> str:
    as_text = _BINARY.get(kind)
    if as_text is not None:
        return as_text(data)
    text = _text(data, codec).strip(" \0")
    if kind == "D" and len(text) == 8 and text.isdecimal():
        return f"{text[:4]}-{text[4:6]}-{text[6:]}"
    return "" if kind == "L" and text == "?" else text


def _text(data: bytes, codec: str) -> str:
    if codec:
        return data.decode(codec, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _memo(_: bytes) -> str:
    """A place in the file of memos, which says nothing of anybody."""
    return ""


def _number(form: str, per: int = 1) -> Callable[[bytes], str]:
    def written(data: bytes) -> str:
        if len(data) != struct.calcsize(form):
            return _text(data, "").strip(" \0")
        (value,) = struct.unpack(form, data)
        return f"{value / per:.15g}" if per != 1 or isinstance(value, float) else str(value)

    return written


def _moment(data: bytes) -> str:
    """A julian day number and milliseconds since midnight."""
    if len(data) != 8:
        return _text(data, "").strip(" \0")
    day, thousandths = struct.unpack("<iI", data)
    ordinal = day - _JULIAN
    if not 1 <= ordinal <= date.max.toordinal():
        return ""
    seconds = thousandths // 1000
    clock = f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{date.fromordinal(ordinal).isoformat()} {clock}"


_BINARY: dict[str, Callable[[bytes], str]] = {
    "I": _number("<i"),
    "+": _number(">I"),
    "B": _number("<d"),
    "O": _number("<d"),
    "Y": _number("<q", 10_000),
    "T": _moment,
    "@": _moment,
    "M": _memo,
    "G": _memo,
    "P": _memo,
    "0": _memo,
}
