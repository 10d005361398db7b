"""Decompression in bounded steps: chunks of packed bytes in, chunks of at most 256 KiB or so out.

Each raises `Unreadable(malformed)` on a broken or unfinished stream, after all that could be unpacked.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Protocol

from backports import zstd
from inflate64 import Inflater

from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason

OUT_CHUNK = 256 * 1024


def gunzipped(packed: Iterator[bytes]) -> Iterator[bytes]:
    """A gzip file: members one after the other, zero bytes as padding after the last."""
    return bounded(packed, _Gzip, many=True)


class _Gzip:
    """One gzip member in the manner of the other decompressors."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        return not self._engine.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._engine.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._engine.decompress(self._engine.unconsumed_tail + data, max_length)


class _Engine(Protocol):
    """What the decompressors of bz2, lzma and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def inflated(packed: Iterator[bytes], wbits: int = -15) -> Iterator[bytes]:
    """Raw deflate (or what `wbits` says) undone; one stream, an early end is `malformed`."""
    engine = zlib.decompressobj(wbits)
    try:
        for chunk in packed:
            while chunk:
                out = engine.decompress(chunk, OUT_CHUNK)
                if out:
                    yield out
                if engine.eof:
                    return
                chunk = engine.unconsumed_tail
        while out := engine.decompress(b"", OUT_CHUNK):
            yield out
    except zlib.error:
        raise Unreadable(Reason.MALFORMED) from None
    if not engine.eof:
        raise Unreadable(Reason.MALFORMED)


def bounded(packed: Iterator[bytes], fresh: Callable[[], _Engine], many: bool = False) -> Iterator[bytes]:
    """Unpack in bounded steps; `many` streams may follow each other, as in .bz2, .xz and .zst files."""
    engine = fresh()
    started = True
    try:
        for chunk in packed:
            while chunk:
                if engine.eof:
                    if not many or not chunk.strip(b"\0"):
                        return
                    engine = fresh()
                started = True
                yield engine.decompress(chunk, OUT_CHUNK)
                while not engine.eof and not engine.needs_input:
                    yield engine.decompress(b"", OUT_CHUNK)
                chunk = engine.unused_data if engine.eof else b""
                started = not engine.eof
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zstd.ZstdError):
        raise Unreadable(Reason.MALFORMED) from None
    if started:
        raise Unreadable(Reason.MALFORMED)


def _unlzma(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Method 14: two bytes version, two of length, the properties, then raw LZMA1."""
    head = next(packed, b"")
    if len(head) < 9:
        raise Unreadable(Reason.MALFORMED)
    length = int.from_bytes(head[2:4], "little")
    properties, rest = head[4 : 4 + length], head[4 + length :]
    if length != 5:
        raise Unreadable(Reason.MALFORMED)
    bits, dictionary = properties[0], int.from_bytes(properties[1:5], "little")
    if bits >= 225 or dictionary > 64 * 1024**2:
        raise Unreadable(Reason.LIMIT_MEMORY)
    spec = {
        "id": lzma.FILTER_LZMA1,
        "lc": bits % 9,
        "lp": bits // 9 % 5,
        "pb": bits // 45,
        "dict_size": max(dictionary, 4096),
    }
    engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[spec])
    try:
        for chunk in chain([rest], packed):
            yield engine.decompress(chunk, OUT_CHUNK)
            while not engine.eof and not engine.needs_input:
                yield engine.decompress(b"", OUT_CHUNK)
            if engine.eof:
                return
    except (lzma.LZMAError, EOFError):
        raise Unreadable(Reason.MALFORMED) from None


def _un64(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Method 9, which Windows uses for members above 2 GB."""
    engine = Inflater()
    try:
        for chunk in packed:
            for at in range(0, len(chunk), 4096):
                yield engine.inflate(chunk[at : at + 4096])
                if engine.eof:
                    return
    except (ValueError, RuntimeError, EOFError):
        raise Unreadable(Reason.MALFORMED) from None


def zstd_engine() -> _Engine:
    """A decompressor that refuses windows above 64 MiB."""
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 26}
    return zstd.ZstdDecompressor(options=options)


def xz_engine() -> _Engine:
    """A decompressor of .xz and .lzma that refuses dictionaries above 128 MiB."""
    return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=128 * 1024**2)


ZIP_METHODS: dict[int, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    8: inflated,
    9: _un64,
    12: lambda packed: bounded(packed, bz2.BZ2Decompressor),
    14: _unlzma,
    93: lambda packed: bounded(packed, zstd_engine),
    95: lambda packed: bounded(packed, xz_engine),
}
