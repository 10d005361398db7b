"""Processes that the nursery forks are our children, as if we had started them; else they begin anew."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from agent.births import Adopted, Births, Process, begin_anew
from agent.channel import Channel
from agent.protocol import Hello


@pytest.fixture
def births() -> Iterator[Births]:
    births = Births()
    births.start()
    assert births.wait(60.0)
    yield births
    births.close()


def keeper(begin: Callable[..., Process]) -> tuple[Process, Channel, socket.socket]:
    """A keeper that waits to be welcomed."""
    ours, theirs = Channel.pair()
    asker, examiner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs.sock, examiner:
        process = begin("agent.keeper", [theirs.fileno(), examiner.fileno()])
    return process, ours, asker


def nursery_of(births: Births) -> Process:
    assert births._process is not None
    return births._process


def test_a_keeper_is_our_child_looks_like_one_and_ends_with_its_channel(births: Births) -> None:
    process, channel, asker = keeper(births.begin)
    assert isinstance(process, Adopted)
    assert channel.receive(60.0) == Hello(process.pid)
    seen = psutil.Process(process.pid)
    assert seen.ppid() == os.getpid()
    assert "agent.keeper" in seen.cmdline()
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.0)
    channel.close()
    assert process.wait(60.0) == 0
    asker.close()


def test_what_is_killed_is_reaped_once(births: Births) -> None:
    process, channel, asker = keeper(births.begin)
    process.kill()
    assert process.wait(60.0) == -signal.SIGKILL
    process.kill()
    assert process.poll() == -signal.SIGKILL
    assert not psutil.pid_exists(process.pid)
    channel.close()
    asker.close()


def test_a_keeper_has_nothing_of_the_nursery_and_the_nursery_nothing_of_it(births: Births) -> None:
    before = psutil.Process(nursery_of(births).pid).num_fds()
    process, channel, asker = keeper(births.begin)
    assert channel.receive(60.0) == Hello(process.pid)
    assert psutil.Process(nursery_of(births).pid).num_fds() == before
    assert psutil.Process(process.pid).num_fds() == 5, "3 of its own, channel, examiner"
    assert psutil.Process(nursery_of(births).pid).children() == []
    channel.close()
    process.wait(60.0)
    asker.close()


def test_a_nursery_that_died_is_replaced_and_meanwhile_processes_are_started_anew(births: Births) -> None:
    os.kill(nursery_of(births).pid, signal.SIGKILL)
    os.waitid(os.P_PID, nursery_of(births).pid, os.WEXITED | os.WNOWAIT)
    process, channel, asker = keeper(births.begin)
    assert isinstance(process, subprocess.Popen)
    assert channel.receive(60.0) == Hello(process.pid)
    channel.close()
    process.wait(60.0)
    asker.close()
    assert births.wait(60.0)


def test_descriptors_that_a_silent_nursery_may_have_given_on_are_given_to_nobody_else(
    births: Births, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.births.ANSWER_SECONDS", 0.1)
    silent = nursery_of(births).pid
    os.kill(silent, signal.SIGSTOP)
    with pytest.raises(OSError, match="did not answer"):
        keeper(births.begin)
    assert nursery_of(births).pid != silent
    assert not psutil.pid_exists(silent)


def test_what_the_nursery_forked_outlives_it(births: Births) -> None:
    process, channel, asker = keeper(births.begin)
    births.close()
    assert channel.receive(60.0) == Hello(process.pid)
    process.kill()
    process.wait(60.0)
    channel.close()
    asker.close()


def test_others_that_are_orphaned_below_us_stay_none_of_ours(births: Births) -> None:
    process, channel, asker = keeper(births.begin)
    ours, theirs = os.pipe()
    between = os.fork()
    if between == 0:
        if os.fork() == 0:
            while os.getppid() == between:
                time.sleep(0.001)
            with suppress(OSError):
                os.write(theirs, str(os.getppid()).encode())
        os._exit(0)
    os.waitpid(between, 0)
    assert int(os.read(ours, 20)) != os.getpid()
    process.kill()
    process.wait(60.0)
    for end in (ours, theirs):
        os.close(end)
    channel.close()
    asker.close()


def test_without_a_nursery_a_process_is_started_anew() -> None:
    process, channel, asker = keeper(Births().begin)
    assert isinstance(process, subprocess.Popen)
    process.kill()
    process.wait()
    channel.close()
    asker.close()
    assert begin_anew("agent.nothing", []).wait() == 1
