from __future__ import annotations

import pytest

from detectors.engine.openpgp import is_openpgp

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
