"""A post: a real keeper process behind it, made to die, to hang, to have nothing to watch."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.births import begin_anew
from agent.loop import Loop
from agent.policy import RootFacts
from agent.post import Post
from agent.protocol import Done, Message, Swept, Unseen, UnseenAnswer, Welcome
from agent.volume_facts import VolumeFacts
from agent.volumes import WatchedRoot
from config.settings import Handling, Mode, Zone


class House:
    """All that a post needs; nothing in it is judged."""

    stuck_seconds = 10.0
    restart_seconds = 0.05
    paused = False
    begin = staticmethod(begin_anew)

    def __init__(self, tmp_path: Path) -> None:
        self.loop = Loop()
        self.loop.every(0.05, lambda: None)
        self.tmp_path = tmp_path
        self.lost: list[str] = []
        self.said: list[str] = []
        self.swept = 0
        self.moved: list[str] = []
        self.protected = True
        self._examiners: list[socket.socket] = []

    def born(self, pid: int, root: WatchedRoot) -> None:
        assert pid > 0

    def attach_examiner(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._examiners.append(theirs)
        return ours

    def welcome(self, root: WatchedRoot) -> Message:
        return Welcome(
            root.root_id, root.path, "shared", "unrestricted", "audit", root.device,
            str(self.tmp_path / "vault"), [], 0.1, 0.5, 3600.0, 10.0, 0, "us", [], "0" * 64,
            paused=self.paused,
        )  # fmt: skip

    def arrived(self, post: Post) -> None:
        pass

    def answer(self, root: WatchedRoot, message: Message) -> Message | None:
        if isinstance(message, Swept):
            self.swept += 1
            return Done()
        return UnseenAnswer([]) if isinstance(message, Unseen) else None

    def keeper_lost(self, root: WatchedRoot, why: str) -> None:
        self.lost.append(why)

    def found_elsewhere(self, root: WatchedRoot, real_path: str) -> None:
        self.moved.append(real_path)

    def check_protections(self, root: WatchedRoot, missing: list[str]) -> bool:
        return self.protected

    def say(self, text: str) -> None:
        self.said.append(text)

    def until(self, ready: Callable[[], object], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < deadline, "waited in vain"
            self.loop.once(0.05)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.loop.close()


@pytest.fixture
def post(house: House, tmp_path: Path) -> Iterator[Post]:
    (tmp_path / "root").mkdir()
    facts = RootFacts(Zone.SHARED, Handling.UNRESTRICTED, Mode.AUDIT)
    post = Post(WatchedRoot("r1", str(tmp_path / "root"), facts, VolumeFacts(), "configured"), house)
    yield post
    if not post.over:
        post.end()
        house.until(lambda: post.over)


def working(post: Post) -> bool:
    return post.state in ("native", "polling", "degraded")


def test_it_looks_sends_a_keeper_and_learns_how_it_stands(house: House, post: Post) -> None:
    post.start()
    assert post.state == "probing"
    house.until(lambda: working(post) and house.swept)
    assert post.root.device == os.stat(post.root.path).st_dev
    assert post.sweep()
    house.until(lambda: house.swept == 2)


def test_a_keeper_that_dies_is_replaced_by_one_that_sweeps_at_once_though_routine_sweeps_pause(
    house: House, post: Post
) -> None:
    house.paused = True
    post.start()
    house.until(lambda: working(post))
    first = post.pid
    assert first is not None and not house.swept
    os.kill(first, signal.SIGKILL)
    house.until(lambda: post.pid not in (None, first) and working(post) and house.swept)
    assert house.lost == ["died"]
    assert post.abandoned == []


def test_a_keeper_that_hangs_is_shown_stuck_killed_and_replaced(house: House, post: Post) -> None:
    house.stuck_seconds = 4.0
    post.start()
    house.until(lambda: working(post))
    first = post.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    house.stuck_seconds = 1.0
    house.until(lambda: post.state == "stuck")
    house.stuck_seconds = 60.0  # the next one may be slow to begin
    assert house.lost == ["stuck"]
    house.until(lambda: working(post))
    assert post.pid != first
    assert not Path(f"/proc/{first}").exists()


def test_a_path_that_is_not_there_waits_and_is_taken_up_when_it_comes(house: House, post: Post) -> None:
    path = Path(post.root.path)
    path.rmdir()
    post.start()
    house.until(lambda: post.state == "waiting")
    assert post.fault == "ENOENT"
    assert not post.sweep()
    path.mkdir()
    post.hurry()
    house.until(lambda: working(post))
    assert post.fault == ""


def test_a_file_is_no_root(house: House, post: Post) -> None:
    path = Path(post.root.path)
    path.rmdir()
    path.touch()
    post.start()
    house.until(lambda: post.state == "waiting")
    assert post.fault == "ENOTDIR"


def test_a_link_is_reported_as_where_it_leads(house: House, post: Post, tmp_path: Path) -> None:
    Path(post.root.path).rename(tmp_path / "real")
    Path(post.root.path).symlink_to(tmp_path / "real")
    post.start()
    house.until(lambda: house.moved)
    assert house.moved == [str(tmp_path / "real")]


def test_without_a_compulsory_protection_nobody_works(house: House, post: Post) -> None:
    house.protected = False
    post.start()
    house.until(lambda: post.state == "waiting")
    assert "protection" in post.fault


def test_when_no_process_can_be_made_it_waits_and_tries_again(
    house: House, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "no more processes")

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", refuse)
        post.start()
        assert (post.state, post.fault) == ("waiting", "EAGAIN")
    house.until(lambda: working(post))


def test_a_post_on_hold_does_not_begin(house: House, post: Post) -> None:
    post.hold("too_many")
    house.loop.once(0.05)
    assert (post.state, post.fault, post.pid) == ("waiting", "too_many", None)
    post.hurry()
    house.until(lambda: working(post))


def test_ending_lets_the_keeper_go_by_itself(house: House, post: Post) -> None:
    post.start()
    house.until(lambda: working(post))
    pid, ended = post.pid, []
    post.end(lambda: ended.append(True))
    house.until(lambda: post.over)
    assert ended == [True]
    assert house.lost == ["ended"]
    assert not Path(f"/proc/{pid}").exists()


def test_ending_while_it_still_looks(house: House, post: Post) -> None:
    post.start()
    ended: list[bool] = []
    post.end(lambda: ended.append(True))
    assert post.over and ended == [True]
    post.start()
    assert post.over


def test_a_keeper_that_talks_nonsense_is_sent_away(house: House, post: Post) -> None:
    house.answer = lambda root, message: None  # type: ignore[method-assign]
    post.start()
    house.until(lambda: house.lost)
    assert "nonsense" in house.said[0]
