"""CMS and PKCS #7 that protect nothing: signed, compressed, digested and plain data is handed on unwrapped.

Enveloped data never comes here: `engine.protection` has recognised it before. Format: RFC 5652 and
RFC 3274 in BER, whose lengths may be indefinite and whose strings may come in pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from detectors.engine.protection import unpem
from detectors.engine.streams import chunks_of, read_at, size_of, unpacked
from detectors.engine.table import Content, Part, ReadLimits, Unreadable
from detectors.engine.unpack import inflated
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/pkcs7-mime"})
MAX_DEPTH = 12
MAX_VALUES = 1_000_000
_SEQUENCE, _STRING, _PIECES, _OID, _EXPLICIT, _END = 0x30, 0x04, 0x24, 0x06, 0xA0, 0x00
_DATA = bytes.fromhex("2a864886f70d010701")
_SIGNED = bytes.fromhex("2a864886f70d010702")
_DIGESTED = bytes.fromhex("2a864886f70d010705")
_COMPRESSED = bytes.fromhex("2a864886f70d0109100109")
_BEFORE_CONTENT = {_SIGNED: 2, _DIGESTED: 2, _COMPRESSED: 2}
"""How many values (version, algorithms) stand before the content."""


@dataclass(slots=True)
class _Value:
    """One BER value: where its content begins, and ends; None while that is not known."""

    tag: int
    start: int
    end: int | None


class _Ber:
    """Values of a stream by position. Counts them, so that no nesting costs more than a bound."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self._size = size_of(stream)
        self._left = MAX_VALUES

    def at(self, position: int) -> _Value:
        """The value whose tag stands at `position`."""
        self._left -= 1
        head = read_at(self.stream, position, 10)
        if self._left < 0:
            raise Unreadable(Reason.LIMIT_ENTRIES)
        if len(head) < 2 or head[0] & 0x1F == 0x1F:
            raise Unreadable(Reason.MALFORMED)
        if head[1] == 0x80:
            return _Value(head[0], position + 2, None)
        more = head[1] & 0x7F if head[1] & 0x80 else 0
        start = position + 2 + more
        end = start + (int.from_bytes(head[2 : 2 + more], "big") if more else head[1])
        if more > 8 or end > self._size:
            raise Unreadable(Reason.MALFORMED)
        return _Value(head[0], start, end)

    def children(self, value: _Value, depth: int) -> Iterator[_Value]:
        """The values inside one, and behind the last of them sets its end."""
        if depth > MAX_DEPTH:
            raise Unreadable(Reason.LIMIT_DEPTH)
        position = value.start
        while value.end is None or position < value.end:
            child = self.at(position)
            if value.end is None and child.tag == _END:
                value.end = child.end
                return
            yield child
            position = self.after(child, depth + 1)

    def after(self, value: _Value, depth: int) -> int:
        """Where the next value stands."""
        if value.end is None:
            for _ in self.children(value, depth):
                pass
        assert value.end is not None
        return value.end

    def pieces(self, value: _Value, depth: int = 0) -> Iterator[bytes]:
        """The bytes of an octet string, however it is cut up; of another value, as it stands."""
        if value.tag == _PIECES or (value.tag == _EXPLICIT and value.end is None):
            for child in self.children(value, depth):
                yield from self.pieces(child, depth + 1)
        else:
            yield from chunks_of(self.stream, value.start, self.after(value, depth) - value.start)


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield what was signed or compressed as a `Part`; a detached signature or certificates hold nothing."""
    budget = limits.spending()
    if read_at(stream, 0, 1) != b"\x30":
        stream = unpacked(partial(unpem, stream), budget)
    ber = _Ber(stream)
    kind, value = _content_of(ber, ber.at(0), 0)
    if kind in _BEFORE_CONTENT and value is not None:
        wanted = range(_BEFORE_CONTENT[kind] + 1)
        inside = [child for _, child in zip(wanted, ber.children(value, 1), strict=False)]
        if len(inside) <= _BEFORE_CONTENT[kind]:
            raise Unreadable(Reason.MALFORMED)
        _, value = _content_of(ber, inside[-1], 2)
    elif kind != _DATA:
        raise Unreadable(Reason.UNSUPPORTED)
    if value is None:
        return
    budget.enter()
    yield Part(0, partial(unpacked, partial(_bytes, ber, value, kind == _COMPRESSED), budget))


def _content_of(ber: _Ber, value: _Value, depth: int) -> tuple[bytes, _Value | None]:
    """The type and the content of a ContentInfo; the content may be left out."""
    if value.tag != _SEQUENCE:
        raise Unreadable(Reason.MALFORMED)
    parts = [child for _, child in zip(range(2), ber.children(value, depth), strict=False)]
    if not parts or parts[0].tag != _OID or parts[0].end is None:
        raise Unreadable(Reason.MALFORMED)
    kind = read_at(ber.stream, parts[0].start, min(32, parts[0].end - parts[0].start))
    if len(parts) == 1:
        return kind, None
    inner = next(ber.children(parts[1], depth + 1), None)
    return kind, inner


def _bytes(ber: _Ber, value: _Value, packed: bool) -> Iterator[bytes]:
    return inflated(ber.pieces(value), 15) if packed else ber.pieces(value)
