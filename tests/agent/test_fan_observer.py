"""fanotify as an observer: what is told, what is dropped, and what it costs to drop it."""

from __future__ import annotations

import subprocess
import time

import pytest
from watchdog.events import FileSystemEventHandler

from agent import fan_observer
from agent.fan_observer import DescriptorsEmitter, FanObserver, NamesEmitter
from agent.reach import Reach

pytestmark = pytest.mark.root


class Heard(FileSystemEventHandler):
    def __init__(self, reach):
        self.events, self.doubts, self.holes = [], [], []
        self._reach = reach

    def on_any_event(self, event):
        path = event.dest_path or event.src_path
        self.events.append((type(event).__name__, path[len(self._reach.path) + 1 :], event))

    def until(self, kind, path, seconds=60.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for told in list(self.events):
                if told[:2] == (kind, path):
                    return told[2]
            time.sleep(0.002)
        raise AssertionError(f"no {kind} of {path} among {[e[:2] for e in self.events]}")


@pytest.fixture
def watch():
    made = []

    def make(path, emitter=NamesEmitter, **places):
        reach = Reach(str(path), path.stat().st_dev)
        heard = Heard(reach)
        kind = type("Kind", (emitter,), places) if places else emitter
        observer = FanObserver(kind, reach, heard.doubts.append, lambda: heard.holes.append(1), 0)
        made.append(observer)
        observer.start()
        observer.schedule(heard, reach.path, recursive=True)
        return observer, heard

    yield make
    for observer in made:
        observer.stop()


def test_what_lies_outside_the_root_is_dropped_and_looked_up_once(watch, tmp_path, monkeypatch):
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    lookups = []
    real = fan_observer.open_handle
    monkeypatch.setattr(
        fan_observer, "open_handle", lambda medium, handle: (lookups.append(handle), real(medium, handle))[1]
    )
    _, heard = watch(tmp_path / "root")
    for number in range(200):
        (tmp_path / "outside" / str(number)).write_bytes(b"1")
        (tmp_path / "root" / str(number)).write_bytes(b"1")
    heard.until("ClosedBy", "199")
    assert {path for _, path, _ in heard.events} == {str(n) for n in range(200)}
    assert len(lookups) == len(set(lookups)), "each folder once"
    assert not heard.doubts


def test_a_name_is_told_where_its_folder_is_now(watch, tmp_path):
    _, heard = watch(tmp_path)
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "deep" / "1").write_bytes(b"1")
    heard.until("ClosedBy", "a/deep/1")
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "b" / "deep" / "2").write_bytes(b"1")
    heard.until("ClosedBy", "b/deep/2")
    heard.until("DirMovedEvent", "b")


def test_a_bind_mount_of_the_root_is_no_way_around(watch, tmp_path):
    (tmp_path / "root" / "in").mkdir(parents=True)
    (tmp_path / "view").mkdir()
    _, heard = watch(tmp_path / "root")
    subprocess.run(["mount", "--bind", tmp_path / "root" / "in", tmp_path / "view"], check=True)
    try:
        (tmp_path / "view" / "f").write_bytes(b"1")
        heard.until("ClosedBy", "in/f")
    finally:
        subprocess.run(["umount", tmp_path / "view"], check=True)


def test_more_folders_than_are_remembered_are_looked_up_anew(watch, tmp_path, monkeypatch):
    monkeypatch.setattr(fan_observer, "MOST_FOLDERS", 5)
    observer, heard = watch(tmp_path)
    for number in range(30):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "f").write_bytes(b"1")
        heard.until("ClosedBy", f"{number}/f")
    (emitter,) = observer.emitters
    assert len(emitter._folders) <= 5


def test_a_mark_that_went_with_its_medium_ends_the_watch(watch, drive):
    volume = drive()
    path = volume.plug()
    observer, heard = watch(path)
    assert volume.pull().returncode == 0
    volume.plug()  # and looks just the same again
    end = time.monotonic() + 60
    while (observer.healthy() or "unmounted" not in heard.doubts) and time.monotonic() < end:
        time.sleep(0.01)
    assert not observer.healthy() and "unmounted" in heard.doubts
    assert volume.pull().returncode == 0


@pytest.fixture
def exfat(exfat_drive):
    return exfat_drive(64)


def test_names_are_refused_where_the_file_system_has_none(watch, exfat):
    with pytest.raises(OSError, match=r"No such device|not supported"):
        watch(exfat)


def test_descriptors_tell_of_closes_and_of_who_did_it(watch, exfat):
    _, heard = watch(exfat, DescriptorsEmitter, root=str(exfat), mount_point=str(exfat))
    writer = subprocess.Popen(["sh", "-c", f"mkdir {exfat}/new; echo 1 > {exfat}/new/f; sleep 5"])
    event = heard.until("ClosedBy", "new/f")
    writer.kill()
    writer.wait()
    assert event.writer.pid == writer.pid and not heard.doubts
    assert subprocess.run(["umount", exfat], check=False).returncode == 0, "nothing is held once it was read"


def test_what_came_through_another_mount_is_a_doubt(watch, exfat, tmp_path):
    (exfat / "in").mkdir()
    _, heard = watch(exfat, DescriptorsEmitter, root=str(exfat), mount_point=str(exfat))
    (tmp_path / "view").mkdir()
    subprocess.run(["mount", "--bind", exfat / "in", tmp_path / "view"], check=True)
    try:
        (tmp_path / "view" / "f").write_bytes(b"1")
        end = time.monotonic() + 60
        while not heard.doubts and time.monotonic() < end:
            time.sleep(0.01)
        assert heard.doubts == ["unread"]
    finally:
        subprocess.run(["umount", tmp_path / "view"], check=True)
