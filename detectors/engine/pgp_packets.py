"""OpenPGP messages as a chain of packets (RFC 9580): enough to tell encrypted ones from the rest.

A message counts as encrypted only if its whole length chain holds from the first byte to the last.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from detectors.engine.streams import chunks_of, read_at
from detectors.engine.table import Protected, Unreadable
from detectors.engine.verdict import Reason

PKESK, SIGNATURE, SKESK, ONE_PASS, COMPRESSED, SED, MARKER, LITERAL = 1, 2, 3, 4, 8, 9, 10, 11
SEIPD, AEAD, PADDING = 18, 20, 21
SCHEMES = frozenset({"openpgp", "openpgp_no_integrity", "openpgp_weak_cipher"})
MAX_PIECES = 1_000_000
MAX_PACKETS = 10_000

_WEAK_CIPHERS = frozenset({0, 1, 2, 3})
_ARMOR = re.compile(rb"\s*-----BEGIN PGP (MESSAGE|SIGNATURE|PUBLIC KEY BLOCK)-----[ \t]*\r?\n")
_ARMOR_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*: .*")


@dataclass(slots=True)
class Packet:
    """One packet: its tag, where the first piece of its body lies, and where the next packet begins."""

    tag: int
    first: int
    length: int
    end: int
    partial: bool


def _new_length(stream: BinaryIO, position: int) -> tuple[int, int, bool] | None:
    """Body length at `position`: (start of the body, length, whether more pieces follow)."""
    head = read_at(stream, position, 5)
    if not head:
        return None
    if head[0] < 192:
        return position + 1, head[0], False
    if head[0] < 224 and len(head) > 1:
        return position + 2, ((head[0] - 192) << 8) + head[1] + 192, False
    if head[0] == 255 and len(head) == 5:
        return position + 5, int.from_bytes(head[1:5], "big"), False
    if 224 <= head[0] < 255:
        return position + 1, 1 << (head[0] & 31), True
    return None


def _old_length(stream: BinaryIO, position: int, size: int, kind: int) -> tuple[int, int, bool] | None:
    if kind == 3:
        return position, size - position, False
    count = 1 << kind
    head = read_at(stream, position, count)
    if len(head) < count:
        return None
    return position + count, int.from_bytes(head, "big"), False


def packet_at(stream: BinaryIO, position: int, size: int) -> Packet | None:
    """The packet that begins at `position`; None if none does, or if it runs past the end."""
    head = read_at(stream, position, 1)
    if not head or not head[0] & 0x80:
        return None
    if head[0] & 0x40:
        tag, piece = head[0] & 0x3F, _new_length(stream, position + 1)
    else:
        tag, piece = head[0] >> 2 & 0xF, _old_length(stream, position + 1, size, head[0] & 3)
    if piece is None or tag == 0:
        return None
    first, length, partial = piece
    end, more = first + length, partial
    pieces = 0
    while more and end <= size:
        piece = _new_length(stream, end)
        pieces += 1
        if piece is None:
            return None
        if pieces > MAX_PIECES:
            raise Unreadable(Reason.LIMIT_ENTRIES)
        end, more = piece[0] + piece[1], piece[2]
    return Packet(tag, first, length, end, partial) if end <= size else None


def body(stream: BinaryIO, packet: Packet) -> Iterator[bytes]:
    """A packet's content without its length marks."""
    yield from chunks_of(stream, packet.first, packet.length)
    position, more = packet.first + packet.length, packet.partial
    while more:
        piece = _new_length(stream, position)
        if piece is None:
            return
        yield from chunks_of(stream, piece[0], piece[1])
        position, more = piece[0] + piece[1], piece[2]


def packets(stream: BinaryIO, size: int) -> list[Packet] | None:
    """The whole chain, or None where it does not hold from the first byte to the last."""
    found: list[Packet] = []
    position = 0
    while position < size:
        packet = packet_at(stream, position, size)
        if packet is None or len(found) >= MAX_PACKETS:
            return None
        found.append(packet)
        position = packet.end
    return found


def _weak_session(stream: BinaryIO, packet: Packet) -> bool:
    """Whether a passphrase packet uses an old cipher, or a passphrase without salt."""
    head = read_at(stream, packet.first, 4)
    if len(head) < 4 or head[0] not in (4, 5, 6):
        return True
    if head[0] == 6:
        return False
    s2k = head[3] if head[0] == 5 else head[2]
    return head[1] in _WEAK_CIPHERS or s2k == 0


def encrypted(stream: BinaryIO, size: int) -> Protected | None:
    """Whether the stream is one encrypted message and nothing else."""
    chain = packets(stream, size)
    if not chain:
        return None
    tags = [packet.tag for packet in chain if packet.tag not in (MARKER, PADDING)]
    if not tags or tags[-1] not in (SEIPD, AEAD, SED) or not set(tags[:-1]) <= {PKESK, SKESK}:
        return None
    data = next(packet for packet in chain if packet.tag == tags[-1])
    if data.end - data.first < 20:
        return None
    if tags[-1] == SED:
        return Protected("openpgp_no_integrity", strong=False)
    if len(tags) < 2 or read_at(stream, data.first, 1) not in (b"\1", b"\2"):
        return None
    if any(packet.tag == SKESK and _weak_session(stream, packet) for packet in chain):
        return Protected("openpgp_weak_cipher", strong=False)
    return Protected("openpgp", strong=True)


def is_armored(head: bytes) -> bool:
    """Whether text begins with an OpenPGP armor."""
    return _ARMOR.match(head) is not None


def unarmored(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes inside an armor that is all there is to the stream; else `Unreadable(malformed)`."""
    state, carried = "before", b""
    for line in text_lines(stream):
        text = line.strip()
        if state == "before":
            state = "headers" if _ARMOR.match(line + b"\n") else state
            if text and state == "before":
                raise Unreadable(Reason.MALFORMED)
        elif state == "headers" and (not text or _ARMOR_HEADER.fullmatch(text)):
            state = "headers" if text else "body"
        elif text.startswith(b"-----END PGP "):
            state = "after"
        elif state == "after" and text:
            raise Unreadable(Reason.MALFORMED)
        elif text and not (text.startswith(b"=") and len(text) == 5):
            state, carried = "body", carried + text
            whole = len(carried) // 4 * 4
            yield decoded(carried[:whole])
            carried = carried[whole:]
    if carried or state != "after":
        raise Unreadable(Reason.MALFORMED)


def decoded(text: bytes) -> bytes:
    """Strict base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Unreadable(Reason.MALFORMED) from None


def text_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of an armor; a line of more than 4 kB is none."""
    carried = b""
    for chunk in chunks_of(stream, 0, None):
        *whole, carried = (carried + chunk).split(b"\n")
        yield from whole
        if len(carried) > 4096:
            raise Unreadable(Reason.MALFORMED)
    yield carried
