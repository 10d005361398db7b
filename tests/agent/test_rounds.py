"""Rounds: which sweep comes next, what is counted, what gives way to what."""

from __future__ import annotations

import os

import pytest

from agent.crew import DONE, Fate, later
from agent.opening import RootFolder
from agent.protocol import Done, Swept, Unseen, UnseenAnswer
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
        self.rounds = Rounds(self.settle, self.ask, self.judge, 2.0)

    def ask(self, message, answer):
        if isinstance(message, Unseen):
            return UnseenAnswer(list(range(len(message.files))))
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
