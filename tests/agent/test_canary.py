"""A deaf watcher is found out, whatever it says of itself; and the proof leaves nothing behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from agent.canary import PREFIX, Canary
from agent.opening import RootFolder
from agent.protocol import Beat, Judged
from agent.watcher import Change, FileEvent, Watcher


@pytest.fixture
def root(tmp_path: Path):
    with RootFolder.open(str(tmp_path), tmp_path.stat().st_dev) as folder:
        yield folder


def out(path: Path) -> list[str]:
    return [p.name for p in path.iterdir() if p.name.startswith(PREFIX)]


def event(name: str, origin="event", change=Change.CLOSED) -> FileEvent:
    return FileEvent(name, change, origin, 0.0)


def test_one_that_was_seen_is_proof_and_is_gone(root, tmp_path):
    canary = Canary(60.0)
    assert canary.work(root, 100.0) and canary.proof == "waiting"
    [name] = out(tmp_path)
    assert canary.is_out(name) and canary.due == 110.0
    assert not canary.met(event("other"))
    assert canary.met(event(name, "sweep")) and canary.due == 110.0  # a sweep proves nothing about events
    assert canary.met(event(name)) and canary.due == 0.0
    before = time.time()
    assert canary.work(root, 100.5)
    assert canary.proof == "seen" and canary.seen_at >= before and canary.due == 160.5
    assert out(tmp_path) == [] and not canary.is_out(name)
    assert canary.met(event(name, change=Change.GONE))  # its end is nobody's business either


def test_one_that_was_not_seen_is_told_removed_and_soon_repeated(root, tmp_path):
    canary = Canary(600.0)
    canary.work(root, 100.0)
    assert not canary.work(root, 110.0)
    assert canary.proof == "missed" and canary.seen_at == 0.0 and out(tmp_path) == []
    assert canary.due is not None and canary.due < 140


def test_a_file_that_somebody_wrote_into_stays_and_is_judged(root, tmp_path):
    canary = Canary(60.0)
    canary.work(root, 100.0)
    [name] = out(tmp_path)
    (tmp_path / name).write_bytes(b"id,sex,age\n")
    canary.met(event(name))
    canary.work(root, 101.0)
    assert (tmp_path / name).read_bytes() and not canary.is_out(name)
    assert not canary.met(event(name))


def test_a_file_that_took_its_name_is_left_alone(root, tmp_path):
    canary = Canary(60.0)
    canary.work(root, 100.0)
    [name] = out(tmp_path)
    (tmp_path / "x").write_bytes(b"")
    (tmp_path / "x").replace(tmp_path / name)
    canary.work(root, 111.0)
    assert out(tmp_path) == [name]


def test_no_name_is_passed_over_but_the_one_that_is_out(root):
    canary = Canary(60.0)
    for name in (PREFIX + "0" * 32, "", PREFIX):
        assert not canary.is_out(name) and not canary.met(event(name))


def test_what_a_keeper_that_died_has_left_is_removed_if_it_is_ours_and_empty(root, tmp_path):
    (tmp_path / (PREFIX + "a")).touch()
    (tmp_path / (PREFIX + "b")).write_bytes(b"1")
    (tmp_path / (PREFIX + "c")).mkdir()
    os.symlink("nowhere", tmp_path / (PREFIX + "d"))
    canary = Canary(60.0)
    canary.work(root, 100.0)
    assert sorted(name[-1] for name in out(tmp_path) if len(name) == len(PREFIX) + 1) == ["b", "c", "d"]


@pytest.mark.root
def test_where_nothing_can_be_written_nothing_is_proven(tmp_path):
    import subprocess

    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", tmp_path], check=True)
    try:
        with RootFolder.open(str(tmp_path), tmp_path.stat().st_dev) as folder:
            canary = Canary(60.0)
            assert canary.work(folder, 100.0)
            assert canary.proof == "unwritable" and canary.due == 160.0
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_switched_off_it_does_nothing():
    canary = Canary(0.0)
    assert canary.due is None and canary.proof == "off"


def test_a_keeper_proves_its_watch_again_and_again(supervisor):
    supervisor.settings["canary_seconds"] = 0.1
    with supervisor:
        first = supervisor.wait(lambda: [b for b in supervisor.of(Beat) if b.proof == "seen"])
        assert first[0].state == "native" and first[0].proved_at > 0
        time.sleep(0.5)
        assert not any(PREFIX in str(m) for m in supervisor.of(Judged))


def test_a_deaf_watch_shows_as_degraded_is_set_anew_and_swept(supervisor, monkeypatch):
    monkeypatch.setattr("agent.canary.PATIENCE_SECONDS", 3.0)
    monkeypatch.setattr("agent.keeper.Canary", lambda seconds: Canary(seconds, 3.0))
    deaf, restarts = [False], []
    take, restart = Watcher.take, Watcher.restart

    def hear(self):
        events, doubt = take(self)
        return ([], type(doubt)()) if deaf[0] else (events, doubt)

    def anew(self):
        restarts.append(time.monotonic())
        deaf[0] = False
        restart(self)

    monkeypatch.setattr(Watcher, "take", hear)
    monkeypatch.setattr(Watcher, "restart", anew)
    supervisor.settings["canary_seconds"] = 0.3
    with supervisor:
        supervisor.wait(lambda: [b for b in supervisor.of(Beat) if b.proof == "seen"])
        deaf[0] = True
        late = supervisor.root / "late.csv"
        late.write_bytes(b"id,sex,age\n1,2,3\n")
        told = supervisor.wait(lambda: [b for b in supervisor.of(Beat) if b.proof == "missed"])
        assert told[0].state == "degraded" and restarts
        supervisor.wait(lambda: not late.exists())  # the sweep has found what the watch did not tell
        supervisor.wait(lambda: supervisor.of(Beat)[-1].proof == "seen")
        assert supervisor.of(Beat)[-1].state == "native"
