"""7z archives: members as parts, unpacked as they are read; AES-encrypted ones are strongly protected."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from backports import zstd

from detectors.engine.faults import PARSER_FAULTS
from detectors.engine.streams import size_of, unpacked, window
from detectors.engine.table import Budget, Content, Part, Protected, ReadLimits, Unreadable
from detectors.engine.verdict import Reason

MEDIA_TYPES = frozenset({"application/x-7z-compressed"})
HEAVY = ("py7zr",)
ENCRYPTED = Protected("sevenz_aes", strong=True)

MAX_DICTIONARY = 192 * 1024**2
MAX_HEADER = 16 * 1024**2
_AES = b"\x06\xf1\x07\x01"
_LZMA1, _LZMA2 = b"\x03\x01\x01", b"\x21"
_STEP = 256 * 1024
_FAULTS: tuple[type[Exception], ...] = (*PARSER_FAULTS, lzma.LZMAError, zstd.ZstdError)


def read(stream: BinaryIO, media_type: str, limits: ReadLimits) -> Iterator[Content]:
    """Yield a `Part` for each file; an archive whose very list is encrypted is one `Protected`."""
    import py7zr
    from py7zr import exceptions

    budget = limits.spending()
    size = size_of(stream)
    if int.from_bytes(_head(stream)[20:28], "little") > min(size, MAX_HEADER):
        raise Unreadable(Reason.MALFORMED)
    stream.seek(0)
    try:
        archive = py7zr.SevenZipFile(stream)
        files = [file for file in archive.files if not file.is_directory]
    except exceptions.PasswordRequired:
        yield ENCRYPTED
        return
    except (*_FAULTS, exceptions.ArchiveError):
        raise Unreadable(Reason.MALFORMED) from None
    yield from _parts(archive, files, stream, budget)


def _head(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(32)


def _parts(archive: Any, files: list[Any], stream: BinaryIO, budget: Budget) -> Iterator[Content]:
    """Members in order; those of one folder share one stream that is unpacked once."""
    streams: dict[int, tuple[BinaryIO, bool]] = {}
    offsets: dict[int, int] = {}
    starts = _starts(archive)
    for position, file in enumerate(files):
        budget.enter()
        folder, length = file.folder, file.uncompressed
        if folder is None or not length:
            continue
        if id(folder) not in streams:
            make = partial(_unpack, folder, stream, *starts[id(folder)])
            encrypted = any(coder["method"] == _AES for coder in folder.coders)
            streams[id(folder)] = unpacked(make, budget), encrypted
            offsets[id(folder)] = 0
        unpacked_folder, encrypted = streams[id(folder)]
        start = offsets[id(folder)]
        offsets[id(folder)] = start + length
        opened = partial(window, unpacked_folder, start, length)
        yield Part(position, opened, file.filename, ENCRYPTED if encrypted else None)
    for unpacked_folder, _ in streams.values():
        unpacked_folder.close()


def _starts(archive: Any) -> dict[int, tuple[int, int]]:
    """Where each folder's packed bytes begin, and how many there are."""
    found: dict[int, tuple[int, int]] = {}
    streams = getattr(archive.header, "main_streams", None)
    if streams is None:
        return found
    sizes = streams.packinfo.packsizes
    position, index = archive.afterheader + streams.packinfo.packpos, 0
    for folder in streams.unpackinfo.folders:
        count = max(1, len(folder.packed_indices))
        length = sum(sizes[index : index + count])
        found[id(folder)] = position, length
        position, index = position + length, index + count
    return found


def _dictionary(folder: Any) -> int:
    """The memory that unpacking needs, as the folder states it."""
    most = 0
    for coder in folder.coders:
        properties = coder.get("properties") or b""
        if coder["method"] == _LZMA1 and len(properties) >= 5:
            most = max(most, int.from_bytes(properties[1:5], "little"))
        elif coder["method"] == _LZMA2 and properties:
            bits = properties[0] & 0x3F
            most = max(most, (2 | bits & 1) << (bits // 2 + 11))
    return most


def _unpack(folder: Any, stream: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    from py7zr.exceptions import ArchiveError

    total = folder.get_unpack_size()
    if min(_dictionary(folder), total) > MAX_DICTIONARY:
        raise Unreadable(Reason.LIMIT_MEMORY)
    made, idle, position = 0, 0, start
    try:
        engine = folder.get_decompressor(length, reset=True)
        while made < total:
            stream.seek(position)
            data = engine.decompress(stream, min(_STEP, total - made))
            moved = stream.tell() != position
            position = stream.tell()
            idle = 0 if data or moved else idle + 1
            if idle > 4:
                raise Unreadable(Reason.MALFORMED)
            made += len(data)
            yield bytes(data)
    except (*_FAULTS, ArchiveError):
        raise Unreadable(Reason.MALFORMED) from None
