"""watchdog's inotify, as an ordinary user has it: what it loses must at least raise a doubt."""

from __future__ import annotations

import pytest
from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent, InotifyFD

from agent.watcher import Change, Watcher


@pytest.fixture
def watch(tmp_path):
    made = []

    def make():
        made.append(Watcher(str(tmp_path), tmp_path.stat().st_dev, lambda: None, fanotify=False))
        made[0].start()
        assert made[0].wait_started(5) and made[0].state == "native"
        made[0].take()
        return made[0]

    yield make
    for watcher in made:
        watcher.stop()


def test_a_new_folder_is_watched(watch, seen, tmp_path):
    watcher = watch()
    (tmp_path / "new").mkdir()
    seen(watcher, lambda e, d: ("new", Change.FOLDER) in e)
    (tmp_path / "new" / "f").write_bytes(b"1")
    seen(watcher, lambda e, d: ("new/f", Change.CLOSED) in e)


def test_a_full_kernel_queue_is_a_doubt_and_no_noise(watch, seen, tmp_path, caplog, capsys):
    watcher = watch()
    descriptors = watcher._observers[0]._descriptors
    descriptors.handle_event(InotifyEvent(-1, InotifyConstants.IN_Q_OVERFLOW, 0, b""))
    seen(watcher, lambda e, d: d)
    assert not caplog.records and capsys.readouterr() == ("", "")


def test_a_folder_that_is_watched_already_puts_no_names_into_the_log(watch, tmp_path, recwarn):
    descriptors = watch()._observers[0]._descriptors
    [known] = descriptors._watch_for_wd.values()
    [(number, callback)] = known.callbacks.items()
    descriptors.add_callback(bytes(tmp_path), known.mask, callback, number)
    assert not recwarn.list


def test_a_limit_of_watches_is_degraded_not_silence(watch, seen, tmp_path, monkeypatch):
    watcher = watch()
    real = InotifyFD.add_callback

    def full(self, path, *arguments):
        if path.endswith(b"one too many"):
            raise OSError(28, "inotify watch limit reached")
        return real(self, path, *arguments)

    monkeypatch.setattr(InotifyFD, "add_callback", full)
    (tmp_path / "one too many").mkdir()
    seen(watcher, lambda e, d: d)
    assert watcher.state == "degraded"


def test_a_dead_descriptor_thread_is_noticed_and_replaced(watch, seen, tmp_path):
    watcher = watch()
    thread = watcher._observers[0]._descriptors
    thread.stop()
    thread.join(60)
    watcher.check()
    assert watcher.wait_started(5) and watcher.take()[1]
    (tmp_path / "f").write_bytes(b"1")
    seen(watcher, lambda e, d: ("f", Change.CLOSED) in e)


def test_both_halves_of_a_move_are_told(watch, seen, tmp_path):
    watcher = watch()
    (tmp_path / "tmp").write_bytes(b"1")
    (tmp_path / "tmp").rename(tmp_path / "f")
    events, _ = seen(watcher, lambda e, d: ("f", Change.ARRIVED) in e)
    assert ("tmp", Change.GONE) in events
