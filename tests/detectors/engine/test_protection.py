"""Encrypted, weakly encrypted, and sham: told apart by a parse that reaches the end."""

from __future__ import annotations

import base64
import io
import random

import pyrage
import pytest

from detectors.engine.pgp_packets import packets
from detectors.engine.protection import SCHEMES, protection
from detectors.engine.table import Protected

CSV = b"name,age\n" + b"Bob,3\n" * 400
NOISE = random.Random(5).randbytes(4000)


def kind(data: bytes) -> Protected | None:
    found = protection(io.BytesIO(data), len(data), "application/octet-stream")
    assert found is None or found.scheme in SCHEMES
    return found


def new_packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + len(body).to_bytes(4, "big") + body


def partial_packet(tag: int, body: bytes) -> bytes:
    return (
        bytes([0xC0 | tag, 0xE0 | 9])
        + body[:512]
        + bytes([0xFF])
        + len(body[512:]).to_bytes(4, "big")
        + body[512:]
    )


SKESK = new_packet(3, bytes([4, 9, 3, 8]) + bytes(9))
SKESK_3DES = new_packet(3, bytes([4, 2, 3, 8]) + bytes(9))
SKESK_UNSALTED = new_packet(3, bytes([4, 9, 0, 8]))
PKESK = new_packet(1, b"\3" + bytes(9) + NOISE[:256])
SEIPD = new_packet(18, b"\1" + NOISE)


def armor(data: bytes, label: str = "PGP MESSAGE") -> bytes:
    text = base64.b64encode(data)
    lines = b"\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n\n".encode() + lines + f"\n=abcd\n-----END {label}-----\n".encode()


def vault(cipher_text: bytes) -> bytes:
    inner = f"{NOISE[:32].hex()}\n{NOISE[32:64].hex()}\n{cipher_text.hex()}".encode().hex()
    lines = "\n".join(inner[i : i + 80] for i in range(0, len(inner), 80))
    return f"$ANSIBLE_VAULT;1.1;AES256\n{lines}\n".encode()


@pytest.mark.parametrize(
    ("data", "scheme", "strong"),
    [
        (SKESK + SEIPD, "openpgp", True),
        (PKESK + SKESK + SEIPD, "openpgp", True),
        (PKESK + partial_packet(18, b"\1" + NOISE), "openpgp", True),
        (PKESK + new_packet(20, b"\1" + NOISE), "openpgp", True),
        (armor(SKESK + SEIPD), "openpgp", True),
        (SKESK_3DES + SEIPD, "openpgp_weak_cipher", False),
        (SKESK_UNSALTED + SEIPD, "openpgp_weak_cipher", False),
        (SKESK + new_packet(9, NOISE), "openpgp_no_integrity", False),
        (b"Salted__12345678" + NOISE, "openssl", True),
        (base64.encodebytes(b"Salted__12345678" + NOISE), "openssl", True),
        (b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + NOISE, "keepass", True),
        (b"PARE" + NOISE + b"PARE", "parquet_encrypted", True),
        (b"AES\x02\x00\x00\x00" + NOISE, "aescrypt", True),
        (vault(NOISE), "ansible_vault", True),
        (b"\0" * 8 + b"ENCRYPTEDSAV" + NOISE, "spss_encrypted", False),
    ],
)
def test_encrypted_content_is_known_by_its_whole_form(data: bytes, scheme: str, strong: bool) -> None:
    assert kind(data) == Protected(scheme, strong)


@pytest.mark.parametrize(
    "data",
    [
        CSV,
        b"",
        b"\x8c",
        NOISE,
        SKESK + SEIPD + CSV,
        SKESK + SEIPD[:-10],
        SEIPD,
        SKESK,
        new_packet(8, b"\1" + NOISE),
        new_packet(11, b"b\0\0\0\0\0" + CSV),
        armor(new_packet(4, bytes(13)) + new_packet(11, b"b\0\0\0\0\0" + CSV)),
        armor(SKESK + SEIPD) + CSV,
        b"see below\n" + armor(SKESK + SEIPD),
        b"Salted__12345678" + CSV,
        b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + CSV,
        b"LUKS\xba\xbe\0\1" + CSV,
        b"LUKS\xba\xbe\0\2" + NOISE,
        b"PARE" + NOISE + b"PAR1",
        b"AES\x02\x00\x00\x00" + CSV,
        b"$ANSIBLE_VAULT;1.1;AES256\n" + CSV,
        b"$ANSIBLE_VAULT;1.1;AES256\n" + CSV.replace(b"\n", b" ") * 9,
        b"$ANSIBLE_VAULT;1.1;AES256\n" + CSV.hex().encode(),
        vault(CSV),
        b"\0" * 8 + b"ENCRYPTEDSAV" + bytes(16) + CSV,
        b"age-encryption.org/v1\n" + CSV,
        b"age-encryption.org/v1\n-> X25519 abc\n\n--- " + b"A" * 43 + b"\n" + CSV,
        base64.encodebytes(CSV),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + NOISE,
    ],
)
def test_a_sham_protects_nothing(data: bytes) -> None:
    assert kind(data) is None


def test_age_in_all_its_forms_is_strong() -> None:
    recipient = pyrage.x25519.Identity.generate().to_public()
    for data in (
        pyrage.encrypt(CSV, [recipient]),
        pyrage.encrypt(CSV, [recipient], armored=True),
        pyrage.passphrase.encrypt(CSV, "made up"),
    ):
        assert kind(data) == Protected("age", strong=True)


@pytest.mark.parametrize(
    ("cipher", "strong"), [("060960864801650304012a", True), ("06082a864886f70d0307", False)]
)
def test_cms_is_as_strong_as_its_cipher(cipher: str, strong: bool) -> None:
    body = bytes.fromhex("06092a864886f70d010703") + bytes.fromhex(cipher) + NOISE
    data = b"\x30\x82" + len(body).to_bytes(2, "big") + body
    found = kind(data)
    assert found is not None
    assert found.strong is strong
    assert kind(data + CSV) is None
    signed = body.replace(bytes.fromhex("06092a864886f70d010703"), bytes.fromhex("06092a864886f70d010702"))
    assert kind(b"\x30\x82" + len(signed).to_bytes(2, "big") + signed) is None


def test_damaged_headers_never_raise() -> None:
    pick = random.Random(9)
    for start in (
        SKESK + SEIPD,
        b"LUKS\xba\xbe\0\2",
        b"age-encryption.org/v1\n",
        b"\x30\x82",
        armor(SKESK + SEIPD),
    ):
        for _ in range(100):
            data = bytearray((start + NOISE)[:700])
            data[pick.randrange(8, len(data))] = pick.randrange(256)
            kind(bytes(data[: pick.randrange(len(data))]))


def test_a_chain_of_packets_holds_to_the_last_byte_or_not_at_all() -> None:
    data = PKESK + SEIPD
    chain = packets(io.BytesIO(data), len(data))
    assert chain is not None
    assert [packet.tag for packet in chain] == [1, 18]
    assert chain[-1].end == len(data)
    assert packets(io.BytesIO(data[:-1]), len(data) - 1) is None
