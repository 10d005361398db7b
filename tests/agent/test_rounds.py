"""Rounds: which sweep comes next, what is counted, what gives way to what."""

from __future__ import annotations

import os
import time

import pytest

from agent.crew import DONE, Fate, later
from agent.examiner import MOST_TOGETHER
from agent.opening import RootFolder
from agent.protocol import (
    Cursor,
    Done,
    Folders,
    FoldersAnswer,
    FoldersKnown,
    Swept,
    Unseen,
    UnseenAnswer,
)  # fmt: skip
from agent.rounds import CALM_SECONDS, Rounds
from agent.settle import Settle
from detectors.engine.verdict import Reason


class World:
    """A root in a folder, a supervisor that has seen nothing, and a judge that notes what it is shown."""

    def __init__(self, path):
        self.path = path
        self.root = RootFolder.open(str(path), path.stat().st_dev)
        self.settle = Settle(0.1, 2.0)
        self.judged, self.reports, self.fates = [], [], {}
        self.asked, self.known, self.cursors, self.looked, self.all_seen = [], [], [], [], False
        self.rounds = Rounds(self.settle, self.ask, self.judge, 2.0)

    def ask(self, message, answer):
        if isinstance(message, Unseen):
            self.looked += [file.relpath for file in message.files]
            needed = [] if self.all_seen else list(range(len(message.files)))
            return UnseenAnswer(needed, not needed)
        if isinstance(message, Folders):
            self.asked += message.folders
            known = [i for i, pair in enumerate(message.folders) if pair in self.known]
            return FoldersAnswer([i for i in range(len(message.folders)) if i not in known])
        if isinstance(message, FoldersKnown):
            self.known += message.folders
            return Done()
        if isinstance(message, Cursor):
            self.cursors.append(message.relpath)
            return Done()
        assert isinstance(message, Swept)
        self.reports.append(message)
        return Done()

    def judge(self, event):
        self.judged.append(event.relpath)
        return self.fates.get(event.relpath, DONE)

    def old(self, name):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (1, 1))

    def run(self, now=100.0):
        while self.rounds.work(self.root, lambda: None, now):
            pass


@pytest.fixture
def world(tmp_path):
    (tmp_path / "root").mkdir()
    made = World(tmp_path / "root")
    yield made
    made.rounds.let_go()
    made.root.close()


def test_nothing_is_swept_that_nobody_wants(world):
    assert not world.rounds.work(world.root, lambda: None, 1e9)
    assert world.rounds.due() is None and not world.rounds.under_way


def test_all_that_is_old_is_judged_and_counted(world):
    for name in ("a", "d/b", "d/e/c"):
        world.old(name)
    world.fates = {"a": Fate("done", Reason.MALFORMED), "d/b": Fate("seen", Reason.LINK)}
    world.rounds.want(0.0)
    world.run()
    assert sorted(world.judged) == ["a", "d/b", "d/e/c"]
    (report,) = world.reports
    assert (report.files, report.folders, report.judged, report.complete) == (3, 3, 2, True)
    assert report.not_examined == {"malformed": 1, "link": 1}


def test_files_of_several_folders_are_looked_at_together_and_only_those_left_one_by_one(world):
    for number in range(100):
        world.old(f"{number % 7}/{number:03}")
    told = []

    def foresee(now, following):
        told.append(([event.relpath for event in now], [event.relpath for event in following]))
        return {event.relpath for event in now if not event.relpath.endswith("5")}

    world.rounds = Rounds(world.settle, world.ask, world.judge, 2.0, foresee=foresee)
    world.rounds.want(0.0)
    world.run()
    assert [len(now) for now, _ in told] == [MOST_TOGETHER] * 3 + [100 - 3 * MOST_TOGETHER]
    assert [now for now, _ in told[1:]] == [following for _, following in told[:-1]]
    assert len(world.judged) == 10 and all(name.endswith("5") for name in world.judged)
    assert [report.judged for report in world.reports] == [100]


def test_a_pause_holds_up_routine_sweeps_in_their_middle_and_nothing_else(world):
    for name in ("a", "b", "d/c"):
        world.old(name)
    world.rounds.want(0.0, routine=True)
    assert world.rounds.work(world.root, lambda: None, 100.0)
    world.rounds.paused = True
    world.run()
    assert world.judged == [] and not world.rounds.under_way and world.rounds.due() is None
    world.rounds.want_folder("d", 0.0)
    assert world.rounds.under_way
    world.run()
    assert world.judged == ["d/c"]
    world.rounds.want(0.0)  # events were lost: that does not wait
    world.run()
    assert {"a", "b"} <= set(world.judged)
    world.judged.clear()
    world.run()
    world.rounds.want(0.0, at_once=True, routine=True)
    world.run(200.0)
    assert world.judged == []
    world.rounds.paused = False
    world.run(300.0)
    assert {"a", "b"} <= set(world.judged)


