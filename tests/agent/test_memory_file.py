"""Sealed memory: what was written is what is read, and nothing else is read at all."""

from __future__ import annotations

import os

import pytest

from agent.memory_file import content_of, sealed


def test_what_was_sealed_is_read_and_cannot_be_changed() -> None:
    fd = sealed(b"papers")
    assert content_of(fd, 100) == b"papers" and content_of(fd, 5) is None
    for change in (lambda: os.pwrite(fd, b"x", 0), lambda: os.ftruncate(fd, 1), lambda: os.ftruncate(fd, 99)):
        with pytest.raises(PermissionError):
            change()


def test_a_pipe_a_file_or_memory_that_may_change_is_not_read(tmp_path) -> None:
    """A pipe that nobody writes to would hang its reader."""
    reading, writing = os.pipe()
    loose = os.memfd_create("loose", os.MFD_ALLOW_SEALING)
    os.write(loose, b"x")
    (tmp_path / "file").write_bytes(b"x")
    plain = os.open(tmp_path / "file", os.O_RDONLY)
    for fd in (reading, loose, plain):
        assert content_of(fd, 100) is None
        os.close(fd)
    os.close(writing)
