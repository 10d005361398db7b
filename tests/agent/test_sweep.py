"""The walk: everything below the root, nothing beyond it, in small steps."""

from __future__ import annotations

import os
import subprocess

import pytest

from agent import sweep as sweeping
from agent.opening import RootFolder
from agent.protocol import MAX_PACKET_BYTES, Unseen
from agent.sweep import Sweep


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    with RootFolder.open(str(folder), folder.stat().st_dev) as opened:
        opened.path = folder
        yield opened


def walk(root, start=""):
    sweep, found = Sweep(0.0, start), []
    while not sweep.done:
        found += [s.identity for s in sweep.step(root, lambda: None)]
    return sweep, found


def test_all_files_at_any_depth_are_found_once(root):
    expected = set()
    for a in range(5):
        for b in range(5):
            folder = root.path / f"a{a}" / f"b{b}"
            folder.mkdir(parents=True)
            for c in range(3):
                (folder / f"f{c}").write_bytes(b"x" * c)
                expected.add(f"a{a}/b{b}/f{c}")
    sweep, found = walk(root)
    assert {f.relpath for f in found} == expected and len(found) == len(expected) == sweep.files
    assert sweep.folders == 1 + 5 + 25
    one = next(f for f in found if f.relpath == "a3/b2/f1")
    status = (root.path / one.relpath).stat()
    assert (one.ino, one.size, one.mtime_ns, one.ctime_ns) == (
        status.st_ino, 1, status.st_mtime_ns, status.st_ctime_ns,
    )  # fmt: skip


def test_an_empty_root_is_a_complete_sweep(root):
    sweep, found = walk(root)
    assert (found, sweep.files, sweep.folders, sweep.done) == ([], 0, 1, True)


def test_one_folder_can_be_swept_alone(root):
    (root.path / "in" / "deep").mkdir(parents=True)
    (root.path / "in" / "deep" / "f").touch()
    (root.path / "out").touch()
    assert [f.relpath for f in walk(root, "in")[1]] == ["in/deep/f"]


def test_no_link_is_entered_and_each_is_shown_as_what_it_is(root, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    (root.path / "link").symlink_to(tmp_path / "outside")
    (root.path / "loop").symlink_to(".")
    os.mkfifo(root.path / "fifo")
    assert sorted(f.relpath for f in walk(root)[1]) == ["fifo", "link", "loop"]


@pytest.mark.root
def test_no_other_mount_is_entered(root, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "f").touch()
    (root.path / "mnt").mkdir()
    subprocess.run(["mount", "--bind", str(tmp_path / "other"), str(root.path / "mnt")], check=True)
    try:
        for whole in (True, False):
            root.whole = whole
            assert walk(root)[1] == []
    finally:
        subprocess.run(["umount", str(root.path / "mnt")], check=True)


def test_many_files_come_in_packets_that_fit(root):
    folder = root.path / ("ü" * 120)
    folder.mkdir()
    for number in range(450):
        (folder / f"{number:03}{os.fsdecode(bytes([0xFF])) * 240}").touch()
    sweep, sizes = Sweep(0.0), []
    from agent.protocol import Channel

    one, other = Channel.pair()
    while not sweep.done:
        batch = [s.identity for s in sweep.step(root, lambda: None)]
        if batch:
            one.send(Unseen(batch))
            assert other.receive(1.0) == Unseen(batch)
            sizes.append(len(batch))
    assert sum(sizes) == 450 and max(sizes) <= 200 and MAX_PACKET_BYTES
    one.close()
    other.close()


def test_what_lies_too_deep_to_be_told_is_counted(root, monkeypatch):
    monkeypatch.setattr(sweeping, "MAX_RELPATH_CHARS", 20)
    (root.path / ("d" * 12) / ("e" * 12)).mkdir(parents=True)
    (root.path / ("d" * 12) / ("e" * 12) / "f").touch()
    (root.path / "near").touch()
    sweep, found = walk(root)
    assert [f.relpath for f in found] == ["near"]
    assert sweep.not_examined == {"limit_depth": 1}


def test_a_folder_that_goes_away_ends_nothing(root):
    for name in ("a", "b", "c"):
        (root.path / name).mkdir()
        (root.path / name / "f").touch()
    sweep = Sweep(0.0)
    sweep.step(root, lambda: None)
    (root.path / "b" / "f").unlink()
    (root.path / "b").rmdir()
    found = []
    while not sweep.done:
        found += [s.identity for s in sweep.step(root, lambda: None)]
    assert {f.relpath for f in found} == {"a/f", "c/f"}
    assert not sweep.not_examined


def test_a_folder_that_cannot_be_read_is_counted(root, monkeypatch):
    (root.path / "a").mkdir()
    (root.path / "b").mkdir()
    (root.path / "b" / "f").touch()
    real = root.folder

    def refuse(relpath):
        if relpath == "a":
            raise sweeping.CannotOpen(sweeping.Reason.NO_ACCESS)
        return real(relpath)

    monkeypatch.setattr(root, "folder", refuse)
    sweep, found = walk(root)
    assert [f.relpath for f in found] == ["b/f"] and sweep.not_examined == {"no_access": 1}


def test_a_sweep_that_is_stopped_lets_go(root):
    for number in range(500):
        (root.path / str(number)).touch()
    before = len(os.listdir("/proc/self/fd"))
    sweep = Sweep(0.0)
    sweep.step(root, lambda: None)
    assert not sweep.done
    sweep.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_whoever_drives_it_is_asked_between_any_two_entries(root):
    for number in range(10):
        (root.path / str(number)).touch()

    class Stop(Exception):
        pass

    calls = []

    def working():
        calls.append(1)
        if len(calls) == 5:
            raise Stop

    with pytest.raises(Stop):
        Sweep(0.0).step(root, working)
