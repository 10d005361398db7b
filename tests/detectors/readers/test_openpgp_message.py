"""OpenPGP without encryption: signed, compressed and literal data comes out as it went in."""

from __future__ import annotations

import base64
import bz2
import io
import zlib

import pytest

from detectors.engine.sniff import sniff
from detectors.engine.table import Part, ReadLimits, Unreadable
from detectors.readers.openpgp_message import read

CSV = b"id,age\n" + b"1,30\n" * 300


def packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


LITERAL = packet(11, b"b\x04data\0\0\0\0" + CSV)
ONE_PASS = bytes([0xC4, 13, 3, 0, 8, 1]) + bytes(8) + b"\1"
SIGNED = ONE_PASS + LITERAL + packet(2, bytes(80))


def deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


CASES = {
    "literal": LITERAL,
    "signed": SIGNED,
    "zip": packet(8, b"\1" + deflate(SIGNED)),
    "zlib": packet(8, b"\2" + zlib.compress(LITERAL)),
    "bzip2": packet(8, b"\3" + bz2.compress(LITERAL)),
    "stored": packet(8, b"\0" + LITERAL),
}


def content(data: bytes) -> bytes:
    (part,) = read(io.BytesIO(data), "application/pgp-encrypted", ReadLimits())
    assert isinstance(part, Part)
    return part.open().read()


@pytest.mark.parametrize("name", CASES)
def test_the_literal_data_is_handed_on(name: str) -> None:
    assert content(CASES[name]) == CSV


def test_armor_is_taken_off() -> None:
    text = base64.encodebytes(CASES["zip"])
    assert content(b"-----BEGIN PGP MESSAGE-----\n\n" + text + b"-----END PGP MESSAGE-----\n") == CSV


@pytest.mark.parametrize("name", ["signed", "zip", "zlib"])
def test_such_a_message_is_known_for_what_it_is(name: str) -> None:
    data = CASES[name]
    assert sniff(data, data, len(data), "x.gpg") == "application/pgp-encrypted"


def test_nested_compression_has_a_limit() -> None:
    data = LITERAL
    for _ in range(9):
        data = packet(8, b"\1" + deflate(data))
    with pytest.raises(Unreadable, match="limit_depth"):
        content(data)


@pytest.mark.parametrize("data", [b"", LITERAL[:-5], packet(2, bytes(40)), b"\xcb"])
def test_what_is_no_message_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        content(data)
