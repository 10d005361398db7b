"""Encrypted volumes and files of Linux, and headers that protect nothing."""

from __future__ import annotations

import hashlib
import io
import random

from detectors.engine.protection import protection
from detectors.engine.table import Protected

CSV = b"name,age\n" + b"Bob,3\n" * 400
NOISE = random.Random(5).randbytes(64_000)


def kind(data: bytes) -> Protected | None:
    return protection(io.BytesIO(data), len(data), "application/octet-stream")


def test_luks_1_and_2_are_strong_and_the_null_cipher_is_none() -> None:
    def luks1(cipher: bytes) -> bytes:
        head = b"LUKS\xba\xbe\0\1" + cipher.ljust(32, b"\0") + b"xts-plain64".ljust(32, b"\0")
        return (head.ljust(104, b"\0") + (8).to_bytes(4, "big")).ljust(4096, b"\0") + NOISE[:4000]

    assert kind(luks1(b"aes")) == Protected("luks", strong=True)
    assert kind(luks1(b"cipher_null")) is None
    head = bytearray(16_384)
    head[:16] = b"LUKS\xba\xbe\0\2" + (16_384).to_bytes(8, "big")
    head[72:78] = b"sha256"
    head[448:480] = hashlib.sha256(head).digest()
    assert kind(bytes(head) + NOISE[:4000]) == Protected("luks", strong=True)
    head[5000] ^= 1
    assert kind(bytes(head) + NOISE[:4000]) is None


def luks1_header(keys: bytes) -> bytes:
    """As `cryptsetup luksHeaderBackup` writes it: one active key, no data behind it."""
    head = (
        b"LUKS\xba\xbe\0\1"
        + b"aes".ljust(32, b"\0")
        + b"xts-plain64".ljust(32, b"\0")
        + b"sha256".ljust(32, b"\0")
    )
    head += (4096).to_bytes(4, "big") + (64).to_bytes(4, "big")
    slot = b"\0\xac\x71\xf3" + bytes(36) + (8).to_bytes(4, "big") + (500).to_bytes(4, "big")
    return (head.ljust(208, b"\0") + slot).ljust(4096, b"\0") + keys


def test_a_backup_of_a_header_holds_keys_or_is_a_sham() -> None:
    assert kind(luks1_header(NOISE)) == Protected("luks", strong=True)
    assert kind(luks1_header(CSV * 20)) is None
    assert kind(luks1_header(NOISE[:9000])) is None


def ecryptfs(content: bytes, mark: int = 0x3C81B7F5) -> bytes:
    head = (5000).to_bytes(8, "big") + b"\x11\x22\x33\x44" + (0x11223344 ^ mark).to_bytes(4, "big")
    head += bytes(4) + (4096).to_bytes(4, "big") + (2).to_bytes(2, "big") + b"\x8c\x1d\x04\x07"
    return head.ljust(8192, b"\0") + content


def test_ecryptfs_is_known_by_its_marker_and_what_follows() -> None:
    assert kind(ecryptfs(NOISE)) == Protected("ecryptfs", strong=True)
    assert kind(ecryptfs(CSV)) is None
    assert kind(ecryptfs(NOISE, 1)) is None
    assert kind(ecryptfs(b"")) is None
