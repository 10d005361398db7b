"""Archives and compressed files: each member a `Part`; members that are encrypted say how well.

zip (also members that its directory hides), tar, gzip, bzip2, xz, lzma, zstd. Names never leave here
but as hints for the sniffer.
"""

from __future__ import annotations

import bz2
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, cast

from detectors.engine.streams import chunks_of, read_at, unpacked, window
from detectors.engine.table import Budget, Content, Part, Protected, ReadLimits, Unreadable
from detectors.engine.unpack import bounded, gunzipped, xz_engine, zstd_engine
from detectors.engine.verdict import Reason
from detectors.engine.zip_directory import AES, STRONG, Entry, entries, extra_field, open_entry
from detectors.readers import spreadsheet

MEDIA_TYPES = frozenset(
    {
        "application/zip",
        "application/x-tar",
        "application/gzip",
        "application/x-bzip2",
        "application/x-xz",
        "application/x-lzma",
        "application/zstd",
    }
)
SCHEMES = frozenset({"zip_aes", "zip_crypto", "zip_pkware", "zip_pkware_weak"})

_STRONG_PKWARE = frozenset({0x660E, 0x660F, 0x6610, 0x6720, 0x6721})
_AES_SALTS = {1: 8, 2: 12, 3: 16}
_PROBE_BYTES = 512
MAX_TAR_HEADER = 1024 * 1024


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield one `Part` for each member, in the archive's order; directories and links are none."""
    budget = limits.spending()
    if media_type == "application/zip":
        yield from _zip(stream, limits, budget)
    elif media_type == "application/x-tar":
        yield from _tar(stream, budget)
    else:
        budget.enter()
        yield Part(0, partial(unpacked, partial(_single, media_type, stream), budget))


def _single(media_type: str, stream: BinaryIO) -> Iterator[bytes]:
    packed = chunks_of(stream, 0, None)
    if media_type == "application/gzip":
        return gunzipped(packed)
    if media_type == "application/x-bzip2":
        return bounded(packed, bz2.BZ2Decompressor, many=True)
    if media_type == "application/zstd":
        return bounded(packed, zstd_engine, many=True)
    return bounded(packed, xz_engine, many=True)


def _zip(stream: BinaryIO, limits: ReadLimits, budget: Budget) -> Iterator[Content]:
    """A zip's members, or what it is if it is a package of Office."""
    names = _first_names(stream)
    if "xl/workbook.xml" in names:
        yield from spreadsheet.read(stream, "application/zip", limits)
        return
    for position, entry in enumerate(entries(stream, budget)):
        if entry.untrusted_name.endswith("/") and not entry.length:
            continue
        protected = _protected(stream, entry) if entry.encrypted else None
        yield Part(position, partial(open_entry, stream, entry, budget), entry.untrusted_name, protected)


def _first_names(stream: BinaryIO) -> set[str]:
    """The names of a zip's first members, without spending for it."""
    names: set[str] = set()
    try:
        for entry in entries(stream, Budget(0, 200)):
            names.add(entry.untrusted_name.replace("\\", "/").lower())
    except Unreadable:
        pass
    return names


def _protected(stream: BinaryIO, entry: Entry) -> Protected | None:
    """How a member is encrypted; None if it only says so."""
    if entry.method == AES:
        field = extra_field(entry.extra, 0x9901) or b""
        salt = _AES_SALTS.get(field[4]) if len(field) == 7 and field[2:4] == b"AE" else None
        if salt is None or entry.length < salt + 12 or _is_plain(stream, entry, salt + 2):
            return None
        return Protected("zip_aes", strong=True)
    if _is_plain(stream, entry, 0):
        return None
    if entry.flags & STRONG:
        field = extra_field(entry.extra, 0x0017) or b""
        strong = len(field) >= 4 and int.from_bytes(field[2:4], "little") in _STRONG_PKWARE
        return Protected("zip_pkware" if strong else "zip_pkware_weak", strong)
    return Protected("zip_crypto", strong=False)


def _is_plain(stream: BinaryIO, entry: Entry, skip: int) -> bool:
    """Whether bytes that claim to be encrypted are text, or deflate that unpacks as it stands."""
    data = read_at(stream, entry.data + skip, min(entry.length, _PROBE_BYTES)) if entry.data >= 0 else b""
    if len(data) >= 64 and max(data) < 0x80:
        return True
    try:
        out = zlib.decompressobj(-15).decompress(data, 4096)
    except zlib.error:
        return False
    return len(out) >= 256


def _tar(stream: BinaryIO, budget: Budget) -> Iterator[Content]:
    """Regular members, each a window on the archive; sparse ones are not opened."""
    headers = _Headers(stream)
    try:
        with tarfile.open(fileobj=cast(BinaryIO, headers), mode="r:", errorlevel=0) as archive:
            for position, member in enumerate(_members(archive)):
                budget.enter()
                if member.isreg() or member.issparse():
                    yield Part(position, partial(_open_member, stream, member), member.name)
            end = archive.offset
    except (tarfile.TarError, ValueError, OverflowError, EOFError):
        raise Unreadable(Reason.MALFORMED) from None
    if any(chunk.strip(b"\0") for chunk in chunks_of(stream, end, None)):
        raise Unreadable(Reason.MALFORMED)


class _Headers:
    """The archive as `tarfile` sees it: it may read headers, and no header is long."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, count: int) -> bytes:
        if not 0 <= count <= MAX_TAR_HEADER:
            raise tarfile.ReadError
        return self._stream.read(count)


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Members one by one, without the list that `tarfile` keeps of them."""
    while (member := archive.next()) is not None:
        vars(archive)["members"] = []
        yield member


def _open_member(stream: BinaryIO, member: tarfile.TarInfo) -> BinaryIO:
    if member.issparse():
        raise Unreadable(Reason.UNSUPPORTED)
    return window(stream, member.offset_data, member.size)
