"""One worker ahead: when it is forked, and that it is handed files once. What it does is in test_template."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from detectors.engine import worker
from detectors.engine.spare import Ahead, Spare

DUTY: Any = None


@pytest.fixture(autouse=True)
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that says of the first file what it holds and what it was told of it."""

    def work_later(channel: int, answer: int, *_: object) -> None:
        try:
            os.write(channel, worker.READY)
            told, files, _, _ = socket.recv_fds(socket.socket(fileno=channel), 1024, 16)
            os.write(answer, os.pread(files[0], 100, 0) + told)
        finally:
            os._exit(0)

    monkeypatch.setattr(worker, "work_later", work_later)


@pytest.fixture
def ahead() -> Iterator[Ahead]:
    made = Ahead(DUTY, 0.5)
    yield made
    made.end()


def when_ready(ahead: Ahead) -> Spare:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (spare := ahead.take()) is not None:
            return spare
        time.sleep(0.002)
    pytest.fail("it does not get ready")


def test_it_is_forked_after_a_rest_and_once(ahead: Ahead) -> None:
    assert ahead.patience(0.2, 60.0) == pytest.approx(0.3)
    ahead.rest(0.2)
    assert ahead.take() is None
    ahead.rest(0.5)
    assert ahead.patience(9.0, 60.0) == 60.0, "nothing more to be done, however long the rest"
    spare = when_ready(ahead)
    assert ahead.take() is None
    assert ahead.patience(0.0, None) == 0.5, "the next one"
    spare.end()


def test_without_a_time_of_rest_there_is_none() -> None:
    ahead = Ahead(DUTY, None)
    ahead.rest(1e9)
    assert ahead.patience(1e9, None) is None
    assert ahead.take() is None


def test_its_files_and_its_time_are_handed_over_once(ahead: Ahead) -> None:
    ahead.rest(1.0)
    spare = when_ready(ahead)
    os.set_blocking(spare.pipe, True)
    with open(__file__, "rb") as file:
        assert spare.give([(file.fileno(), 7)], 2.5)
        assert os.read(spare.pipe, 200) == os.pread(file.fileno(), 100, 0) + worker.job([7], 2.5)
    assert not spare.give([(0, 1)], 1.0), "it has hung up"


def test_a_dead_one_takes_nothing_and_leaves_nothing_behind(ahead: Ahead) -> None:
    before = len(os.listdir("/proc/self/fd"))
    ahead.rest(1.0)
    spare = when_ready(ahead)
    os.kill(spare.pid, 9)
    os.waitid(os.P_PID, spare.pid, os.WEXITED | os.WNOWAIT)
    assert not spare.give([(0, 1)], 1.0)
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(spare.pid, 0)


def test_one_that_is_not_ready_is_not_waited_for_and_not_lost(
    ahead: Ahead, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work_later(channel: int, *_: object) -> None:
        try:
            os.read(channel, 1)
            os.write(channel, worker.READY)
            os.read(channel, 1)
        finally:
            os._exit(0)

    monkeypatch.setattr(worker, "work_later", work_later)
    ahead.rest(1.0)
    assert ahead.take() is None
    assert ahead.patience(9.0, 60.0) == 60.0, "there is one already"
    assert ahead._spare is not None
    ahead._spare.channel.send(b"!")
    when_ready(ahead).end()
