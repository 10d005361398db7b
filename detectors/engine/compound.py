"""Compound files of Office (MS-CFB): whether and how they are encrypted, and what opens for anybody.

Excel encrypts workbooks that are merely write-protected with a password that is published, and
tries it before it asks: such a file is not protected at all.
"""

from __future__ import annotations

import io
import re
import xml.dom.expatbuilder  # noqa: F401  msoffcrypto's parser loads it late, when a worker can import nothing
from typing import BinaryIO
from xml.parsers.expat import ExpatError

import cryptography.hazmat.backends.openssl.backend  # noqa: F401  likewise
import msoffcrypto
import olefile
from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm
from msoffcrypto import exceptions as office
from msoffcrypto.format import doc97, ooxml, ppt97, xls97

from detectors.engine.faults import PARSER_FAULTS
from detectors.engine.table import Protected, Unreadable
from detectors.engine.verdict import Reason

PUBLISHED_PASSWORD = "VelvetSweatshop"  # noqa: S105
SCHEMES = frozenset({"office_agile", "office_standard", "office_weak_cipher", "office_irm", "office_legacy"})
MAX_DECRYPTED = 48 * 1024**2
MAX_INFO = 64 * 1024
MAX_SPINS = 10_000_000
"""The most rounds of hashing that a password may be given (MS-OFFCRYPTO 2.3.4.10)."""
_SPINS = re.compile(rb"spinCount=[\"'](\d+)")
FORMATS = (doc97, ooxml, ppt97, xls97)  # imported here, because a worker can import nothing

_FAULTS = (
    *PARSER_FAULTS,
    ExpatError,
    InvalidKey,
    UnsupportedAlgorithm,
    office.FileFormatError,
    office.ParseError,
    office.DecryptionError,
)


def streams(stream: BinaryIO) -> dict[str, int] | None:
    """Names of the streams at the top of a compound file, in lower case, with their sizes; None if broken."""
    try:
        stream.seek(0)
        with olefile.OleFileIO(stream) as compound:
            return {
                "/".join(path).lower(): compound.get_size("/".join(path))
                for path in compound.listdir()[:10_000]
                if len(path) <= 4
            }
    except _FAULTS:
        return None


def _kind_of_package(stream: BinaryIO) -> Protected:
    """The scheme of an EncryptedPackage by its EncryptionInfo (MS-OFFCRYPTO 2.3.4)."""
    with olefile.OleFileIO(stream) as compound, compound.openstream("EncryptionInfo") as info:
        head = info.read(MAX_INFO)
    version = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:4], "little")
    if any(int(count[:20]) > MAX_SPINS for count in _SPINS.findall(head)):
        raise Unreadable(Reason.MALFORMED)
    if version == (4, 4):
        aes = b'cipherAlgorithm="AES"' in head and b'keyBits="40"' not in head
        return Protected("office_agile" if aes else "office_weak_cipher", strong=aes)
    aes = int.from_bytes(head[20:24], "little") in (0x660E, 0x660F, 0x6610)
    return Protected("office_standard" if aes else "office_weak_cipher", strong=aes)


def office_protection(stream: BinaryIO, size: int) -> Protected | None:
    """What protects a compound file; None if nothing does, or if the published password opens it."""
    names = streams(stream)
    if names is None:
        return None
    try:
        if "encryptedpackage" in names:
            if "encryptioninfo" not in names:
                return Protected("office_irm", strong=True)
            kind = _kind_of_package(stream)
            return None if _opens(stream) else kind
        if not names.keys() & {"workbook", "book", "worddocument", "powerpoint document"}:
            return None
        if not is_legacy_encrypted(stream) or _opens(stream):
            return None
        return Protected("office_legacy", strong=False)
    except _FAULTS:
        return None


def is_legacy_encrypted(stream: BinaryIO) -> bool:
    """Whether a document of before 2007 is encrypted in its own way."""
    stream.seek(0)
    try:
        return bool(msoffcrypto.OfficeFile(stream).is_encrypted())
    except _FAULTS:
        return False


def _opens(stream: BinaryIO) -> bool:
    """Whether the published password opens it.

    Raises `Unreadable` when that could not be tried: only a password that was refused proves another.
    """
    stream.seek(0)
    try:
        file = msoffcrypto.OfficeFile(stream)
        if isinstance(file, ooxml.OOXMLFile):
            file.load_key(password=PUBLISHED_PASSWORD, verify_password=True)
        else:
            file.load_key(password=PUBLISHED_PASSWORD)
    except (office.InvalidKeyError, office.DecryptionError, InvalidKey):
        return False
    except _FAULTS:
        raise Unreadable(Reason.MALFORMED) from None
    return True


def decrypted(stream: BinaryIO) -> BinaryIO:
    """The document inside a file that the published password opens."""
    names = streams(stream) or {}
    if max(names.values(), default=0) > MAX_DECRYPTED:
        raise Unreadable(Reason.LIMIT_MEMORY)
    out = io.BytesIO()
    stream.seek(0)
    try:
        file = msoffcrypto.OfficeFile(stream)
        file.load_key(password=PUBLISHED_PASSWORD)
        file.decrypt(out)
    except _FAULTS:
        raise Unreadable(Reason.MALFORMED) from None
    out.seek(0)
    return out
