"""The file sink's own properties; the common ones are in the contract suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.sinks.file import FileSink, open_file


def test_a_link_or_a_pipe_in_the_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError):
            open_file(tmp_path / name)


def test_it_appends_and_is_not_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text("before\n")
    path.chmod(0o640)
    sink = FileSink(open_file(path))
    sink.deliver({"n": 1})
    sink.close()
    assert path.read_text() == 'before\n{"n":1}\n'
    os.close(open_file(tmp_path / "new"))
    assert (tmp_path / "new").stat().st_mode & 0o007 == 0


def test_after_a_rotation_it_writes_to_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = FileSink(open_file(path))
    sink.deliver({"n": 1})
    path.rename(tmp_path / "alerts.jsonl.1")
    sink.replace(open_file(path))
    sink.deliver({"n": 2})
    sink.close()
    assert path.read_text() == '{"n":2}\n'
    assert (tmp_path / "alerts.jsonl.1").read_text() == '{"n":1}\n'
