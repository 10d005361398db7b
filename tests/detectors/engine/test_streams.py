"""Windows and unpacked bytes: random access, counted, faults only where the bytes end."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.engine.streams import Slice, Unpacked, chunks_of, read_at
from detectors.engine.table import Budget, Unreadable
from detectors.engine.unpack import gunzipped, inflated
from detectors.engine.verdict import Reason

WHOLE = bytes(range(256)) * 3000
PACKED = zlib.compress(WHOLE)[2:-4]


def unpacked(memory: int, data: bytes = PACKED, expanded: int = 1 << 30) -> Unpacked:
    budget = Budget(expanded, 10)
    budget.memory = memory
    return Unpacked(lambda: inflated(chunks_of(io.BytesIO(data), 0, None)), budget)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) + 10), st.integers(0, 5000)), max_size=8))
@pytest.mark.parametrize("memory", [0, 300_000, 1 << 30])
def test_any_place_reads_as_of_the_whole(memory: int, places: list[tuple[int, int]]) -> None:
    stream = unpacked(memory)
    for offset, count in places:
        stream.seek(offset)
        assert stream.read(count) == WHOLE[offset : offset + count]
    assert stream.seek(0, io.SEEK_END) == len(WHOLE)
    stream.seek(0)
    assert stream.readall() == WHOLE


def test_what_was_made_before_a_fault_can_be_read_and_then_the_fault_is_raised() -> None:
    stream = unpacked(1 << 30, PACKED[: len(PACKED) // 2])
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    assert stream.read(size) == WHOLE[:size]
    with pytest.raises(Unreadable, match="malformed"):
        stream.read(1)


def test_unpacking_is_spent_from_the_budget() -> None:
    stream = unpacked(1 << 30, expanded=400_000)
    with pytest.raises(Unreadable, match="limit_expanded"):
        stream.readall()


def test_memory_is_given_back() -> None:
    budget = Budget(1 << 30, 1)
    before = budget.memory
    stream = Unpacked(lambda: iter([b"x" * 1000]), budget)
    stream.readall()
    assert budget.memory == before - 1000
    stream.close()
    assert budget.memory == before


def test_a_window_that_the_stream_does_not_fill_is_malformed() -> None:
    window = Slice(io.BytesIO(b"abcdef"), 2, 10)
    assert window.read(4) == b"cdef"
    with pytest.raises(Unreadable, match="malformed"):
        window.read(1)
    assert Slice(io.BytesIO(b"abcdef"), 2, 3).read() == b"cde"


def test_an_io_error_is_unreadable() -> None:
    class Broken(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            raise OSError

    with pytest.raises(Unreadable) as stopped:
        read_at(Broken(b"x"), 0, 1)
    assert stopped.value.reason is Reason.IO_ERROR


def test_gzip_members_follow_each_other_and_rubbish_after_them_is_malformed() -> None:
    import gzip

    two = gzip.compress(b"one") + gzip.compress(b"two")

    def out(data: bytes) -> Iterator[bytes]:
        return gunzipped(iter([data[:5], data[5:]]))

    assert b"".join(out(two)) == b"onetwo"
    assert b"".join(out(two + bytes(512))) == b"onetwo"
    with pytest.raises(Unreadable):
        list(out(two + b"hello"))
    with pytest.raises(Unreadable):
        list(out(two[:-3]))


def test_steps_of_unpacking_are_bounded() -> None:
    bomb = zlib.compress(bytes(50_000_000))[2:-4]
    make = partial(inflated, iter([bomb]))
    assert max(map(len, make())) <= 1 << 18
