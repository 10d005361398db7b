"""Encrypted volumes and files of Linux: LUKS 1 and 2, also a header without its data, and eCryptfs."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from detectors.engine.opaque import is_opaque
from detectors.engine.streams import read_at
from detectors.engine.table import Protected

_ECRYPTFS_MARK = 0x3C81B7F5


def luks(stream: BinaryIO, size: int) -> Protected | None:
    """LUKS1 has plain fields; LUKS2 a checksum over its binary header and JSON area."""
    head = read_at(stream, 0, 4096)
    if len(head) < 592:
        return None
    if head[6:8] == b"\0\1":
        cipher, mode = head[8:40].rstrip(b"\0"), head[40:72].rstrip(b"\0")
        payload = int.from_bytes(head[104:108], "big") * 512
        good = cipher.isalnum() and cipher != b"cipher_null" and mode.isascii() and payload > 0
        kept = is_opaque(stream, payload, size) if payload < size else _luks_keys(stream, head, size)
        return Protected("luks", strong=True) if good and kept else None
    length = int.from_bytes(head[8:16], "big")
    if head[6:8] != b"\0\2" or not 4096 < length <= 4 * 1024**2:
        return None
    whole = bytearray(read_at(stream, 0, length))
    stated = bytes(whole[448:512])
    whole[448:512] = bytes(64)
    name = bytes(whole[72:104]).rstrip(b"\0").decode("latin-1")
    if name not in ("sha256", "sha512", "sha1"):
        return None
    digest = hashlib.new(name, whole, usedforsecurity=False).digest()
    if not stated.startswith(digest) or b"cipher_null" in whole:
        return None
    return Protected("luks", strong=True)


def _luks_keys(stream: BinaryIO, head: bytes, size: int) -> bool:
    """Whether a header without its data (a backup of it) holds the material of its active keys (LUKS1)."""
    length = int.from_bytes(head[108:112], "big")
    slots = [head[at : at + 48] for at in range(208, 592, 48) if head[at : at + 4] == b"\0\xac\x71\xf3"]
    for slot in slots:
        first = int.from_bytes(slot[40:44], "big") * 512
        last = first + length * int.from_bytes(slot[44:48], "big")
        if not 592 <= first < last <= size or not is_opaque(stream, first, last):
            return False
    return bool(slots)


def ecryptfs(stream: BinaryIO, size: int) -> Protected | None:
    """eCryptfs: a marker that is its own check, then the packet of a key, then extents of cipher text."""
    head = read_at(stream, 0, 32)
    header = int.from_bytes(head[20:24], "big") * int.from_bytes(head[24:26], "big")
    good = head[26:27] in (b"\x8c", b"\x84") and 4096 <= header < size
    return Protected("ecryptfs", strong=True) if good and is_opaque(stream, header, size) else None


def is_ecryptfs(head: bytes) -> bool:
    marks = int.from_bytes(head[8:12], "big") ^ int.from_bytes(head[12:16], "big")
    return len(head) >= 32 and marks == _ECRYPTFS_MARK
