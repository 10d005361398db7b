"""Whether content is encrypted, and how well: by signature and a parse that reaches the end.

Nothing is taken for encrypted because it looks random, or because it says so: a message whose
length chain breaks, a header with text behind it or a well-known default password is no protection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from detectors.engine import pgp_packets
from detectors.engine.compound import SCHEMES as OFFICE_SCHEMES
from detectors.engine.compound import office_protection
from detectors.engine.luks import ecryptfs, is_ecryptfs, luks
from detectors.engine.opaque import is_opaque, is_text
from detectors.engine.streams import chunks_of, read_at, size_of, unpacked
from detectors.engine.table import Budget, Protected, Unreadable

SCHEMES = (
    frozenset(
        {
            "age", "openssl", "luks", "keepass", "bitlocker", "dmg", "axcrypt", "aescrypt", "ansible_vault",
            "cms", "cms_weak_cipher", "spss_encrypted", "parquet_encrypted", "zip_aes", "zip_crypto",
            "zip_pkware", "zip_pkware_weak", "sevenz_aes", "ecryptfs", "odf_aes", "odf_blowfish",
            "pdf_aes", "pdf_rc4",
        }
    )
    | pgp_packets.SCHEMES
    | OFFICE_SCHEMES
)  # fmt: skip
"""Every scheme that `Protected` may name, here or in a reader."""

CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_ARMORED = 512 * 1024**2
_OPENSSL64 = b"U2FsdGVkX1"
_AXCRYPT = bytes.fromhex("c0b9072e4f93f146a015792ca1d9e821")
_AGE_STANZA = re.compile(rb"-> [!-~]+( [!-~]+)*")
_AGE_BODY = re.compile(rb"[A-Za-z0-9+/]{0,64}")
_AGE_MAC = re.compile(rb"--- [A-Za-z0-9+/]{43}")
_ENVELOPED = {
    bytes.fromhex("06092a864886f70d010703"),
    bytes.fromhex("06092a864886f70d010706"),
    bytes.fromhex("060b2a864886f70d0109100117"),
}
_OLD_CIPHERS = (
    bytes.fromhex("06082a864886f70d0302"),
    bytes.fromhex("06082a864886f70d0307"),
    bytes.fromhex("06052b0e030207"),
)
_VAULT = re.compile(rb"[0-9a-f]{64}\n[0-9a-f]{64}\n([0-9a-f]{32,})\Z")
_PEM = re.compile(rb"\s*-----BEGIN (PKCS7|CMS)-----")


def protection(stream: BinaryIO, size: int, media_type: str) -> Protected | None:
    """What protects the whole of the stream, or None. Raises only `Unreadable`.

    `media_type` is not trusted for it: the bytes decide.
    """
    head = read_at(stream, 0, 256)
    for prefix, check in _BY_PREFIX.items():
        if head.startswith(prefix):
            return check(stream, size)
    if is_ecryptfs(head):
        return ecryptfs(stream, size)
    if head[8:20] == b"ENCRYPTEDSAV":
        return Protected("spss_encrypted", strong=False) if is_opaque(stream, 36, size) else None
    if head[3:11] == b"-FVE-FS-":
        return Protected("bitlocker", strong=True)
    if pgp_packets.is_armored(head):
        return _armored(pgp_packets.unarmored, stream, size, pgp_packets.encrypted)
    if _PEM.match(head):
        return _armored(unpem, stream, size, _cms)
    if head[:1] == b"\x30":
        return _cms(stream, size)
    if head and head[0] & 0x80:
        return pgp_packets.encrypted(stream, size)
    return None


def _armored(
    unarmor: Callable[[BinaryIO], Iterator[bytes]],
    stream: BinaryIO,
    size: int,
    check: Callable[[BinaryIO, int], Protected | None],
) -> Protected | None:
    """`check` on what an armor holds; armor with anything around it protects nothing."""
    if size > MAX_ARMORED:
        return None
    inner = unpacked(partial(unarmor, stream), Budget(2 * MAX_ARMORED, 0))
    try:
        inner_size = size_of(inner)
        inner.seek(inner_size)
        inner.read(1)
        return check(inner, inner_size)
    except Unreadable:
        return None
    finally:
        inner.close()


def _age(stream: BinaryIO, size: int) -> Protected | None:
    """age-encryption.org/v1: stanzas, the MAC, 16 bytes of nonce, then at least one tag."""
    head = read_at(stream, 0, 64 * 1024)
    lines = head.split(b"\n")
    position, stanzas = len(lines[0]) + 1, 0
    for line in lines[1:]:
        position += len(line) + 1
        if _AGE_MAC.fullmatch(line):
            good = stanzas and size - position >= 32 and is_opaque(stream, position, size)
            return Protected("age", strong=True) if good else None
        if _AGE_STANZA.fullmatch(line):
            stanzas += 1
        elif not stanzas or not _AGE_BODY.fullmatch(line):
            return None
    return None


def _age_armor(stream: BinaryIO, size: int) -> Protected | None:
    return _armored(partial(unpem, label=b"AGE ENCRYPTED FILE"), stream, size, _age_checked)


def _age_checked(stream: BinaryIO, size: int) -> Protected | None:
    return _age(stream, size) if read_at(stream, 0, 22) == b"age-encryption.org/v1\n" else None


def unpem(stream: BinaryIO, label: bytes = b"") -> Iterator[bytes]:
    """The bytes of a PEM block that is all there is to the stream."""
    carried, state = b"", 0
    for line in pgp_packets.text_lines(stream):
        text = line.strip()
        if state == 0 and text.startswith(b"-----BEGIN " + label):
            state = 1
        elif state == 1 and text.startswith(b"-----END " + label):
            state = 2
        elif state == 1:
            carried += text
            whole = len(carried) // 4 * 4
            yield pgp_packets.decoded(carried[:whole])
            carried = carried[whole:]
        elif text:
            pgp_packets.decoded(b"*")
    if state != 2 or carried:
        pgp_packets.decoded(b"*")


def _openssl(stream: BinaryIO, size: int) -> Protected | None:
    return Protected("openssl", strong=True) if size > 16 and is_opaque(stream, 16, size) else None


def _openssl_base64(stream: BinaryIO, size: int) -> Protected | None:
    def decode(source: BinaryIO) -> Iterator[bytes]:
        carried = b""
        for chunk in chunks_of(source, 0, None):
            carried += b"".join(chunk.split())
            whole = len(carried) // 4 * 4
            yield pgp_packets.decoded(carried[:whole])
            carried = carried[whole:]
        if carried:
            pgp_packets.decoded(b"*")

    return _armored(decode, stream, size, _openssl)


def _keepass(stream: BinaryIO, size: int) -> Protected | None:
    version = read_at(stream, 4, 4)
    known = len(version) == 4 and version[0] in (0x65, 0x66, 0x67) and version[1:] == b"\xfb\x4b\xb5"
    return Protected("keepass", strong=True) if known and is_opaque(stream, size // 2, size) else None


def _ansible(stream: BinaryIO, size: int) -> Protected | None:
    """One line of header, then hexadecimal digits of: salt, MAC and cipher text, in hexadecimal again."""
    digits = b""
    try:
        for number, line in enumerate(pgp_packets.text_lines(stream)):
            text = line.strip()
            if number and text.strip(b"0123456789abcdef"):
                return None
            digits += text if number and len(digits) < 4096 else b""
        inner = bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
    except Unreadable:
        return None
    parts = _VAULT.match(inner)
    if parts is None or is_text(bytes.fromhex(parts[1][: len(parts[1]) // 2 * 2].decode())):
        return None
    return Protected("ansible_vault", strong=True)


def _aescrypt(stream: BinaryIO, size: int) -> Protected | None:
    """AES Crypt version 2 or 3: extension blocks, each with its length, then the IVs."""
    version = read_at(stream, 3, 2)
    if len(version) < 2 or version[0] not in (1, 2, 3) or version[1]:
        return None
    position = 5
    while version[0] >= 2:
        length = int.from_bytes(read_at(stream, position, 2), "big")
        position += 2 + length
        if position > min(size, 1024**2):
            return None
        if not length:
            break
    return Protected("aescrypt", strong=True) if is_opaque(stream, position, size) else None


def _axcrypt(stream: BinaryIO, size: int) -> Protected | None:
    return Protected("axcrypt", strong=True) if is_opaque(stream, size // 2, size) else None


def _dmg(stream: BinaryIO, size: int) -> Protected | None:
    return Protected("dmg", strong=True) if is_opaque(stream, size // 2, size) else None


def _parquet(stream: BinaryIO, size: int) -> Protected | None:
    """Parquet with an encrypted footer."""
    whole = size > 12 and read_at(stream, size - 4, 4) == b"PARE"
    return Protected("parquet_encrypted", strong=True) if whole else None


def _cms(stream: BinaryIO, size: int) -> Protected | None:
    """CMS enveloped, encrypted or authenticated-enveloped data (RFC 5652), as one DER or BER value."""
    head = read_at(stream, 0, 32)
    if len(head) < 32 or head[0] != 0x30:
        return None
    start, end = 2, 2 + head[1]
    if head[1] == 0x80:
        end = size
    elif head[1] & 0x80:
        count = head[1] & 0x7F
        start, end = 2 + count, 2 + count + int.from_bytes(head[2 : 2 + count], "big")
    if end != size or not any(head[start:].startswith(oid) for oid in _ENVELOPED):
        return None
    if not is_opaque(stream, size * 3 // 4, size):
        return None
    weak = any(oid in read_at(stream, 0, 256 * 1024) for oid in _OLD_CIPHERS)
    return Protected("cms_weak_cipher" if weak else "cms", strong=not weak)


_BY_PREFIX: dict[bytes, Callable[[BinaryIO, int], Protected | None]] = {
    b"age-encryption.org/v1\n": _age,
    b"-----BEGIN AGE ENCRYPTED FILE-----": _age_armor,
    CFB: office_protection,
    b"Salted__": _openssl,
    _OPENSSL64: _openssl_base64,
    b"LUKS\xba\xbe": luks,
    b"\x03\xd9\xa2\x9a": _keepass,
    b"$ANSIBLE_VAULT;": _ansible,
    b"AES\x01": _aescrypt,
    b"AES\x02": _aescrypt,
    b"AES\x03": _aescrypt,
    _AXCRYPT: _axcrypt,
    b"encrcdsa": _dmg,
    b"PARE": _parquet,
}
