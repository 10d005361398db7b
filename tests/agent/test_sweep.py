"""The walk: everything below the root, nothing beyond it, in small steps."""

from __future__ import annotations

import os
import subprocess

import pytest

from agent import sweep as sweeping
from agent.opening import RootFolder
from agent.protocol import MAX_PACKET_BYTES, Unseen
from agent.sweep import Look, Sweep


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    with RootFolder.open(str(folder), folder.stat().st_dev) as opened:
        opened.path = folder
        yield opened


def look(root, relpath):
    looking, found = Look(relpath), []
    while not looking.done:
        found += [s.identity for s in looking.step(root, lambda: None)]
    return looking, found


def walk(root, start="", resume=""):
    """A whole sweep, with a look into every folder that has anything in it."""
    sweep, found = Sweep(0.0, start, resume), []
    while not sweep.done:
        for folder in sweep.step(root, lambda: None):
            looking, files = look(root, folder.relpath)
            assert looking.digest == folder.digest
            found += files
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
    looking, sizes = Look(folder.name), []
    from agent.channel import Channel

    one, other = Channel.pair()
    while not looking.done:
        batch = [s.identity for s in looking.step(root, lambda: None)]
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


def test_a_folder_that_goes_away_ends_nothing(root, monkeypatch):
    for name in ("a", "b", "c"):
        (root.path / name).mkdir()
        (root.path / name / "f").touch()
    monkeypatch.setattr(sweeping, "STEP_ENTRIES", 2)
    sweep = Sweep(0.0)
    sweep.step(root, lambda: None)
    (root.path / "b" / "f").unlink()
    (root.path / "b").rmdir()
    found = []
    while not sweep.done:
        found += [folder.relpath for folder in sweep.step(root, lambda: None)]
    assert found == ["a", "c"] and not sweep.not_examined
    (root.path / "a" / "f").unlink()
    (root.path / "a").rmdir()
    assert look(root, "a")[1] == []


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


@pytest.mark.parametrize("walk_of", [lambda: Sweep(0.0), lambda: Look("")])
def test_a_walk_that_is_stopped_lets_go(root, walk_of, monkeypatch):
    monkeypatch.setattr(sweeping, "STEP_ENTRIES", 100)
    for number in range(500):
        (root.path / str(number)).touch()
    before = len(os.listdir("/proc/self/fd"))
    walking = walk_of()
    walking.step(root, lambda: None)
    assert not walking.done
    walking.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("walk_of", [lambda: Sweep(0.0), lambda: Look("")])
def test_whoever_drives_it_is_asked_while_it_works(root, walk_of):
    for number in range(200):
        (root.path / str(number)).touch()

    class Stop(Exception):
        pass

    calls = []

    def working():
        calls.append(1)
        if len(calls) == 5:
            raise Stop

    walking = walk_of()
    with pytest.raises(Stop):
        walking.step(root, working)
    walking.close()


def digests(root):
    sweep, found = Sweep(0.0), {}
    while not sweep.done:
        found |= {folder.relpath: folder.digest for folder in sweep.step(root, lambda: None)}
    return found


def test_a_folders_digest_changes_with_whatever_happens_to_a_file_in_it(root):
    for name in ("a", "b"):
        (root.path / name).mkdir()
        (root.path / name / "f").write_bytes(b"1")
    before = digests(root)
    assert digests(root) == before and before["a"] != before["b"]
    file = root.path / "a" / "f"
    for change in (
        lambda: file.write_bytes(b"2"),
        lambda: file.rename(root.path / "a" / "g"),
        lambda: (root.path / "a" / "new").touch(),
        lambda: (root.path / "a" / "new").unlink(),
        lambda: os.utime(root.path / "a" / "g", (1, 1)),
        lambda: (root.path / "a" / "g").chmod(0o600),
    ):
        change()
        after = digests(root)
        assert after["a"] != before["a"] and after["b"] == before["b"]
        before = after


def test_a_folder_that_takes_many_steps_has_the_digest_of_all_of_it(root, monkeypatch):
    for number in range(300):
        (root.path / str(number)).touch()
    whole = digests(root)
    monkeypatch.setattr(sweeping, "STEP_ENTRIES", 70)
    assert digests(root) == whole


@pytest.mark.parametrize("resume", ["b", "b/x", "b/q/r", "zz", "a", ""])
def test_a_walk_that_goes_on_in_the_middle_meets_every_folder_once(root, resume):
    folders = ["a", "a/x", "b", "b/w", "b/x", "b/x/deep", "b/y", "c", "c/x"]
    for name in folders:
        (root.path / name).mkdir()
        (root.path / name / "f").touch()
    sweep, met = Sweep(0.0, resume=resume), []
    while not sweep.done:
        met += [folder.relpath for folder in sweep.step(root, lambda: None)]
    assert sorted(met) == folders
    behind = [name for name in met if not resume.startswith(name)]
    assert behind == sorted(behind, key=lambda name: (name < resume, behind.index(name)))
