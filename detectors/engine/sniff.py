"""What kind of file this is, by its content: own signatures first, libmagic for the rest.

Always an entry of the closed table in `media_types`. A name only breaks ties between kinds of
text; it never exempts. Formats' own documents are the source of the signatures.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from detectors.engine.media_types import (
    EMPTY,
    ENCRYPTED_OFFICE,
    MEDIA_TYPES,
    OLE,
    OPENPGP,
    PLAIN,
    UNKNOWN,
    XLS,
    ZIP,
    Family,
)
from detectors.engine.openpgp import is_openpgp, is_wrapped
from detectors.engine.text import looks_like_text
from detectors.engine.text_kind import text_kind
from detectors.engine.zip_kind import ends_in_zip, zip_kind

_MAGIC_BYTES = 8 * 1024

_AT_START: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"PARE", "application/x-encrypted-parquet"),
    (b"ARROW1\0\0", "application/vnd.apache.arrow.file"),
    (b"FEA1", "application/x-feather"),
    (b"ORC", "application/x-orc"),
    (b"Obj\x01", "application/x-avro"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"\x37\x7f\x06\x82\0\x2d\xe2\x18", "application/x-sqlite-wal"),
    (b"\x37\x7f\x06\x83\0\x2d\xe2\x18", "application/x-sqlite-wal"),
    (b"\0\1\0\0Standard Jet DB", "application/x-msaccess"),
    (b"\0\1\0\0Standard ACE DB", "application/x-msaccess"),
    (b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (b"CDF\x01", "application/x-netcdf"),
    (b"CDF\x02", "application/x-netcdf"),
    (b"\x93NUMPY", "application/x-numpy"),
    (b"$FL2", "application/x-spss-sav"),
    (b"$FL3", "application/x-spss-zsav"),
    (b"<stata_dta>", "application/x-stata-dta"),
    (b"HEADER RECORD*******LIB", "application/x-sas-xport"),
    (bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00", "application/x-sas-data"),
    (b"RDX2\n", "application/x-r-rdata"),
    (b"RDX3\n", "application/x-r-rdata"),
    (b"RDA2\n", "application/x-r-rdata"),
    (b"RDA3\n", "application/x-r-rdata"),
    (b"RDB2\n", "application/x-r-rdata"),
    (b"RDB3\n", "application/x-r-rdata"),
    (b"X\n\0\0\0\x02", "application/x-r-rds"),
    (b"X\n\0\0\0\x03", "application/x-r-rds"),
    (b"MATLAB 5.0 MAT-file", "application/x-matlab-data"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x04\x22\x4d\x18", "application/x-lz4"),
    (b"\x1f\x9d", "application/x-compress"),
    (b"!<arch>\n", "application/x-archive"),
    (b"070701", "application/x-cpio"),
    (b"070707", "application/x-cpio"),
    (b"\xed\xab\xee\xdb", "application/x-rpm"),
    (b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (b"MSWIM\0\0\0", "application/x-ms-wim"),
    (b"vhdxfile", "application/x-vhdx"),
    (b"conectix", "application/x-vhd"),
    (b"KDMV", "application/x-vmdk"),
    (b"QFI\xfb", "application/x-qcow2"),
    (b"age-encryption.org/v1\n", "application/x-age"),
    (b"LUKS\xba\xbe", "application/x-luks"),
    (b"encrcdsa", "application/x-encrypted-diskimage"),
    (b"\x03\xd9\xa2\x9a", "application/x-keepass"),
    (b"Salted__", "application/x-openssl-salted"),
    (b"\xc0\xb9\x07\x2e\x4f\x93\xf1\x46\xa0\x15\x79\x2c\xa1\xd9\xe8\x21", "application/x-axcrypt"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
    (b"!BDN", "application/x-outlook-pst"),
    (b"\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"8BPS\0\x01", "image/vnd.adobe.photoshop"),
    (b"\0\0\x01\0", "image/x-icon"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS\0", "audio/ogg"),
    (b"MThd\0\0\0\x06", "audio/midi"),
    (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"\0\x01\0\0\0", "font/ttf"),
    (b"OTTO\0", "font/otf"),
    (b"ttcf\0", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x7fELF", "application/x-elf"),
    (b"\xca\xfe\xba\xbe\0\0\0", "application/java-vm"),
    (b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (b"\0asm\x01\0\0\0", "application/wasm"),
    (b"\xde\x12\x04\x95", "application/x-gettext"),
    (b"\x95\x04\x12\xde", "application/x-gettext"),
    (b"DIRC\0\0\0", "application/x-git-index"),
    (b"BC\xc0\xde", "application/x-llvm-bitcode"),
)
_ANY_AT_START = tuple(signature for signature, _ in _AT_START)
_TEXT_LIKE = frozenset({b"ORC", b"ID3", b"070701", b"070707", b"$FL2", b"$FL3", b"PAR1", b"PARE", b"FEA1",
                        b"Salted__", b"KDMV", b"wOFF", b"wOF2", b"conectix", b"encrcdsa", b"vhdxfile",
                        b"GIF87a", b"GIF89a", b"!BDN"})  # fmt: skip
"""Signatures that a text might begin with: they count only where what follows is binary."""

_AT_END = frozenset({b"PAR1", b"PARE", b"FEA1", b"ORC"})
"""Formats that end as they begin: one of all text columns looks like text up to there."""
_END_BYTES, _FEW_BYTES = 5, 512

_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic", b"avif": "image/avif",
           b"M4A ": "audio/mp4", b"qt  ": "video/quicktime"}  # fmt: skip
_OLE_STREAMS = (
    ("EncryptedPackage", ENCRYPTED_OFFICE),
    ("Workbook", XLS),
    ("Book", XLS),
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("__substg1.0_", "application/vnd.ms-outlook"),
)
_OF_MAGIC = {
    "application/x-executable": "application/x-elf", "application/x-sharedlib": "application/x-elf",
    "application/x-pie-executable": "application/x-elf", "application/x-object": "application/x-elf",
    "application/x-java-applet": "application/java-vm", "application/vnd.microsoft.portable-executable":
    "application/x-dosexec", "application/x-bytecode.python": "application/x-python-bytecode",
    "application/x-gettext-translation": "application/x-gettext", "application/x-rar": "application/vnd.rar",
    "application/x-sqlite3": "application/vnd.sqlite3", "application/x-zstd": "application/zstd",
    "application/x-gzip": "application/gzip", "application/x-cab": "application/vnd.ms-cab-compressed",
    "application/x-shockwave-flash": "application/x-shockwave-flash", "application/cdfv2": OLE,
    "application/x-debian-package": "application/x-archive", "application/vnd.debian.binary-package":
    "application/x-archive", "application/vnd.ms-opentype": "font/otf",
}  # fmt: skip
_MAIN_TYPES = {"image": "image/x-other", "audio": "audio/x-other", "video": "video/x-other",
               "font": "font/x-other", "text": PLAIN}  # fmt: skip
_MAY_END_IN_ZIP = {Family.PICTURE, Family.SOUND, Family.FILM, Family.FONT, Family.PROGRAM, Family.UNKNOWN}
_DER = re.compile(
    rb"\x30[\x00-\x84].{0,4}(?:\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07[\x01-\x06]"
    rb"|\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01[\x09\x17])",
    re.DOTALL,
)


@cache
def _magic() -> Any:
    """libmagic with its database loaded; None where it cannot be."""
    try:
        import pylibmagic  # noqa: F401  (makes `magic` find the library in the wheel)
    except ImportError:
        pass
    try:
        import magic

        return magic.Magic(mime=True)
    except (ImportError, OSError):
        return None


def preload() -> bool:
    """Load libmagic and its database before the sandbox closes. False if it is not there."""
    return _magic() is not None and bool(_by_libmagic(b"%PDF-1.4\n"))


def sniff(head: bytes, tail: bytes, size: int, untrusted_name: str = "") -> str:
    """The media type of a file of `size` bytes with these first and last bytes (64 KiB or all each)."""
    if not size or not head:
        return EMPTY
    found = _signature(head, tail, size)
    if found is None:
        found = text_kind(head, tail, size, untrusted_name) if looks_like_text(head) else _by_libmagic(head)
    if MEDIA_TYPES[found] in _MAY_END_IN_ZIP and ends_in_zip(tail):
        return ZIP
    return found


def _signature(head: bytes, tail: bytes, size: int) -> str | None:
    for signature, media_type in _AT_START if head.startswith(_ANY_AT_START) else ():
        if head.startswith(signature):
            closed = signature in _AT_END and signature in tail[-_END_BYTES:]
            if signature in _TEXT_LIKE and not closed and looks_like_text(head[:_FEW_BYTES]):
                break
            return media_type
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04")):
        return zip_kind(head, tail)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_kind(head, tail)
    return _elsewhere(head, tail) or _by_structure(head, size)


def _elsewhere(head: bytes, tail: bytes) -> str | None:
    """Signatures that do not stand at the very start."""
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    if head[3:11] == b"-FVE-FS-":
        return "application/x-bitlocker"
    if head[8:12] == b"DUCK":
        return "application/x-duckdb"
    if b"ENCRYPTEDSAV" in head[:32]:
        return "application/x-encrypted-spss"
    if re.match(rb"A\n[23]\n\d{5,7}\n", head):
        return "application/x-r-rds"
    if b"SPSS PORT FILE" in head[:400]:
        return "application/x-spss-por"
    if head[32769:32774] == b"CD001":
        return "application/x-iso9660-image"
    if tail[-512:-508] == b"koly":
        return "application/x-apple-diskimage"
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], "audio/x-other")
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "application/x-bzip2"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp"
    return None


def _by_structure(head: bytes, size: int) -> str | None:
    """Formats with no constant signature: their first fields must make sense together."""
    if head[257:262] == b"ustar" or _is_old_tar(head):
        return "application/x-tar"
    if is_openpgp(head, size) or is_wrapped(head, size):
        return OPENPGP
    if _DER.match(head[:32]):
        return "application/pkcs7-mime"
    if 0x66 <= head[0] <= 0x73 and head[1:2] in b"\1\2" and head[2:4] == b"\1\0":
        return "application/x-stata-dta"
    if head[:4] == b"\xff\xff\xff\xff" and 0 < int.from_bytes(head[4:8], "little") < min(size, 1 << 24):
        return "application/vnd.apache.arrow.stream"
    if head[:1] == b"\x80" and head[1:2] in b"\2\3\4\5" and head[2:3] in b"\x95c]}(NXK\x8c":
        return "application/x-pickle"
    if _is_lzma(head):
        return "application/x-lzma"
    if head[:4] in (b"MZ\x90\0", b"MZP\0") or (head[:2] == b"MZ" and b"PE\0\0" in head[:1024]):
        return "application/x-dosexec"
    if head[2:4] == b"\r\n" and head[:1] > b"\x20" and not looks_like_text(head[:64]):
        return "application/x-python-bytecode"
    return "application/x-dbf" if _is_dbf(head, size) else None


def _is_old_tar(head: bytes) -> bool:
    """A tar header before POSIX: only its checksum tells it."""
    block = head[:512]
    if len(block) < 512 or not block[0]:
        return False
    try:
        stated = int(block[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    return stated == sum(block[:148]) + 8 * 32 + sum(block[156:])


def _is_lzma(head: bytes) -> bool:
    """LZMA alone: properties of the usual encoder, a power of two as dictionary, a sane length."""
    if len(head) < 14 or head[0] != 0x5D or head[13] != 0:
        return False
    dictionary, length = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    return dictionary.bit_count() <= 2 and dictionary >= 1 << 12 and (length < 1 << 40 or length == 2**64 - 1)


_DBF_KINDS = frozenset(bytes([kind]) for kind in b"CNFLDIBTYM@+OGP")


def _is_dbf(head: bytes, size: int) -> bool:
    """dBase: a date, then header and record lengths that the file's size or the first field agree with."""
    if head[:1] not in b"\x03\x30\x31\x83\x8b\xf5" or len(head) < 65:
        return False
    records, header = int.from_bytes(head[4:8], "little"), int.from_bytes(head[8:10], "little")
    length = int.from_bytes(head[10:12], "little")
    sane = 1 <= head[2] <= 12 and 1 <= head[3] <= 31 and header > 32 and length > 1
    field = head[32:64]
    named = field[0] >= 0x20 and field[11:12] in _DBF_KINDS and header % 32 in (1, 8) and field[16] < length
    return sane and (abs(header + records * length - size) <= 2 or named)


def _ole_kind(head: bytes, tail: bytes) -> str:
    """Which program's compound file this is, by its streams' names where head or tail hold them."""
    for name, media_type in _OLE_STREAMS:
        coded = name.encode("utf-16-le")
        if not name.endswith("_"):
            coded += b"\0\0"
        if coded in head or coded in tail:
            return media_type
    return OLE


def _by_libmagic(head: bytes) -> str:
    engine = _magic()
    if engine is None:
        return UNKNOWN
    try:
        said = str(engine.from_buffer(head[:_MAGIC_BYTES])).lower()
    except Exception:  # libmagic's own exception has no stable home; what it cannot say is unknown
        return UNKNOWN
    said = _OF_MAGIC.get(said, said)
    return said if said in MEDIA_TYPES else _MAIN_TYPES.get(said.partition("/")[0], UNKNOWN)
