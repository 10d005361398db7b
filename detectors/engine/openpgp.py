"""Whether bytes begin with an encrypted OpenPGP message (RFC 9580, sections 4.2 and 5)."""

from __future__ import annotations

import zlib

_SESSION_KEYS = frozenset({1, 3})
_ENCRYPTED = frozenset({9, 18, 20})
_MARKER = 10
_ONE_PASS, _COMPRESSED = 4, 8
_INSIDE = frozenset({2, 4, 8, 11})
_BZIP2_BLOCK = b"1AY&SY"
_MAX_PACKETS = 64


def is_openpgp(head: bytes, size: int) -> bool:
    """Whether a chain of session key packets leads to an encrypted one, as far as `head` shows."""
    offset = 0
    keys = 0
    for _ in range(_MAX_PACKETS):
        if offset >= len(head):
            return keys > 0
        packet = _packet(head, offset)
        if packet is None:
            return False
        tag, body, length = packet
        if tag in _ENCRYPTED:
            return keys > 0 and body <= size
        if length is None or body + length > size:
            return False
        if tag in _SESSION_KEYS:
            if not _is_session_key(tag, head[body : body + length], length):
                return False
            keys += 1
        elif tag != _MARKER or head[body : body + 3] != b"PGP":
            return False
        offset = body + length
    return False


def is_wrapped(head: bytes, size: int) -> bool:
    """Whether `head` begins a message that is signed or compressed but not encrypted."""
    packet = _packet(head, 0) if head else None
    if packet is None:
        return False
    tag, body, length = packet
    if tag == _ONE_PASS:
        following = _packet(head, body + 13) if length == 13 and len(head) > body + 13 else None
        return following is not None and head[body] == 3 and following[0] in _INSIDE
    if tag != _COMPRESSED or head[body : body + 1] not in (b"\1", b"\2", b"\3"):
        return False
    if head[body] == 3:
        return head[body + 1 : body + 4] == b"BZh" and head[body + 5 : body + 11] == _BZIP2_BLOCK
    try:
        engine = zlib.decompressobj(-15 if head[body] == 1 else 15)
        inside = engine.decompress(head[body + 1 : body + 4096], 64)
    except zlib.error:
        return False
    following = _packet(inside, 0) if len(inside) > 6 else None
    return following is not None and following[0] in _INSIDE


def _is_session_key(tag: int, body: bytes, length: int) -> bool:
    version = body[0] if body else 0
    if tag == 1:
        return version in (2, 3, 6) and 10 <= length <= 4096
    return version in (4, 5, 6) and 4 <= length <= 256


def _packet(head: bytes, at: int) -> tuple[int, int, int | None] | None:
    """Tag, offset of the body and its length (None: to the end, or in parts)."""
    first = head[at]
    if not first & 0x80:
        return None
    if first & 0x40:
        one = head[at + 1] if at + 1 < len(head) else 0
        if one < 192:
            return first & 0x3F, at + 2, one
        if one < 224:
            two = head[at + 2] if at + 2 < len(head) else 0
            return first & 0x3F, at + 3, ((one - 192) << 8) + two + 192
        if one < 255:
            return first & 0x3F, at + 2, None
        return first & 0x3F, at + 6, int.from_bytes(head[at + 2 : at + 6], "big")
    width = (1, 2, 4, 0)[first & 3]
    length = int.from_bytes(head[at + 1 : at + 1 + width], "big") if width else None
    return (first >> 2) & 0xF, at + 1 + width, length
