"""What the nursery answers; the processes that it forks are in test_births."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from agent.nursery import PROGRAMS


@pytest.fixture
def nursery() -> Iterator[tuple[socket.socket, int]]:
    """The supervisor's end of a nursery's socket, and its process id."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(60)
    command = [sys.executable, "-I", "-m", "agent.nursery", str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL)
    theirs.close()
    assert json.loads(ours.recv(100)) == {"ready": True}
    yield ours, process.pid
    ours.close()
    assert process.wait(60) == 0, "it ends when the supervisor hangs up"


def test_only_programs_of_ours_are_begun_and_a_strange_one_ends_at_once(
    nursery: tuple[socket.socket, int],
) -> None:
    line, _ = nursery
    assert set(PROGRAMS) == {"agent.keeper", "agent.courier"}
    for module in ("os", "agent.courier"):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            wanted = {"module": module, "arguments": ["no such user", "file"]}
            socket.send_fds(line, [json.dumps(wanted).encode()], [theirs.fileno()])
            theirs.close()
            assert json.loads(line.recv(100))["pid"] > 0
            ours.settimeout(60)
            said = ours.recv(100)
            assert bool(said) == (module == "agent.courier")


def test_it_holds_nothing_but_its_socket(nursery: tuple[socket.socket, int]) -> None:
    _, pid = nursery
    assert len(os.listdir(f"/proc/{pid}/fd")) == 4
