"""The throw-away look at a path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import agent.probe


def look(path: Path) -> dict[str, object]:
    command = [sys.executable, "-I", "-S", agent.probe.__file__, os.fspath(path)]
    told = subprocess.run(command, capture_output=True, check=True).stdout
    plain: dict[str, object] = json.loads(told)
    return plain


def test_a_folder_behind_a_link_is_told_as_where_it_is(tmp_path: Path) -> None:
    real = tmp_path / "real\udcff"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    found = look(tmp_path / "link")
    assert os.fsdecode(bytes.fromhex(str(found["path"]))) == os.fspath(real)
    assert (found["device"], found["folder"]) == (real.stat().st_dev, True)


def test_what_is_not_there_and_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert look(tmp_path / "nothing") == {"fault": "ENOENT"}
    assert look(tmp_path / "file")["folder"] is False
