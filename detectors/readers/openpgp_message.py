"""OpenPGP messages that protect nothing: signed, compressed or literal data is handed on unwrapped.

An encrypted message never comes here: `engine.protection` has recognised it before.
"""

from __future__ import annotations

import bz2
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from detectors.engine import pgp_packets
from detectors.engine.pgp_packets import COMPRESSED, LITERAL, Packet, body, packets, unarmored
from detectors.engine.streams import read_at, size_of, unpacked
from detectors.engine.table import Budget, Content, Part, ReadLimits, Unreadable
from detectors.engine.unpack import bounded, inflated
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/pgp-encrypted"})
MAX_NESTING = 4


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield the literal data of a message as a `Part`."""
    budget = limits.spending()
    if pgp_packets.is_armored(read_at(stream, 0, 256)):
        stream = unpacked(partial(unarmored, stream), budget)
    found = False
    for position, (source, packet) in enumerate(_literals(stream, budget, 0)):
        found = True
        budget.enter()
        yield Part(position, partial(unpacked, partial(_literal, source, packet), budget))
    if not found:
        raise Unreadable(Reason.UNSUPPORTED)


def _literals(stream: BinaryIO, budget: Budget, depth: int) -> Iterator[tuple[BinaryIO, Packet]]:
    """The literal packets of a stream of packets, those inside compressed ones too."""
    if depth > MAX_NESTING:
        raise Unreadable(Reason.LIMIT_DEPTH)
    size = size_of(stream)
    chain = packets(stream, size)
    if chain is None:
        read_at(stream, size, 1)  # raises the limit that stopped the unpacking, if one did
        raise Unreadable(Reason.MALFORMED)
    for packet in chain:
        if packet.tag == LITERAL:
            yield stream, packet
        elif packet.tag == COMPRESSED:
            inner = unpacked(partial(_decompressed, stream, packet), budget)
            yield from _literals(inner, budget, depth + 1)


def _skip(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    for chunk in chunks:
        part, count = chunk[count:], max(0, count - len(chunk))
        if part:
            yield part


def _decompressed(stream: BinaryIO, packet: Packet) -> Iterator[bytes]:
    """A compressed packet's content: one byte of method, then the data."""
    method = read_at(stream, packet.first, 1)
    data = _skip(body(stream, packet), 1)
    if method == b"\1":
        return inflated(data)
    if method == b"\2":
        return inflated(data, 15)
    if method == b"\3":
        return bounded(data, bz2.BZ2Decompressor)
    return data


def _literal(stream: BinaryIO, packet: Packet) -> Iterator[bytes]:
    """A literal packet's content: after the format, a name with its length, and four bytes of date."""
    head = read_at(stream, packet.first, 2)
    if len(head) < 2:
        raise Unreadable(Reason.MALFORMED)
    return _skip(body(stream, packet), 6 + head[1])
