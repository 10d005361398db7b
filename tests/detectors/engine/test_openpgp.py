from __future__ import annotations

import bz2
import zlib

import pytest

from detectors.engine.openpgp import is_openpgp, is_wrapped

SYMMETRIC = b"\x8c\x0d\x04\x09\x03\x08" + b"saltsalt" + b"\x60"
PUBLIC = b"\x84\x5e\x03" + b"k" * 93
SEALED = b"\xd2\xc0\x4c\x01" + b"c" * 271


@pytest.mark.parametrize("message", [SYMMETRIC + SEALED, PUBLIC + SEALED, PUBLIC + SYMMETRIC + SEALED])
def test_session_keys_that_lead_to_ciphertext_are_a_message(message: bytes) -> None:
    assert is_openpgp(message, len(message))


@pytest.mark.parametrize(
    "data",
    [
        b"\x8c",
        b"\x8c\x0d\x04\x09",
        SYMMETRIC + b"ref,age,sex\n1,40,M\n",
        SEALED,
        b"\x85\x01\x0c\x03" + b"a,b,c\n" * 40,
        b"\xa3\x01" + b"z" * 40,
        b"plain text",
    ],
)
def test_a_lone_packet_header_proves_nothing(data: bytes) -> None:
    assert not is_openpgp(data, len(data))


LITERAL = b"\xcb\x20b\x00" + bytes(4) + b"id,age\n1,30\n2,41\n3,9\n"


@pytest.mark.parametrize(
    "packed",
    [b"\1" + zlib.compress(LITERAL)[2:-4], b"\2" + zlib.compress(LITERAL), b"\3" + bz2.compress(LITERAL)],
)
def test_what_is_only_compressed_is_known(packed: bytes) -> None:
    assert is_wrapped(b"\xa3" + packed, 1 + len(packed))
    assert not is_wrapped(b"\xa3" + packed[:1] + b"name,age\n" * 9, 82)
