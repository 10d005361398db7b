"""Copies of the ciphertext for the security team."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.copies import copy_all


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    (tmp_path / "vault" / "entries").mkdir(parents=True)
    (tmp_path / "team").mkdir()
    return tmp_path / "vault"


def add(safe: Path, entry_id: str, content: bytes) -> None:
    (safe / "entries" / f"{entry_id}.age").write_bytes(content)
    plain = {
        "entry_id": entry_id, "root_id": "r", "root_path": "/srv", "relpath": "f", "sha256": "", "size": 1,
        "ciphertext_sha256": hashlib.sha256(content).hexdigest(), "ciphertext_size": len(content), "uid": 0,
        "gid": 0, "mode": 0, "atime_ns": 0, "mtime_ns": 0, "sealed_xattrs": "", "deposited_at": 0.0,
    }  # fmt: skip
    (safe / "entries" / f"{entry_id}.json").write_text(json.dumps(plain))


def test_each_entry_and_its_manifest_are_there_whole_and_closed_to_others(safe: Path) -> None:
    add(safe, "entry-0001", b"cipher" * 1000)
    add(safe, "entry-0002", b"")
    team = safe.parent / "team"
    assert copy_all(safe, str(team), ["entry-0001", "entry-0002"]) == {
        "copied": ["entry-0001", "entry-0002"],
        "fault": "",
    }
    for path in (safe / "entries").iterdir():
        copy = team / path.name
        assert copy.read_bytes() == path.read_bytes() and copy.stat().st_mode & 0o077 == 0


def test_what_is_there_is_not_copied_again_and_what_broke_off_is(safe: Path) -> None:
    add(safe, "entry-0001", b"cipher" * 1000)
    team = safe.parent / "team"
    (team / "entry-0001.age.part").write_bytes(b"half")
    copy_all(safe, str(team), ["entry-0001"])
    before = (team / "entry-0001.age").stat()
    copy_all(safe, str(team), ["entry-0001"])
    assert (team / "entry-0001.age").stat().st_ino == before.st_ino
    assert sorted(p.name for p in team.iterdir()) == ["entry-0001.age", "entry-0001.json"]


def test_a_damaged_entry_is_not_passed_on_and_hinders_no_other(safe: Path) -> None:
    add(safe, "entry-0001", b"cipher")
    (safe / "entries" / "entry-0001.age").write_bytes(b"CIPHER")
    add(safe, "entry-0002", b"cipher")
    told = copy_all(safe, str(safe.parent / "team"), ["entry-0001", "entry-0002"])
    assert told["copied"] == ["entry-0002"] and told["fault"]
    assert not (safe.parent / "team" / "entry-0001.age").exists()


def test_a_link_in_the_targets_place_or_in_it_is_not_followed(safe: Path) -> None:
    add(safe, "entry-0001", b"cipher")
    victim = safe.parent / "victim"
    victim.write_bytes(b"precious")
    (safe.parent / "link").symlink_to(safe.parent / "team")
    assert copy_all(safe, str(safe.parent / "link"), ["entry-0001"])["copied"] == []
    (safe.parent / "team" / "entry-0001.age.part").symlink_to(victim)
    (safe.parent / "team" / "entry-0001.age").symlink_to(victim)
    copy_all(safe, str(safe.parent / "team"), ["entry-0001"])
    assert victim.read_bytes() == b"precious"


def test_the_process_says_what_it_did(safe: Path) -> None:
    add(safe, "entry-0001", b"cipher")
    command = [sys.executable, "-I", "-m", "agent.copies", str(safe), str(safe.parent / "nowhere")]
    done = subprocess.run(command, input="entry-0001", capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"copied": [], "fault": "No such file or directory"}
