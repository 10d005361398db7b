"""Erasure: the blocks of what was removed, and of nothing else."""

from __future__ import annotations

import os
import subprocess

import pytest

from agent.erasure import erase

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
    assert erase(removed, len(MARK))
    assert os.pread(removed, len(MARK) + 1, 0) == bytes(len(MARK))


def test_a_file_with_another_name_is_not_touched(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(MARK)
    os.link(path, tmp_path / "other")
    fd = os.open(path, os.O_RDONLY)
    assert not erase(fd, len(MARK))
    assert path.read_bytes() == MARK
    os.close(fd)


def test_it_ends_when_told(removed):
    class Ended(Exception):
        pass

    def end():
        raise Ended

    with pytest.raises(Ended):
        erase(removed, len(MARK), end)
    assert os.pread(removed, len(MARK), 0) == MARK


def test_what_cannot_be_written_is_said_so(tmp_path):
    fd = os.open("/dev/null", os.O_RDONLY)
    assert not erase(fd, 10)
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
    assert erase(fd, len(MARK))
    os.close(fd)
    assert volume.pull().returncode == 0
    assert MARK[:20] not in volume.image.read_bytes()
