"""The two ends of a deposit."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from contextlib import closing

import pytest

from agent.streams import (
    BLOCK_BYTES,
    WRITE_BACK_BYTES,
    DepositFailed,
    DigestBehind,
    DurableWriter,
    PositionalReader,
    vault_faults,
)


@pytest.mark.parametrize("most", [1, 8192, 10**9, -1])
def test_what_is_read_is_what_is_there_whatever_the_pieces(tmp_path, most):
    content = os.urandom(20_000 if most == 1 else 2 * BLOCK_BYTES + 17)
    (tmp_path / "f").write_bytes(content)
    with (tmp_path / "f").open("rb") as file:
        reader = PositionalReader(file.fileno(), len(content), lambda: None)
        pieces = []
        while piece := reader.read(most):
            pieces.append(piece)
    assert b"".join(pieces) == content
    assert reader.digest.digest() == hashlib.sha256(content).digest() and reader.offset == len(content)


def test_nothing_beyond_the_size_is_read(tmp_path):
    (tmp_path / "f").write_bytes(b"0123456789")
    with (tmp_path / "f").open("rb") as file:
        reader = PositionalReader(file.fileno(), 4, lambda: None)
        assert reader.read() == b"0123" and reader.read() == b""


def test_a_fault_of_the_medium_is_kept_for_whoever_wraps_it():
    reading, writing = os.pipe()  # has no positions
    reader = PositionalReader(reading, 10, lambda: None)
    with pytest.raises(DepositFailed, match="io_error"):
        reader.read()
    assert isinstance(reader.fault, DepositFailed)
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("digest", [hashlib.sha256, DigestBehind])
@pytest.mark.parametrize("piece_bytes", [65_552, BLOCK_BYTES + 7])
def test_what_is_written_is_counted_digested_and_there(tmp_path, digest, piece_bytes):
    content = os.urandom(WRITE_BACK_BYTES + 3 * BLOCK_BYTES + 5)
    with io.FileIO(tmp_path / "f", "wb") as file:
        writer = DurableWriter(file, digest=digest())
        for start in range(0, len(content), piece_bytes):
            writer.write(content[start : start + piece_bytes])
            writer.flush()
        writer.finish()
    assert (tmp_path / "f").read_bytes() == content
    assert (writer.size, writer.digest.hexdigest()) == (len(content), hashlib.sha256(content).hexdigest())


def test_short_writes_lose_nothing(tmp_path):
    class Short(io.FileIO):
        def write(self, data):
            return super().write(data[:7])

    with Short(tmp_path / "f", "wb") as file:
        writer = DurableWriter(file)
        writer.write(b"0123456789" * 10)
        writer.finish()
    assert (tmp_path / "f").read_bytes() == b"0123456789" * 10


@pytest.mark.parametrize(
    ("code", "reason"),
    [(errno.ENOSPC, "vault_full"), (errno.EDQUOT, "vault_full"), (errno.EROFS, "vault_error")],
)
def test_the_vaults_own_faults_have_a_name(code, reason):
    with pytest.raises(DepositFailed, match=reason), vault_faults():
        raise OSError(code, "made up")


def test_only_a_busy_file_is_a_passing_failure():
    passing = {
        r for r in ("vault_full", "vault_error", "changed", "in_use", "io_error") if DepositFailed(r).passing
    }
    assert passing == {"changed", "in_use"}


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, 9 * BLOCK_BYTES + 1])
def test_a_digest_from_behind_is_of_all_that_was_given_and_leaves_no_thread(size):
    content = os.urandom(size)
    with closing(DigestBehind()) as digest:
        for start in range(0, size, BLOCK_BYTES):
            digest.update(content[start : start + BLOCK_BYTES])
        assert digest.hexdigest() == hashlib.sha256(content).hexdigest()
        digest.update(bytes(BLOCK_BYTES))
    assert digest._worker is None
    assert digest.hexdigest() == hashlib.sha256(content + bytes(BLOCK_BYTES)).hexdigest()
