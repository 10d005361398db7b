"""Which kind of package a zip is, from the names in its directory and first members."""

from __future__ import annotations

import struct

from detectors.engine.media_types import DOCX, MEDIA_TYPES, OPEN_DOCUMENT, PPTX, XLSB, XLSM, XLSX, ZIP

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = b"PK\x05\x06"
_MAX_NAMES = 5000


def zip_kind(head: bytes, tail: bytes) -> str:
    """The media type of a zip; plain `application/zip` unless it is a package we know."""
    declared = _declared(head)
    if declared is not None:
        return declared
    names = {name.replace(b"\\", b"/").lower() for name in (*_local_names(head), *_central_names(tail))}
    if b"xl/workbook.bin" in names:
        return XLSB
    if b"xl/workbook.xml" in names:
        return XLSM if b"xl/vbaproject.bin" in names else XLSX
    if b"word/document.xml" in names:
        return DOCX
    if b"ppt/presentation.xml" in names:
        return PPTX
    if b"content.xml" in names and b"meta-inf/manifest.xml" in names:
        return OPEN_DOCUMENT + "text"
    return ZIP


def ends_in_zip(tail: bytes) -> bool:
    """Whether a zip's end record closes the file exactly: a zip behind other bytes."""
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        return False
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    return at + 22 + comment == len(tail) and entries > 0


def _declared(head: bytes) -> str | None:
    """What a stored first member named `mimetype` says (OpenDocument, EPUB)."""
    if len(head) < 38 or head[:4] != b"PK\x03\x04" or head[30:38] != b"mimetype":
        return None
    header = _LOCAL.unpack_from(head)
    start = 30 + header[9] + header[10]
    said = head[start : start + 100].split(b"PK", 1)[0].decode("ascii", "replace").strip()
    for suffix in ("-template", "-master", "-flat-xml"):
        said = said.removesuffix(suffix)
    return said if said.startswith(OPEN_DOCUMENT) and said in MEDIA_TYPES else None


def _local_names(head: bytes) -> list[bytes]:
    """Names in the local headers that `head` shows."""
    names: list[bytes] = []
    at = head.find(b"PK\x03\x04")
    while 0 <= at <= len(head) - 30 and len(names) < _MAX_NAMES:
        length = int.from_bytes(head[at + 26 : at + 28], "little")
        names.append(head[at + 30 : at + 30 + length])
        at = head.find(b"PK\x03\x04", at + 30)
    return names


def _central_names(tail: bytes) -> list[bytes]:
    """Names in the part of the central directory that `tail` shows."""
    names: list[bytes] = []
    at = tail.find(b"PK\x01\x02")
    while 0 <= at <= len(tail) - 46 and len(names) < _MAX_NAMES:
        fields = _CENTRAL.unpack_from(tail, at)
        names.append(tail[at + 46 : at + 46 + fields[10]])
        at = tail.find(b"PK\x01\x02", at + 46)
    return names
