"""Each decompressor: whole, in pieces, broken."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterator

import pytest
from backports import zstd

from detectors.engine.table import Unreadable
from detectors.engine.unpack import bounded, xz_engine, zstd_engine

TEXT = b"a line of text\n" * 20_000
Unpack = Callable[[Iterator[bytes]], Iterator[bytes]]
CASES: dict[str, tuple[bytes, Unpack]] = {
    "bz2": (bz2.compress(TEXT), lambda p: bounded(p, bz2.BZ2Decompressor, many=True)),
    "xz": (lzma.compress(TEXT), lambda p: bounded(p, xz_engine, many=True)),
    "lzma": (lzma.compress(TEXT, lzma.FORMAT_ALONE), lambda p: bounded(p, xz_engine)),
    "zstd": (zstd.compress(TEXT), lambda p: bounded(p, zstd_engine, many=True)),
}


@pytest.mark.parametrize("name", CASES)
def test_pieces_of_any_size_give_the_whole(name: str) -> None:
    data, unpack = CASES[name]
    for step in (1, 7, 10_000):
        assert b"".join(unpack(data[i : i + step] for i in range(0, len(data), step))) == TEXT


@pytest.mark.parametrize("name", CASES)
def test_a_broken_or_unfinished_stream_is_malformed(name: str) -> None:
    data, unpack = CASES[name]
    for bad in (data[:-5], b"rubbish" * 20):
        with pytest.raises(Unreadable, match="malformed"):
            list(unpack(iter([bad])))


@pytest.mark.parametrize("name", ["bz2", "xz", "zstd"])
def test_streams_may_follow_each_other(name: str) -> None:
    data, unpack = CASES[name]
    assert b"".join(unpack(iter([data + data]))) == TEXT * 2


def test_a_window_that_is_too_large_is_refused() -> None:
    engine = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    data = engine.compress(TEXT) + engine.flush()
    with pytest.raises(Unreadable):
        list(bounded(iter([data]), zstd_engine))
