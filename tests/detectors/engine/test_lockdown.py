"""Each wall is tried from inside, by a process that really is behind it."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.settings import Protection
from detectors.engine import lockdown
from detectors.engine.lockdown import Bounds, Walls

MIB = 1024**2
BOUNDS = Bounds(cpu_seconds=10, memory_bytes=256 * MIB)


def in_child(act: Callable[[], Any]) -> Any:
    """The result of `act` in a process of its own; a pipe, for a locked-down one can write no file."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = json.dumps(act())
        except BaseException as error:
            said = json.dumps(f"failed: {error!r}")
        os.write(theirs, said.encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        said_bytes = pipe.read()
    _, status = os.waitpid(pid, 0)
    return json.loads(said_bytes) if said_bytes else f"died: {os.waitstatus_to_exitcode(status)}"


def behind_walls(act: Callable[[], Any], threads: bool = False) -> Any:
    """What `act` came to behind all walls: its result, or the name of its error."""
    walls = Walls.prepare(threads)

    def tried() -> Any:
        report = walls.close(BOUNDS)
        assert not any(report.values()), report
        try:
            return act()
        except (OSError, RuntimeError, MemoryError) as error:
            return type(error).__name__

    return in_child(tried)


def test_the_names_are_those_of_the_settings() -> None:
    assert {Protection(name) for name in lockdown.PROTECTIONS}


def test_all_walls_stand_on_this_machine() -> None:
    assert in_child(lambda: Walls.prepare().close(BOUNDS)) == dict.fromkeys(lockdown.WALLS, "")


SYSCALL = ctypes.CDLL(None, use_errno=True).syscall


def by_number(number: int, *arguments: int) -> str:
    """A call past the C library; EPERM becomes the usual error."""
    if SYSCALL(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return "allowed"


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda: Path("/etc/passwd").read_text(), id="read a file"),
        pytest.param(lambda: os.open("/tmp/new", os.O_WRONLY | os.O_CREAT), id="make a file"),
        pytest.param(lambda: os.listdir("/"), id="list a folder"),
        pytest.param(lambda: str(os.stat("/etc/passwd")), id="ask about a path"),
        pytest.param(lambda: os.readlink("/proc/self/exe"), id="read a link"),
        pytest.param(lambda: os.unlink("/tmp/none"), id="unlink"),
        pytest.param(lambda: os.rename("/tmp/none", "/tmp/other"), id="rename"),
        pytest.param(lambda: str(socket.socket()), id="internet socket"),
        pytest.param(lambda: str(socket.socket(socket.AF_UNIX)), id="local socket"),
        pytest.param(lambda: str(socket.socketpair()), id="socket pair"),
        pytest.param(os.fork, id="fork"),
        pytest.param(lambda: os.execv("/bin/true", ["true"]), id="execute"),
        pytest.param(lambda: os.kill(os.getppid(), 0), id="signal another"),
        pytest.param(lambda: os.kill(os.getpid(), 0), id="signal itself"),
        pytest.param(lambda: os.memfd_create("x"), id="memory file"),
        pytest.param(os.setsid, id="new session"),
        pytest.param(lambda: os.fchmod(1, 0o777), id="change a mode"),
        pytest.param(lambda: os.truncate(1, 0), id="truncate"),
        pytest.param(lambda: by_number(101, 16, os.getppid(), 0, 0), id="ptrace"),
        pytest.param(lambda: by_number(310, os.getppid(), 0, 0, 0, 0, 0), id="read another's memory"),
        pytest.param(lambda: by_number(311, os.getppid(), 0, 0, 0, 0, 0), id="write another's memory"),
        pytest.param(lambda: by_number(272, 0x10000000), id="new user namespace"),
        pytest.param(lambda: by_number(425, 8, 0), id="io_uring"),
        pytest.param(lambda: by_number(321, 0, 0, 0), id="bpf"),
        pytest.param(lambda: by_number(9, 0, 4096, 7, 34, -1, 0), id="memory that can be run"),
        pytest.param(lambda: by_number(72, 0, 4, 0), id="change a descriptor's flags"),
        pytest.param(lambda: by_number(16, 0, 0x5401, 0), id="ioctl"),
    ],
)  # fmt: skip
def test_a_worker_is_refused(act: Callable[[], Any]) -> None:
    if "x86_64" not in os.uname().machine:
        pytest.skip("numbers of system calls are of x86-64")
    assert behind_walls(act) == "PermissionError"


