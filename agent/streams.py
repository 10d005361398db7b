"""The two ends of a deposit: a reader that trusts no offset, a writer that ends on the disk."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Thread
from typing import Literal, Protocol

BLOCK_BYTES = 1 << 20
WRITE_BACK_BYTES = 8 * BLOCK_BYTES
BLOCKS_BEHIND = 4
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

NotDeposited = Literal["vault_full", "vault_error", "changed", "in_use", "io_error", "revoked"]


class DepositFailed(Exception):
    """Nothing was deposited; the source is untouched. `reason` says who must act."""

    def __init__(self, reason: NotDeposited) -> None:
        super().__init__(reason)
        self.reason: NotDeposited = reason

    @property
    def passing(self) -> bool:
        """Whether the file itself was only busy."""
        return self.reason in ("changed", "in_use", "revoked")


@contextmanager
def vault_faults() -> Iterator[None]:
    """Turns the vault's own `OSError` into `DepositFailed`."""
    try:
        yield
    except OSError as error:
        raise _vault_fault(error) from None


def _vault_fault(error: OSError) -> DepositFailed:
    return DepositFailed("vault_full" if error.errno in _NO_ROOM else "vault_error")


class Digest(Protocol):
    """What `hashlib.sha256()` gives, or `DigestBehind`."""

    def update(self, data: bytes | bytearray, /) -> None: ...

    def hexdigest(self) -> str: ...


class DigestBehind:
    """SHA-256 of a stream. If it has whole blocks a thread works, some blocks behind, until `close`.

    What it was given must not be changed any more.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._behind: Queue[bytes | bytearray | None] = Queue(BLOCKS_BEHIND)
        self._worker: Thread | None = None

    def update(self, data: bytes | bytearray, /) -> None:
        if self._worker is None and len(data) < BLOCK_BYTES:
            self._digest.update(data)
            return
        if self._worker is None:
            self._worker = Thread(target=self._work, daemon=True)
            self._worker.start()
        self._behind.put(data)

    def _work(self) -> None:
        while (data := self._behind.get()) is not None:
            self._digest.update(data)

    def hexdigest(self) -> str:
        self.close()
        return self._digest.hexdigest()

    def close(self) -> None:
        """Wait for the thread to end. A second call does nothing."""
        if self._worker is not None:
            self._behind.put(None)
            self._worker.join()
        self._worker = None


class Known:
    """The digest of what is written next, which was taken before."""

    def __init__(self, sha256: str) -> None:
        self._sha256 = sha256

    def update(self, data: bytes | bytearray, /) -> None:
        """It is known already."""

    def hexdigest(self) -> str:
        return self._sha256


class PositionalReader:
    """Reads a descriptor by position, at most to the size it had: nobody's offset matters."""

    def __init__(
        self, fd: int, size: int, while_working: Callable[[], None], digest: Digest | None = None
    ) -> None:
        self._fd, self._size, self._while_working = fd, size, while_working
        self._block = memoryview(b"")
        self._fetched = 0
        self.offset = 0
        self.digest: Digest = digest or hashlib.sha256()
        self.fault: BaseException | None = None

    def read(self, most: int = -1) -> bytes:
        try:
            if not self._block:
                self._fetch()
        except BaseException as error:
            self.fault = error
            raise
        piece = self._block if most < 0 else self._block[:most]
        self._block = self._block[len(piece) :]
        self.offset += len(piece)
        return bytes(piece)

    def _fetch(self) -> None:
        self._while_working()
        wanted = min(BLOCK_BYTES, self._size - self._fetched)
        try:
            block = os.pread(self._fd, wanted, self._fetched) if wanted > 0 else b""
        except OSError:
            raise DepositFailed("io_error") from None
        self._fetched += len(block)
        self.digest.update(block)
        self._block = memoryview(block)


def holds(fd: int, size: int, sha256: str, while_working: Callable[[], None]) -> bool:
    """Whether the open file has this size and, read through, this digest (hexadecimal)."""
    reader = PositionalReader(fd, size, while_working)
    try:
        if os.fstat(fd).st_size != size:
            return False
        while reader.read():
            pass
    except (OSError, DepositFailed):
        return False
    return reader.digest.hexdigest() == sha256


class DurableWriter:
    """Gathers small writes into blocks; counts and digests; `finish` makes them durable."""

    def __init__(self, file: io.FileIO, *, durable: bool = True, digest: Digest | None = None) -> None:
        self._file = file
        self._durable = durable
        self._gathered = bytearray()
        self.digest: Digest = digest or hashlib.sha256()
        self.size = 0
        self._written_back = 0
        self.fault: BaseException | None = None

    def write(self, data: bytes) -> int:
        if self._gathered or len(data) < BLOCK_BYTES:
            self._gathered += data
            if len(self._gathered) >= BLOCK_BYTES:
                self._put()
        else:
            self._put_block(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: pyrage flushes after each chunk of 64 KiB."""

    def end(self) -> None:
        """All was written: the kernel begins to put it on the disk."""
        self._put()
        self._begin_to_write_back(0)

    def finish(self) -> None:
        self._put()
        if self._durable:
            with vault_faults():
                os.fsync(self._file.fileno())

    def _put(self) -> None:
        data, self._gathered = self._gathered, bytearray()
        self._put_block(data)

    def _put_block(self, data: bytes | bytearray) -> None:
        self.digest.update(data)
        self.size += len(data)
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) or 0 :]
            self._begin_to_write_back(WRITE_BACK_BYTES)
        except OSError as error:
            self.fault = _vault_fault(error) if self._durable else error
            raise self.fault from None

    def _begin_to_write_back(self, least: int) -> None:
        """So that `finish` has little left to wait for, and what nobody reads soon fills no memory."""
        begun = self._written_back
        if self.size - begun >= least:
            os.posix_fadvise(self._file.fileno(), begun, self.size - begun, os.POSIX_FADV_DONTNEED)
            self._written_back = self.size
