"""Watching real folders; what watchdog loses must at least raise a doubt."""

from __future__ import annotations

import os
import subprocess
import threading
import time

import pytest

import agent.watcher
from agent.fan_observer import DescriptorsEmitter
from agent.watcher import Change, Watcher

FAN = pytest.param(True, marks=pytest.mark.root, id="fanotify")


@pytest.fixture(params=[FAN, pytest.param(False, id="inotify")])
def watch(tmp_path, request):
    """With fanotify's names where they are offered, and as an ordinary user has it."""
    made = []

    def make(path=tmp_path):
        woken = threading.Event()
        watcher = Watcher(str(path), path.stat().st_dev, woken.set, fanotify=request.param)
        made.append(watcher)
        watcher.start()
        assert watcher.wait_started(5)
        assert watcher.state == "native"
        assert watcher.take()[1], "the time before the watch stood is in doubt"
        return watcher

    yield make
    for watcher in made:
        watcher.stop()


def test_a_written_file_is_seen_when_closed(watch, seen, tmp_path):
    watcher = watch()
    (tmp_path / "f").write_bytes(b"1")
    _, doubt = seen(watcher, lambda e, d: ("f", Change.CLOSED) in e)
    assert not doubt


def test_a_save_by_rename_is_seen_at_its_final_name(watch, seen, tmp_path):
    watcher = watch()
    (tmp_path / "tmp").write_bytes(b"1")
    (tmp_path / "tmp").rename(tmp_path / "f")
    seen(watcher, lambda e, d: ("f", Change.ARRIVED) in e)


def test_a_file_moved_in_from_elsewhere_is_seen(watch, seen, tmp_path, tmp_path_factory):
    watcher = watch()
    outside = tmp_path_factory.mktemp("outside") / "f"
    outside.write_bytes(b"1")
    outside.rename(tmp_path / "g")
    seen(watcher, lambda e, d: ("g", Change.ARRIVED) in e)


def test_a_file_that_is_moved_away_holds_nothing_up(watch, seen, tmp_path, tmp_path_factory):
    watcher = watch()
    outside = tmp_path_factory.mktemp("outside")
    took = []
    for n in range(10):
        (tmp_path / f"f{n}").write_bytes(b"1")
        seen(watcher, lambda e, d, n=n: (f"f{n}", Change.CLOSED) in e)
        (tmp_path / f"f{n}").rename(outside / f"f{n}")
        (tmp_path / f"g{n}").write_bytes(b"1")
        begun = time.monotonic()
        seen(watcher, lambda e, d, n=n: (f"g{n}", Change.CLOSED) in e)
        took.append(time.monotonic() - begun)
    assert min(took) < 0.4, "watchdog alone waits half a second for the other half of a move"


def test_a_tree_moved_in_is_a_folder_to_sweep_and_is_watched(watch, seen, tmp_path, tmp_path_factory):
    watcher = watch()
    outside = tmp_path_factory.mktemp("outside") / "tree"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "f").write_bytes(b"1")
    outside.rename(tmp_path / "tree")
    seen(watcher, lambda e, d: ("tree", Change.FOLDER) in e)
    (tmp_path / "tree" / "deep" / "g").write_bytes(b"1")
    seen(watcher, lambda e, d: ("tree/deep/g", Change.CLOSED) in e)


def test_names_that_are_no_text_arrive_unchanged(watch, seen, tmp_path):
    watcher = watch()
    name = os.fsdecode(b"\xff\n")
    (tmp_path / name).write_bytes(b"1")
    seen(watcher, lambda e, d: (name, Change.CLOSED) in e)


def test_our_own_full_queue_is_a_doubt(watch, monkeypatch):
    watcher = watch()
    monkeypatch.setattr("agent.watcher.MOST_EVENTS", 10)
    for number in range(100):
        watcher.put(f"{watcher._reach.path}/{number}", Change.CLOSED)
    events, doubt = watcher.take()
    assert len(events) <= 10 and doubt


@pytest.mark.parametrize("victim", ["emitter", "observer"])
def test_a_dead_thread_is_noticed_and_replaced(watch, seen, tmp_path, victim):
    watcher = watch()
    observer = watcher._observers[0]
    thread = next(iter(observer.emitters)) if victim == "emitter" else observer
    thread.stop()
    thread.join(60)
    watcher.check()
    assert watcher.wait_started(5)
    assert watcher.take()[1], "what happened meanwhile is in doubt"
    (tmp_path / "f").write_bytes(b"1")
    seen(watcher, lambda e, d: ("f", Change.CLOSED) in e)


def test_healthy_threads_are_left_alone(watch):
    watcher = watch()
    (observer,) = watcher._observers
    watcher.check()
    assert watcher._observers == [observer] and not watcher.take()[1]


def test_nothing_to_watch_with_is_polling(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr("agent.watcher.InotifyObserver", none)
    watcher = Watcher(str(tmp_path), tmp_path.stat().st_dev, lambda: None, fanotify=False)
    watcher.start()
    assert watcher.wait_started(5)
    assert watcher.state == "polling" and watcher.take()[1]


@pytest.mark.root
def test_a_watched_medium_can_be_unmounted_at_any_time(drive):
    volume = drive()
    path = volume.plug()
    for number in range(300):
        (path / f"d{number}").mkdir()
    watcher = Watcher(str(path), path.stat().st_dev, lambda: None)
    watcher.start()
    unmounting = volume.pull()
    assert unmounting.returncode == 0, unmounting.stderr
    watcher.wait_started(5)
    watcher.stop()


@pytest.mark.root
def test_a_watch_that_ended_with_its_medium_is_noticed(watch, drive):
    volume = drive()
    path = volume.plug()
    watcher = watch(path)
    assert volume.pull().returncode == 0
    until = time.monotonic() + 60
    while watcher._observers[0].healthy() and time.monotonic() < until:
        time.sleep(0.01)
    assert not watcher._observers[0].healthy()


@pytest.mark.root
def test_folders_made_while_the_user_unmounts_never_make_it_fail(drive):
    volume = drive()
    for _ in range(5):
        path = volume.plug()
        subprocess.run(f"rm -rf {path}/*", shell=True, check=True)
        watcher = Watcher(str(path), path.stat().st_dev, lambda: None)
        watcher.start()
        watcher.wait_started(5)
        subprocess.run(["cp", "-r", os.path.dirname(agent.watcher.__file__), str(path)], check=True)
        unmounting = volume.pull()
        watcher.stop()
        assert unmounting.returncode == 0, unmounting.stderr


@pytest.mark.root
def test_a_drive_without_names_is_watched_without_holding_it_for_a_moment(exfat_drive):
    path = exfat_drive(64)
    kinds = {}
    for share in (False, True):
        watcher = Watcher(str(path), path.stat().st_dev, lambda: None, share=share)
        watcher.start()
        assert watcher.wait_started(5) and watcher.state == "native"
        emitters = [next(iter(observer.emitters)) for observer in watcher._observers]
        kinds[share] = [isinstance(emitter, DescriptorsEmitter) for emitter in emitters]
        watcher.stop()
    assert kinds == {False: [False], True: [True, False]}