def test_what_somebody_may_still_be_writing_is_left_to_settle(world):
    world.old("old")
    (world.path / "fresh").touch()
    world.rounds.want(0.0)
    world.run()
    assert world.judged == ["old"] and len(world.settle) == 1


def test_a_file_from_the_future_is_not_waited_for(world):
    world.old("odd")
    os.utime(world.path / "odd", (4e9, 4e9))
    world.rounds.want(0.0)
    world.run()
    assert world.judged == ["odd"]


def test_what_is_put_off_is_not_counted_as_judged(world):
    world.old("busy")
    world.fates = {"busy": later(Reason.CHANGED)}
    world.rounds.want(0.0)
    world.run()
    assert world.reports[0].judged == 0 and world.reports[0].not_examined == {}


def test_a_new_folder_comes_before_the_rest_of_the_root(world):
    for number in range(5):
        world.old(f"old/{number}")
    world.old("new/f")
    world.rounds.want(0.0)
    while len(world.judged) < 2:
        world.rounds.work(world.root, lambda: None, 100.0)
    world.rounds.want_folder("new", 100.0)
    before = len(world.judged)
    world.run()
    assert world.judged[before] == "new/f"
    assert len(world.reports) == 1, "a folder's sweep is nobody's report"


def test_a_folder_inside_a_folder_is_swept_once(world):
    world.old("new/deep/f")
    world.rounds.want_folder("new", 0.0)
    world.rounds.want_folder("new/deep", 0.0)
    world.run()
    assert world.judged == ["new/deep/f"]


def test_a_flood_of_folders_becomes_one_sweep(world):
    for number in range(3000):
        world.rounds.want_folder(str(number), 0.0)
    assert len(world.rounds._folders) <= 1000 and world.rounds.due() is not None


def test_doubts_one_after_the_other_do_not_make_one_endless_sweep(world):
    world.rounds.want(0.0)
    world.run()
    ended = world.rounds.ended_at
    world.rounds.want(ended)
    assert world.rounds.due() >= ended + CALM_SECONDS
    world.rounds.want(ended, at_once=True)
    assert world.rounds.due() == ended, "who asks by name does not wait"


def test_a_lost_root_is_an_incomplete_sweep_and_wanted_again(world):
    for number in range(300):
        world.old(str(number))
    world.rounds.want(0.0)
    for _ in range(5):
        world.rounds.work(world.root, lambda: None, 100.0)
    before = len(os.listdir("/proc/self/fd"))
    world.rounds.stop(100.0)
    assert len(os.listdir("/proc/self/fd")) < before
    (report,) = world.reports
    assert not report.complete and world.rounds.due() is not None and world.rounds.backlog == 0
    world.run(1e9)
    assert world.reports[-1].complete and world.reports[-1].files == 300


def test_a_folder_in_which_all_was_judged_is_not_looked_at_again_until_something_changes(world):
    for name in ("a", "d/b", "d/c", "e/f"):
        world.old(name)
    world.all_seen = True
    world.rounds.want(0.0)
    world.run()
    assert sorted(world.looked) == ["a", "d/b", "d/c", "e/f"] and len(world.known) == 3
    world.looked.clear()
    world.rounds.want(0.0, at_once=True)
    world.run()
    assert world.looked == [] and world.reports[-1].files == 4
    (world.path / "d" / "c").write_bytes(b"changed")
    world.rounds.want(0.0, at_once=True)
    world.run()
    assert sorted(world.looked) == ["d/b", "d/c"]


def test_a_folder_with_anything_left_to_do_is_not_known(world):
    world.old("d/b")
    world.rounds.want(0.0)
    world.run()
    assert world.judged == ["d/b"] and world.known == []


def test_a_sweep_that_was_cut_off_goes_on_where_it_was_and_still_meets_all(world):
    for name in ("a/1", "b/2", "c/3", "d/4"):
        world.old(name)
    world.all_seen = True
    world.rounds._cursor = "c"
    world.rounds.want(0.0)
    world.run()
    assert world.looked == ["c/3", "d/4", "a/1", "b/2"] and world.reports[-1].complete


def test_how_far_a_long_sweep_has_come_is_noted_and_forgotten_at_its_end(world, monkeypatch):
    monkeypatch.setattr("agent.rounds.MARK_SECONDS", 0.0)
    monkeypatch.setattr("agent.sweep.STEP_ENTRIES", 5)
    for name in ("a/1", "b/2", "c/3"):
        world.old(name)
    world.rounds.want(0.0)
    world.run(time.monotonic())
    assert {"b", "c"} <= set(world.cursors) and world.cursors[-1] == ""
