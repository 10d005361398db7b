"""Foresight: several files at a time, and nothing kept that is not about this very version of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.examiner import Asked, Round
from agent.foresight import Foresight
from agent.opening import CannotOpen, OpenedFile, RootFolder, open_untrusted
from agent.protocol import Identity, Judged, Unseen, UnseenAnswer
from agent.watcher import Change, FileEvent
from detectors.engine.exchange import MOST_SHARED_BYTES
from detectors.engine.verdict import Outcome, Protection, Reason, Verdict

HARMLESS = Verdict(Outcome.NO_RECORDS)


class World:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = RootFolder.open(str(path), path.stat().st_dev)
        self.asked: list[bytes] = []
        self.seen: set[str] = set()
        self.says: dict[bytes, Verdict] = {}
        self.meanwhile = lambda: None
        self.told: list[Judged] = []
        self.given_up = 0
        self.foresight = Foresight(self, self.examine, self.unseen, self.told.extend)

    def ask_together(self, files: Sequence[Asked]) -> Round:
        self.asked += [os.pread(file.fd, file.size, 0) for file in files]
        return Round(files, [])

    def give_up(self, asked: Round) -> None:
        self.given_up += 1

    def examine(self, asked: Round) -> list[Verdict]:
        contents = [os.pread(file.fd, file.size, 0) for file in asked.files]
        self.meanwhile()
        return [self.says.get(content, HARMLESS) for content in contents]

    def unseen(self, question: Unseen) -> UnseenAnswer:
        return UnseenAnswer([i for i, file in enumerate(question.files) if file.relpath not in self.seen])

    def look(self, *files: tuple[str, bytes]) -> set[str]:
        for name, content in files:
            (self.path / name).write_bytes(content)
        return self.foresight.look(self.root, self.events(*(name for name, _ in files)))

    @staticmethod
    def events(*names: str) -> list[FileEvent]:
        return [FileEvent(name, Change.CHANGED, "sweep", 0.0) for name in names]

    def identity(self, name: str) -> Identity:
        with open_untrusted(self.root, name) as opened:
            return opened.identity()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.root.close()


def test_harmless_files_are_told_of_together_and_done_with(world: World) -> None:
    assert world.look(("a.txt", b"a"), ("b.txt", b"b")) == {"a.txt", "b.txt"}
    assert [one.identity for one in world.told] == [world.identity("a.txt"), world.identity("b.txt")]
    assert all(one.verdict == HARMLESS.to_json() and one.origin == "sweep" for one in world.told)
    assert not world.foresight.knows(world.identity("a.txt"))


def test_what_a_worker_of_its_own_said_is_known_once_unless_something_is_done_about_it(world: World) -> None:
    locked = Verdict(Outcome.ENCRYPTED, Reason.STRONG_ENCRYPTION, protection=Protection.STRONG)
    told = Verdict(Outcome.AGGREGATE, advisories=("small_cells",))
    world.says = {
        b"a": Verdict(Outcome.MICRODATA, flagged=True), b"b": Verdict.unreadable(Reason.CRASHED),
        b"c": locked, b"d": told, b"e": Verdict.unreadable(Reason.UNSUPPORTED),
    }  # fmt: skip
    assert world.look(*((f"{n}.txt", n.encode()) for n in "abcdef")) == {"f.txt"}
    known = [world.foresight.knows(world.identity(f"{n}.txt")) for n in "abcdef"]
    assert known == [False, False, True, True, True, False]
    assert world.foresight.recall(world.identity("c.txt")) == locked
    assert world.foresight.recall(world.identity("c.txt")) is None


def test_the_next_files_are_asked_about_while_these_are_waited_for(world: World) -> None:
    for name in "abcd":
        (world.path / name).write_bytes(name.encode())
    now, following = world.events("a", "b"), world.events("c", "d")
    before: list[bytes] = []
    world.meanwhile = lambda: before.extend(world.asked)
    assert world.foresight.look(world.root, now, following) == {"a", "b"}
    assert before == [b"a", b"b", b"c", b"d"]
    assert world.foresight.look(world.root, following) == {"c", "d"}
    assert world.asked == [b"a", b"b", b"c", b"d"] and not world.given_up


def test_files_that_do_not_come_next_after_all_are_given_up(world: World) -> None:
    for name in "abcdef":
        (world.path / name).write_bytes(name.encode())
    opened = len(os.listdir("/proc/self/fd"))
    world.foresight.look(world.root, world.events("a", "b"), world.events("c", "d"))
    assert world.foresight.look(world.root, world.events("e", "f")) == {"e", "f"}
    assert world.given_up == 1
    world.foresight.look(world.root, world.events("a", "b"), world.events("c", "d"))
    world.foresight.forget()
    assert world.given_up == 2 and len(os.listdir("/proc/self/fd")) == opened


def test_files_with_a_story_of_their_own_are_left_for_their_turn(world: World) -> None:
    for name in "abc":
        (world.path / name).write_bytes(name.encode())
    assert world.foresight.look(world.root, world.events("a", "b", "c"), apart={"b"}) == {"a", "c"}
    assert world.asked == [b"a", b"c"]


def test_paths_of_a_round_fit_into_one_packet(world: World) -> None:
    names = [f"{n}/" + "d/" * 5000 + "file" for n in "abcdefgh"]
    tried: list[str] = []

    def refuse(root: RootFolder, relpath: str) -> OpenedFile:
        tried.append(relpath)
        raise CannotOpen(Reason.GONE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.foresight.open_untrusted", refuse)
        world.foresight.look(world.root, world.events(*names))
    assert tried == names[:5]


def test_a_file_that_changes_meanwhile_or_later_is_not_known(world: World) -> None:
    locked = Verdict(Outcome.ENCRYPTED, Reason.STRONG_ENCRYPTION, protection=Protection.STRONG)
    world.says = {b"b": locked, b"c": locked}
    world.meanwhile = lambda: [(world.path / f"{n}.txt").write_bytes(b"longer") for n in "ab"] and None  # type: ignore[assignment]
    assert world.look(("a.txt", b"a"), ("b.txt", b"b"), ("c.txt", b"c")) == set()
    assert not world.foresight.knows(world.identity("a.txt"))
    assert not world.foresight.knows(world.identity("b.txt"))
    (world.path / "c.txt").write_bytes(b"other")
    assert not world.foresight.knows(world.identity("c.txt"))


def test_only_small_files_that_nobody_has_judged_are_asked_about(world: World) -> None:
    world.seen = {"seen.txt"}
    world.look(
        ("a.txt", b"a"), ("b.txt", b"b"), ("empty.txt", b""), ("seen.txt", b"seen"),
        ("large.txt", bytes(MOST_SHARED_BYTES + 1)),
    )  # fmt: skip
    assert world.asked == [b"a", b"b"]


def test_one_that_is_open_for_writing_waits_for_its_turn(world: World) -> None:
    with (world.path / "b.txt").open("ab"):
        world.look(("a.txt", b"a"))
        world.foresight.look(world.root, world.events("a.txt", "b.txt", "gone.txt"))
    assert b"b" not in world.asked


def test_a_new_look_or_the_end_forgets(world: World) -> None:
    world.says = {b"a": Verdict.unreadable(Reason.UNSUPPORTED)}
    world.look(("a.txt", b"a"), ("b.txt", b"b"))
    assert world.foresight.knows(world.identity("a.txt"))
    world.foresight.forget()
    assert not world.foresight.knows(world.identity("a.txt"))