def test_a_worker_can_still_read_its_descriptor_and_use_memory() -> None:
    with open("/etc/passwd", "rb") as file:
        assert behind_walls(lambda: len(os.pread(file.fileno(), 10, 0)) + len(bytearray(MIB))) == 10 + MIB


def test_memory_is_bounded() -> None:
    assert behind_walls(lambda: len(bytearray(BOUNDS.memory_bytes))) == "MemoryError"


def test_threads_only_where_the_parsers_need_them() -> None:
    import threading

    def thread() -> int:
        started = threading.Thread(target=lambda: None)
        started.start()
        started.join()
        return 1

    assert behind_walls(thread) == "RuntimeError"
    assert behind_walls(thread, threads=True) == 1
    assert behind_walls(os.fork, threads=True) == "PermissionError"


def test_limits_cannot_be_raised_again() -> None:
    def raise_them() -> str:
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)
        Walls(b"", "").close(BOUNDS)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
        return "raised"

    assert str(in_child(raise_them)).startswith("failed")


@pytest.mark.root
def test_settling_in_leaves_the_network_and_becomes_the_user() -> None:
    def look() -> list[Any]:
        report = lockdown.settle_in("nobody")
        with open("/proc/self/net/dev") as devices:
            names = [line.split(":")[0].strip() for line in devices if ":" in line]
        return [report, os.getresuid()[1] != 0, os.getgroups(), names]

    report, unprivileged, groups, names = in_child(look)
    assert report == {"worker_user": "", "network_namespace": ""}
    assert unprivileged and groups == []
    assert names == ["lo"]


@pytest.mark.root
def test_an_unknown_user_is_reported_as_a_missing_protection() -> None:
    assert in_child(lambda: lockdown.settle_in("no-such-user-here"))["worker_user"] == "no such user"


@pytest.mark.root
def test_without_root_the_missing_user_is_named_and_the_rest_still_stands() -> None:
    def look() -> dict[str, str]:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        return lockdown.settle_in("nobody") | Walls.prepare().close(BOUNDS)

    report = in_child(look)
    assert report["worker_user"] == "not started as root"
    assert {name: report[name] for name in lockdown.WALLS} == dict.fromkeys(lockdown.WALLS, "")


def test_a_filter_that_cannot_be_made_is_reported() -> None:
    assert in_child(lambda: Walls(b"", "no library").close(BOUNDS))["seccomp"] == "no library"


@pytest.mark.parametrize(
    ("abi", "rights"),
    [
        (1, (0x1FFF, 0, 0)),
        (2, (0x3FFF, 0, 0)),
        (3, (0x7FFF, 0, 0)),
        (4, (0x7FFF, 3, 0)),
        (5, (0xFFFF, 3, 0)),
        (6, (0xFFFF, 3, 3)),
        (7, (0xFFFF, 3, 3)),
    ],
)
def test_rights_follow_the_landlock_version(abi: int, rights: tuple[int, int, int]) -> None:
    assert lockdown.landlock_rights(abi) == rights


@pytest.mark.parametrize("abi", range(1, 8))
def test_every_older_landlock_is_still_accepted(abi: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if abi > lockdown.landlock_abi():
        pytest.skip("newer than this kernel")
    monkeypatch.setattr(lockdown, "landlock_abi", lambda: abi)

    def restrict() -> str:
        report = Walls(b"", "").close(BOUNDS)
        assert report["landlock"] == "", report
        return open("/etc/passwd").read(1)

    assert "PermissionError" in in_child(restrict)


def test_without_landlock_the_report_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockdown, "landlock_abi", lambda: 0)
    assert in_child(lambda: Walls.prepare().close(BOUNDS))["landlock"] == "the kernel has no Landlock"


def test_a_worker_dies_with_its_template() -> None:
    def orphan() -> int:
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:  # the template, which dies
            template = os.getpid()
            if os.fork() == 0:  # the worker
                lockdown.die_with_parent(template)
                os.write(theirs, b"1")
                while True:
                    os.read(ours, 0) or __import__("time").sleep(10)
            os.read(ours, 1)
            os._exit(0)
        os.waitpid(pid, 0)
        os.close(theirs)
        return len(os.read(ours, 1))  # end of file: nobody holds the other end any more

    assert in_child(orphan) == 0
