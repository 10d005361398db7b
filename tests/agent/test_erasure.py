"""Erasure: the blocks of what was removed, and of nothing else."""

from __future__ import annotations

import os
import subprocess

import pytest

from agent import erasure
from agent.erasure import CannotErase, Overwriting

MARK = b"made-up-person-4711," * 4096


@pytest.fixture
def removed(tmp_path):
    """A descriptor of a file without a name."""
    path = tmp_path / "f"
    path.write_bytes(MARK)
    fd = os.open(path, os.O_RDONLY)
    path.unlink()
    yield fd
    os.close(fd)


def test_what_had_been_in_it_is_overwritten(removed):
    assert Overwriting(removed, len(MARK)).finish(lambda: None)
    assert os.pread(removed, len(MARK) + 1, 0) == bytes(len(MARK))


def test_a_large_one_is_overwritten_a_slice_at_a_time(removed, monkeypatch):
    monkeypatch.setattr(erasure, "SLICE_BYTES", len(MARK) // 2)
    overwriting = Overwriting(removed, len(MARK))
    assert not overwriting.work()
    half = len(MARK) // 2
    assert os.pread(removed, len(MARK), 0) == bytes(half) + MARK[half:]
    assert overwriting.work()
    overwriting.close()
    assert os.pread(removed, len(MARK), 0) == bytes(len(MARK))


def test_a_name_that_was_given_to_it_before_the_unlink_saves_its_content(tmp_path):
    """Where the kernel keeps the names, a single one that is left is one that somebody else has made."""
    path = tmp_path / "f"
    path.write_bytes(MARK)
    fd = os.open(path, os.O_RDONLY)
    os.link(path, tmp_path / "other")
    path.unlink()
    with pytest.raises(CannotErase):
        Overwriting(fd, len(MARK))
    assert (tmp_path / "other").read_bytes() == MARK
    os.close(fd)


def test_a_file_with_another_name_is_not_touched(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(MARK)
    os.link(path, tmp_path / "other")
    fd = os.open(path, os.O_RDONLY)
    with pytest.raises(CannotErase):
        Overwriting(fd, len(MARK))
    assert path.read_bytes() == MARK
    os.close(fd)


def test_it_ends_when_told(removed):
    class Ended(Exception):
        pass

    def end():
        raise Ended

    with pytest.raises(Ended):
        Overwriting(removed, len(MARK)).finish(end)
    assert os.pread(removed, len(MARK), 0) == MARK


def test_what_cannot_be_written_is_said_so(tmp_path):
    fd = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(CannotErase):
        Overwriting(fd, 10)
    os.close(fd)


@pytest.mark.root
def test_an_undelete_program_finds_nothing_on_the_medium(drive):
    """The image is read as a whole, as a photo recovery program does."""
    volume = drive(16)
    path = volume.plug() / "f"
    path.write_bytes(MARK)
    subprocess.run(["sync", "-f", str(volume.path)], check=True)
    assert MARK[:4000] in volume.image.read_bytes()
    fd = os.open(path, os.O_RDONLY)
    path.unlink()
    assert Overwriting(fd, len(MARK)).finish(lambda: None)
    os.close(fd)
    assert volume.pull().returncode == 0
    assert MARK[:20] not in volume.image.read_bytes()
