"""Foresight: several files at a time, and nothing kept that is not about this very version of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.examiner import Asked
from agent.foresight import Foresight
from agent.opening import RootFolder, open_untrusted
from agent.protocol import Identity, Unseen, UnseenAnswer
from agent.watcher import Change, FileEvent
from detectors.engine.exchange import MOST_SHARED_BYTES
from detectors.engine.verdict import Outcome, Reason, Verdict

HARMLESS = Verdict(Outcome.NO_RECORDS)


class World:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = RootFolder.open(str(path), path.stat().st_dev)
        self.asked: list[bytes] = []
        self.seen: set[str] = set()
        self.says: dict[bytes, Verdict] = {}
        self.meanwhile = lambda: None
        self.foresight = Foresight(self.examine, self.unseen)

    def examine(self, files: Sequence[Asked]) -> list[Verdict]:
        contents = [os.pread(file.fd, file.size, 0) for file in files]
        self.asked += contents
        self.meanwhile()
        return [self.says.get(content, HARMLESS) for content in contents]

    def unseen(self, question: Unseen) -> UnseenAnswer:
        return UnseenAnswer([i for i, file in enumerate(question.files) if file.relpath not in self.seen])

    def look(self, *files: tuple[str, bytes]) -> None:
        for name, content in files:
            (self.path / name).write_bytes(content)
        self.foresight.look(self.root, [FileEvent(n, Change.CHANGED, "sweep", 0.0) for n, _ in files])

    def identity(self, name: str) -> Identity:
        with open_untrusted(self.root, name) as opened:
            return opened.identity()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.root.close()


def test_harmless_files_are_known_once(world: World) -> None:
    world.look(("a.txt", b"a"), ("b.txt", b"b"))
    assert world.foresight.knows(world.identity("a.txt"))
    assert world.foresight.recall(world.identity("a.txt")) == HARMLESS
    assert world.foresight.recall(world.identity("a.txt")) is None


def test_nothing_is_kept_of_what_is_not_harmless(world: World) -> None:
    world.says = {b"a": Verdict(Outcome.MICRODATA, flagged=True), b"b": Verdict.unreadable(Reason.CRASHED)}
    world.look(("a.txt", b"a"), ("b.txt", b"b"), ("c.txt", b"c"))
    assert [world.foresight.knows(world.identity(f"{n}.txt")) for n in "abc"] == [False, False, True]


def test_a_file_that_changes_meanwhile_or_later_is_not_known(world: World) -> None:
    world.meanwhile = lambda: (world.path / "a.txt").write_bytes(b"longer") and None  # type: ignore[assignment]
    world.look(("a.txt", b"a"), ("b.txt", b"b"))
    assert not world.foresight.knows(world.identity("a.txt"))
    (world.path / "b.txt").write_bytes(b"other")
    assert not world.foresight.knows(world.identity("b.txt"))


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
        world.foresight.look(
            world.root, [FileEvent(f"{n}.txt", Change.CHANGED, "sweep", 0.0) for n in ("a", "b", "gone")]
        )
    assert b"b" not in world.asked


def test_a_new_look_or_the_end_forgets(world: World) -> None:
    world.look(("a.txt", b"a"), ("b.txt", b"b"))
    world.foresight.forget()
    assert not world.foresight.knows(world.identity("a.txt"))
