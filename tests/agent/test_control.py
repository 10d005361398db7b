"""The control socket: who is admitted, and that no client can hold the service up."""

from __future__ import annotations

import grp
import json
import os
import pwd
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.control import Control, name_of
from agent.errors import NotFound, Refused
from agent.loop import Loop
from agent.socket_path import address_of


def echo(request: Mapping[str, Any], who: str) -> Any:
    return {"who": who, "word": request["word"]}


def missing(request: Mapping[str, Any], who: str) -> Any:
    raise NotFound("no such thing", "look elsewhere")


def refused(request: Mapping[str, Any], who: str) -> Any:
    raise Refused("not so")


def big(request: Mapping[str, Any], who: str) -> Any:
    return "x" * 5_000_000


class Served:
    """A control socket with a loop in a thread."""

    def __init__(self, folder: Path, group: str = "root") -> None:
        self.path = folder / "control.sock"
        self.loop = Loop()
        commands = {"echo": echo, "missing": missing, "refused": refused, "big": big}
        self.control = Control(self.loop, self.path, group, commands)
        self._tick()
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    def _tick(self) -> None:
        self.loop.every(0.01, lambda: None)

    def connect(self) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(60)
        with address_of(self.path) as name:
            line.connect(name)
        return line

    def ask(self, **request: Any) -> dict[str, Any]:
        with self.connect() as line:
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile() as answers:
                plain: dict[str, Any] = json.loads(answers.readline())
                return plain

    def close(self) -> None:
        self.loop.stop()
        self.thread.join()
        self.control.close()
        self.loop.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.close()


def test_a_command_is_answered_with_who_asked(served: Served) -> None:
    assert served.ask(command="echo", word="a\udcff\n") == {
        "ok": True, "result": {"who": f"uid:{os.getuid()}", "word": "a\udcff\n"},
    }  # fmt: skip


def test_one_connection_may_ask_many_times(served: Served) -> None:
    with served.connect() as line, line.makefile() as answers:
        line.sendall(b'{"command":"echo","word":1}\n{"command":"echo","word":2}\n{"command"')
        line.sendall(b':"echo","word":3}\n')
        assert [json.loads(answers.readline())["result"]["word"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"command": "missing"}, "not_found"),
        ({"command": "refused"}, "refused"),
        ({"command": "nothing"}, "mistyped"),
        ({"command": "echo"}, "mistyped"),
        ({"command": ["echo"]}, "mistyped"),
        ({}, "mistyped"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    served: Served, request_: dict[str, Any], error: str
) -> None:
    answer = served.ask(**request_)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert answer["message"]


@pytest.mark.parametrize("junk", [b"\n", b"[]\n", b"\xff\xfe\n", b'"x"\n', b"[" * 5000 + b"\n"])
def test_junk_is_refused_and_the_service_lives(served: Served, junk: bytes) -> None:
    with served.connect() as line, line.makefile() as answers:
        line.sendall(junk)
        assert json.loads(answers.readline())["ok"] is False
    assert served.ask(command="echo", word=1)["ok"]


def test_a_client_that_does_not_read_holds_nobody_up(served: Served) -> None:
    with served.connect() as slow:
        slow.sendall(b'{"command":"big"}\n' * 3)
        assert served.ask(command="echo", word=1)["ok"]
        with slow.makefile() as answers:
            assert [len(answers.readline()) > 5_000_000 for _ in range(3)] == [True] * 3


def test_a_line_without_an_end_is_cut_off(served: Served) -> None:
    with served.connect() as line, pytest.raises((BrokenPipeError, ConnectionResetError)):
        for _ in range(100):
            line.sendall(b"x" * 65536)
    assert served.ask(command="echo", word=1)["ok"]


def test_too_many_connections_are_refused_not_served(served: Served) -> None:
    lines = [served.connect() for _ in range(60)]
    refused: list[socket.socket] = []
    end = time.monotonic() + 60
    while len(refused) < 20:
        assert time.monotonic() < end, len(refused)
        readable, _, _ = select.select([line for line in lines if line not in refused], [], [], 1.0)
        refused += [line for line in readable if b"too many" in line.recv(4096)]
    for line in lines:
        line.close()


def test_the_socket_is_ours_alone_and_gone_at_the_end(tmp_path: Path) -> None:
    served = Served(tmp_path)
    assert served.path.stat().st_mode & 0o777 == 0o600
    served.close()
    assert not served.path.exists()


def test_a_state_folder_with_a_long_path_is_served(tmp_path: Path) -> None:
    """A socket's name has room for 108 bytes only; somebody's temporary folder may be longer."""
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    served = Served(folder)
    try:
        assert served.ask(command="echo", word=1)["ok"]
        assert served.path.stat().st_mode & 0o777 == 0o600
    finally:
        served.close()


ASK = """
import json, os, socket, sys
uid, gid, groups, path = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
os.setgroups(groups); os.setgid(gid); os.setuid(uid)
s = socket.socket(socket.AF_UNIX)
try:
    s.connect(path)
except PermissionError:
    print("denied by the kernel"); sys.exit()
if not sys.argv[5:]:
    s.sendall(b'{"command":"echo","word":1}\\n')
print(s.makefile().readline())
"""


def ask_as(uid: int, gid: int, groups: list[int], path: Path, *silently: str) -> str:
    """The answer that such a user gets; a refusal comes before anything is asked."""
    command = [sys.executable, "-c", ASK, str(uid), str(gid), json.dumps(groups), str(path), *silently]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def open_folder() -> Iterator[Path]:
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.root
def test_members_of_the_group_are_admitted_and_others_are_not(open_folder: Path) -> None:
    group = grp.getgrnam("adm")
    nobody = pwd.getpwnam("nobody")
    served = Served(open_folder, "adm")
    try:
        assert '"ok": true' in ask_as(nobody.pw_uid, group.gr_gid, [], served.path)
        assert '"ok": true' in ask_as(nobody.pw_uid, nobody.pw_gid, [7, group.gr_gid], served.path)
        assert ask_as(nobody.pw_uid, nobody.pw_gid, [7], served.path).strip() == "denied by the kernel"
        served.path.chmod(0o666)  # even if somebody opened it: the peer is asked for
        assert "not_permitted" in ask_as(nobody.pw_uid, nobody.pw_gid, [7], served.path, "silently")
    finally:
        served.close()


@pytest.mark.root
def test_without_a_group_only_root_is_admitted(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    served = Served(open_folder, "no-such-group")
    try:
        served.path.chmod(0o666)
        assert "not_permitted" in ask_as(nobody.pw_uid, nobody.pw_gid, [0], served.path, "silently")
    finally:
        served.close()


def test_people_are_named() -> None:
    assert name_of("uid:0") == "uid:0 (root)"
    assert name_of("uid:4294967294") == "uid:4294967294"
