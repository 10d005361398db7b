"""The kernel interface itself: what each way tells, and what it holds meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.fanotify import CLOSE_WRITE, CREATE, MOVED_TO, ONDIR, Group, handles_can_be_opened, open_handle

pytestmark = pytest.mark.root


@pytest.fixture
def group(tmp_path):
    made = []

    def make(way, **keys):
        fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
        made.append(Group(fd, way, **keys))
        os.close(fd)
        return made[-1]

    yield make
    for one in made:
        one.close()


def read(group, until, seconds=60.0):
    """Events until `until` is true of one; other files of the same file system are among them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for event in group.read():
            if until(event):
                return event
            if event.fd >= 0:
                os.close(event.fd)
        time.sleep(0.002)
    raise AssertionError("no such event")


def test_a_close_is_told_with_folder_name_and_process(group, tmp_path):
    names = group("names")
    writer = subprocess.Popen(["sh", "-c", f"echo 1 > {tmp_path}/some.name; sleep 5"])
    event = read(names, lambda e: e.name == b"some.name" and e.mask & CLOSE_WRITE)
    writer.kill()
    writer.wait()
    assert event.pid == writer.pid
    medium = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    folder = open_handle(medium, event.folder)
    assert os.path.samestat(os.fstat(folder), tmp_path.stat())
    os.close(folder)
    os.close(medium)


def test_moves_of_files_and_folders_are_told(group, tmp_path):
    names = group("names")
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "a").rename(tmp_path / "moved file")
    read(names, lambda e: e.name == b"moved file" and e.mask & MOVED_TO and not e.mask & ONDIR)
    (tmp_path / "d").mkdir()
    (tmp_path / "d").rename(tmp_path / "moved folder")
    read(names, lambda e: e.name == b"moved folder" and e.mask & MOVED_TO and e.mask & ONDIR)


def test_a_new_hard_link_is_told(group, tmp_path):
    names = group("names")
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "linked here").hardlink_to(tmp_path / "a")
    read(names, lambda e: e.name == b"linked here" and e.mask & CREATE)


def test_a_descriptor_is_of_the_very_file(group, tmp_path):
    descriptors = group("descriptors")
    (tmp_path / "f").write_bytes(b"1")
    inode = (tmp_path / "f").stat().st_ino
    event = read(descriptors, lambda e: os.fstat(e.fd).st_ino == inode)
    assert os.read(event.fd, 10) == b"1" and event.pid == os.getpid()
    os.close(event.fd)


def test_a_full_queue_is_told_and_an_unlimited_one_loses_nothing(group, tmp_path):
    limit = int(Path("/proc/sys/fs/fanotify/max_queued_events").read_text())
    limited, unlimited = group("names", unlimited=False), group("names")
    for number in range(limit + 100):
        os.close(os.open(tmp_path / str(number), os.O_WRONLY | os.O_CREAT))
    read(limited, lambda e: e.overflow, 20)
    read(unlimited, lambda e: e.name == str(limit + 99).encode(), 20)


def test_names_hold_nothing_of_the_medium_while_they_wait(drive):
    volume = drive()
    path = volume.plug()
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    names = Group(fd, "names")
    assert handles_can_be_opened(fd) and names.marked()
    os.close(fd)
    (path / "f").write_bytes(b"1")
    assert volume.pull().returncode == 0
    until = time.monotonic() + 60
    while names.marked() and time.monotonic() < until:
        time.sleep(0.01)
    assert not names.marked(), "the mark went with its file system"
    names.close()


def test_nothing_is_marked_without_the_privilege(tmp_path):
    code = (
        "import os; from agent.fanotify import Group\n"
        "os.setgroups([]); os.setgid(1); os.setuid(1)\n"
        "try: Group(os.open('/', os.O_RDONLY), 'names')\n"
        "except PermissionError: print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.stdout == "refused\n", done.stderr
