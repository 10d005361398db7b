"""Byte streams that readers make: a window on a stream, and random access to what can only be unpacked.

Reading one raises nothing but `Unreadable`. What is unpacked is counted on the file's budget each
time that it is made, because that is work; up to the budget's memory the bytes are kept, so that
going back is free.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from detectors.engine.table import Budget, Unreadable
from detectors.engine.verdict import Reason

CHUNK = 64 * 1024
OUT_CHUNK = 256 * 1024
TAIL_BYTES = 64 * 1024


def read_at(stream: BinaryIO, offset: int, count: int) -> bytes:
    """Up to `count` bytes from `offset`; fewer only at the end. An I/O error is `Unreadable`."""
    parts: list[bytes] = []
    try:
        stream.seek(offset)
        while count > 0:
            part = stream.read(count)
            if not part:
                break
            parts.append(part)
            count -= len(part)
    except OverflowError:
        raise Unreadable(Reason.MALFORMED) from None
    except (OSError, ValueError):
        raise Unreadable(Reason.IO_ERROR) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def size_of(stream: BinaryIO) -> int:
    """The stream's length, its position set back to 0."""
    try:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
    except (OSError, ValueError):
        raise Unreadable(Reason.IO_ERROR) from None
    return size


def chunks_of(stream: BinaryIO, offset: int, length: int | None) -> Iterator[bytes]:
    """`length` bytes from `offset` (None: to the end) in chunks; others may use the stream meanwhile."""
    while length is None or length > 0:
        chunk = read_at(stream, offset, CHUNK if length is None else min(CHUNK, length))
        if not chunk:
            return
        offset += len(chunk)
        if length is not None:
            length -= len(chunk)
        yield chunk


class _Seekable(io.RawIOBase):
    """Position keeping; subclasses give `_at` and `_size`."""

    def __init__(self) -> None:
        self._position = 0

    def _at(self, offset: int, count: int) -> bytes:
        raise NotImplementedError

    def _size(self) -> int:
        raise NotImplementedError

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position}.get(whence)
        self._position = max(0, (self._size() if base is None else base) + offset)
        return self._position

    def read(self, count: int | None = -1, /) -> bytes:
        if count is None or count < 0:
            return b"".join(iter(lambda: self.read(OUT_CHUNK), b""))
        parts: list[bytes] = []
        while count > 0 and (part := self._at(self._position, count)):
            parts.append(part)
            count -= len(part)
            self._position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readall(self) -> bytes:
        return self.read(-1)

    def readinto(self, buffer: memoryview | bytearray, /) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Slice(_Seekable):
    """A window of `length` bytes on a seekable stream; it is `malformed` where the stream ends before."""

    def __init__(self, stream: BinaryIO, start: int, length: int) -> None:
        super().__init__()
        self._stream, self._start, self._length = stream, start, length

    def _at(self, offset: int, count: int) -> bytes:
        count = min(count, self._length - offset)
        if count <= 0:
            return b""
        data = read_at(self._stream, self._start + offset, count)
        if not data:
            raise Unreadable(Reason.MALFORMED)
        return data

    def _size(self) -> int:
        return self._length


class Unpacked(_Seekable):
    """Random access to bytes that can only be made from the start, by `make`.

    Where making fails, what was made can still be read; reading on raises the fault.
    """

    def __init__(self, make: Callable[[], Iterator[bytes]], budget: Budget) -> None:
        super().__init__()
        self._make, self._budget = make, budget
        self._kept = bytearray()
        self._keeps = True
        self._source: Iterator[bytes] | None = None
        self._chunk = b""
        self._chunk_at = 0
        self._end: int | None = None
        self._tail = b""
        self._fault: Reason | None = None

    def _next(self) -> bool:
        """Make the next chunk; False at the end."""
        if self._source is None:
            self._source, self._chunk, self._chunk_at = self._make(), b"", 0
        chunk = self._made()
        before, self._chunk_at = self._chunk, self._chunk_at + len(self._chunk)
        if chunk is None:
            self._chunk = b""
            if self._end is None:
                self._end, self._tail = self._chunk_at, (self._tail + before)[-TAIL_BYTES:]
            return False
        self._tail = (self._tail + before)[-TAIL_BYTES:] if self._end is None else self._tail
        self._chunk = chunk
        if self._keeps and len(self._kept) == self._chunk_at:
            self._keeps = self._budget.keep(len(chunk))
            if self._keeps:
                self._kept += chunk
        return True

    def _made(self) -> bytes | None:
        try:
            chunk = next(cast(Iterator[bytes], self._source), None)
            self._budget.expand(len(chunk or b""))
        except Unreadable as fault:
            self._fault = fault.reason
            return None
        return chunk

    def _finish(self) -> bytes:
        if self._fault is not None:
            raise Unreadable(self._fault)
        return b""

    def _at(self, offset: int, count: int) -> bytes:
        if offset < len(self._kept):
            return bytes(self._kept[offset : offset + count])
        if self._end is not None:
            if offset >= self._end:
                return self._finish()
            if offset >= self._end - len(self._tail):
                start = offset - (self._end - len(self._tail))
                return self._tail[start : start + count]
        if offset < self._chunk_at:
            self._source = None
        while self._source is None or offset >= self._chunk_at + len(self._chunk):
            if not self._next():
                return self._finish()
        start = offset - self._chunk_at
        return self._chunk[start : start + count]

    def _size(self) -> int:
        while self._end is None:
            self._next()
        return self._end

    def close(self) -> None:
        self._budget.keep(-len(self._kept))
        self._kept = bytearray()
        self._keeps = False
        super().close()


def unpacked(make: Callable[[], Iterator[bytes]], budget: Budget) -> BinaryIO:
    """An `Unpacked` as the type that readers take."""
    return cast(BinaryIO, Unpacked(make, budget))


def window(stream: BinaryIO, start: int, length: int) -> BinaryIO:
    """A `Slice` as the type that readers take."""
    return cast(BinaryIO, Slice(stream, start, length))
