"""What a worker has and how it reads."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from detectors.engine import worker
from detectors.engine.lockdown import WALLS, Bounds, Walls
from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason
from detectors.engine.worker import Medium


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 4)
    return path


def test_a_medium_reads_like_the_file_and_leaves_its_offset(path: Path) -> None:
    with path.open("rb") as file:
        stream = io.BufferedReader(Medium(file.fileno(), 1024), 100)
        assert stream.read() == path.read_bytes()
        assert stream.seek(-4, os.SEEK_END) == 1020
        assert stream.read() == b"\xfc\xfd\xfe\xff"
        assert stream.seek(2) == 2
        assert stream.seek(2, os.SEEK_CUR) == 4
        assert stream.read(1) == b"\x04"
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0


def test_what_grew_behind_the_given_size_is_not_read(path: Path) -> None:
    with path.open("rb") as file:
        assert len(io.BufferedReader(Medium(file.fileno(), 1000), 100).read()) == 1000


def test_a_file_that_shrank_is_noticed(path: Path) -> None:
    with path.open("rb") as file:
        medium = Medium(file.fileno(), 5000)
        assert len(io.BufferedReader(medium, 100).read()) == 1024
        assert medium.fault is Reason.CHANGED


def test_an_error_of_the_medium_is_unreadable_and_remembered(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    medium = Medium(folder, 10)
    with pytest.raises(Unreadable) as fault:
        medium.read(10)
    os.close(folder)
    assert fault.value.reason is Reason.IO_ERROR
    assert medium.fault is Reason.IO_ERROR


def test_a_position_before_the_file_is_refused(path: Path) -> None:
    with path.open("rb") as file, pytest.raises(ValueError, match="negative"):
        Medium(file.fileno(), 10).seek(-1)


def test_the_probe_reports_every_wall() -> None:
    report = worker.probe(Walls.prepare(), Bounds(10, 1 << 28))
    assert report == dict.fromkeys(WALLS, "")
