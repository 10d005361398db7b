"""The template against workers that misbehave: real processes, real walls, a hostile worker inside."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.sandbox import template_settings
from config.settings import Limits, Settings
from detectors.engine import examine, exchange, lockdown, template, worker
from detectors.engine.exchange import Kind
from detectors.engine.judge import Judge
from detectors.engine.verdict import MAX_WIRE_BYTES, Reason, Verdict

MIB = 1024**2
MEMORY_MB = 160


def hog() -> bytes:
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1 << 16) * 64))


def attempts() -> bytes:
    """What the world outside refuses: one digit for each thing that worked."""
    worked = 0
    for act in (
        lambda: os.open("/etc/passwd", os.O_RDONLY),
        lambda: os.open("/proc/self/fd/3", os.O_RDONLY),
        socket.socket,
        os.fork,
        lambda: os.execv("/bin/true", ["true"]),
        lambda: os.kill(os.getppid(), signal.SIGKILL),
        lambda: os.write(3, b"x"),
        lambda: os.ftruncate(3, 0),
        lambda: os.fchmod(3, 0o777),
    ):
        try:
            act()
        except OSError:
            continue
        worked += 1
    open_fds = 0
    for fd in range(64):
        try:
            os.fstat(fd)
        except OSError:
            continue
        open_fds += 1
    verdict = Verdict.unreadable(Reason.UNSUPPORTED, records_estimated=worked * 100 + open_fds)
    return worker.ANSWER + verdict.to_wire()


def print_everywhere() -> bytes:
    print("CANARY-OUT", flush=True)
    print("CANARY-ERR", file=sys.stderr, flush=True)
    raise ValueError("CANARY-EXC")


NAUGHTY: dict[bytes, Callable[[], bytes]] = {
    b"hang": lambda: time.sleep(3600) or b"",  # type: ignore[func-returns-value]
    b"spin": lambda: bytes(all(iter(lambda: True, False))),
    b"crash": lambda: ctypes.string_at(0),
    b"abort": lambda: os.abort(),
    b"flood": lambda: b"V" * (64 * MIB),
    b"hog": hog,
    b"silent": lambda: os._exit(0),
    b"status": lambda: os._exit(3),
    b"offset": lambda: str(os.lseek(3, 5, os.SEEK_SET)).encode() and worker.ANSWER + b"moved",
    b"attempts": attempts,
    b"print": print_everywhere,
    b"most": lambda: worker.ANSWER + b"x" * MAX_WIRE_BYTES,
    b"heavy": lambda: worker.NEEDS_HEAVY,
}


def naughty(size: int, duty: worker.Duty) -> bytes:
    """Stands in for the examination: does what the file's content names."""
    return NAUGHTY.get(os.pread(3, 64, 0), lambda: worker.ANSWER + b"fine")()


def be_naughty() -> None:
    worker._answer = naughty


class Running:
    """A template process in which every worker is naughty, and this test's ends of its sockets."""

    def __init__(self, folder: Path, before: Callable[[], object] = be_naughty, **changed: Any) -> None:
        limits = Limits(examine_seconds=1.0, worker_memory_mb=MEMORY_MB, workers=2)
        settings = template_settings(Settings(limits=limits)) | changed
        self.folder = folder
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.output = folder / "output"
        self.pid = os.fork()
        if self.pid == 0:
            out = os.open(self.output, os.O_WRONLY | os.O_CREAT)
            os.dup2(out, 1)
            os.dup2(out, 2)
            self.control.close()
            code = 99
            try:
                before()
                code = template.main(theirs.detach())
            finally:
                os._exit(code)
        theirs.close()
        exchange.send_control(self.control, settings)
        self.said, _ = exchange.receive_control(self.control)
        self.process = psutil.Process(self.pid)
        self.attached = 0
        if "ready" in self.said:
            self.peer = self.attach()

    def attach(self, again: bool = False) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(60)
        self.attached += 1
        message: dict[str, Any] = {"attach": self.attached} | ({"again": True} if again else {})
        with theirs:
            exchange.send_control(self.control, message, theirs.fileno())
        return ours

    def ask(self, number: int, content: bytes, peer: socket.socket | None = None) -> None:
        path = self.folder / f"file{number}"
        path.write_bytes(content)
        fd = os.open(path, os.O_RDONLY)
        try:
            socket.send_fds(peer or self.peer, [exchange.request(number, len(content))], [fd])
        finally:
            os.close(fd)

    def hear(self, peer: socket.socket | None = None) -> tuple[int, Kind, bytes]:
        return exchange.parse_reply((peer or self.peer).recv(exchange.MAX_REPLY_BYTES))

    def outcome(self, content: bytes) -> tuple[Kind, bytes]:
        self.ask(1, content)
        assert self.hear() == (1, Kind.STARTED, b"")
        number, kind, payload = self.hear()
        assert number == 1
        assert not self.process.children(), "answered before its worker was reaped"
        return kind, payload

    def stop(self) -> None:
        self.control.close()
        os.waitpid(self.pid, 0)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    tmp_path.chmod(0o755)
    template_process = Running(tmp_path)
    yield template_process
    template_process.stop()


def eventually(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.root
def test_as_root_every_protection_is_on(running: Running) -> None:
    assert running.said["ready"]["report"] == dict.fromkeys(lockdown.PROTECTIONS, "")


def as_an_ordinary_user() -> None:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)


@pytest.mark.root
def test_without_root_it_still_judges_and_names_what_is_missing(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    examine.warm_up(Judge({}), heavy=False)  # an ordinary user may not be able to read this interpreter
    running = Running(tmp_path, as_an_ordinary_user)
    report = running.said["ready"]["report"]
    assert report["worker_user"] == "not started as root"
    assert not any(report[wall] for wall in lockdown.WALLS)
    kind, wire = running.outcome(b"Region,2020,2021\nNorth,1,2\nSouth,3,4\n")
    assert kind is Kind.VERDICT
    assert Verdict.from_wire(wire, frozenset(running.said["ready"]["vocabulary"])).complete
    running.stop()


@pytest.mark.root
def test_the_template_itself_reads_nothing_of_a_file(running: Running) -> None:
    running.outcome(b"good")
    before = running.process.io_counters().read_chars
    running.outcome(b"x" * (20 * MIB))
    assert running.process.io_counters().read_chars - before < MIB


def test_the_template_has_one_thread_and_no_privilege_left(running: Running) -> None:
    assert running.process.num_threads() == 1
    if os.geteuid() == 0:
        assert running.process.uids().effective != 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hang", Reason.TIMEOUT),
        (b"spin", Reason.TIMEOUT),
        (b"crash", Reason.CRASHED),
        (b"abort", Reason.CRASHED),
        (b"silent", Reason.CRASHED),
        (b"status", Reason.CRASHED),
        (b"flood", Reason.BAD_ANSWER),
        (b"hog", Reason.LIMIT_MEMORY),
        (b"print", Reason.INTERNAL),
    ],
)
def test_a_worker_that_misbehaves_is_a_fault_and_the_next_one_works(
    running: Running, content: bytes, reason: Reason
) -> None:
    assert running.outcome(content) == (Kind.FAULT, reason.value.encode())
    assert running.outcome(b"good") == (Kind.VERDICT, b"fine")


def test_what_a_worker_prints_or_raises_goes_nowhere(running: Running) -> None:
    running.outcome(b"print")
    assert b"CANARY" not in running.output.read_bytes()


def test_a_worker_reaches_nothing_but_its_file_and_its_answer(running: Running) -> None:
    kind, wire = running.outcome(b"attempts")
    assert kind is Kind.VERDICT
    said = Verdict.from_wire(wire, frozenset()).records_estimated
    assert said == 5, (
        "hundreds: forbidden things that worked; the rest: open descriptors (3 null, file, pipe)"
    )
    assert (running.folder / "file1").read_bytes() == b"attempts"


def test_an_answer_as_long_as_allowed_arrives_whole(running: Running) -> None:
    assert running.outcome(b"most") == (Kind.VERDICT, b"x" * MAX_WIRE_BYTES)


def test_the_offset_of_another_descriptor_stays(running: Running, tmp_path: Path) -> None:
    path = tmp_path / "played"
    path.write_bytes(b"offset")
    keeper = os.open(path, os.O_RDONLY)
    given = os.open(f"/proc/self/fd/{keeper}", os.O_RDONLY)
    socket.send_fds(running.peer, [exchange.request(1, 6)], [given])
    assert running.hear()[1] is Kind.STARTED
    assert running.hear() == (1, Kind.VERDICT, b"moved")
    assert os.lseek(given, 0, os.SEEK_CUR) == 5
    assert os.lseek(keeper, 0, os.SEEK_CUR) == 0


def test_memory_that_escapes_the_resource_limit_is_seen_by_the_watch(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    worker_bounds = lockdown._limit
    lockdown._limit = lambda bounds, threads: worker_bounds(replace(bounds, memory_bytes=1 << 40), threads)
    try:
        running = Running(tmp_path)
    finally:
        lockdown._limit = worker_bounds
    assert running.outcome(b"hog") == (Kind.FAULT, Reason.LIMIT_MEMORY.value.encode())
    running.stop()


@pytest.mark.parametrize("kind", ["folder", "fifo", "writable", "path only"])
def test_only_a_regular_file_open_for_reading_alone_reaches_a_worker(
    running: Running, tmp_path: Path, kind: str
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "plain").write_bytes(b"good")
    path, flags = {
        "folder": (tmp_path, os.O_RDONLY),
        "fifo": (tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK),
        "writable": (tmp_path / "plain", os.O_RDWR),
        "path only": (tmp_path / "plain", os.O_PATH),
    }[kind]
    fd = os.open(path, flags)
    socket.send_fds(running.peer, [exchange.request(1, 4)], [fd])
    assert running.hear() == (1, Kind.FAULT, Reason.NOT_REGULAR.value.encode())


def test_several_askers_share_the_workers_in_order(running: Running) -> None:
    second = running.attach()
    for number in (1, 2, 3):
        running.ask(number, b"hang")
    running.ask(4, b"good", second)
    running.ask(5, b"good", second)
    assert eventually(lambda: len(running.process.children()) == 2)
    heard = [running.hear() for _ in range(6)]
    assert [n for n, kind, _ in heard if kind is Kind.STARTED] == [1, 2, 3]
    assert [kind for _, kind, _ in heard].count(Kind.FAULT) == 3
    assert [running.hear(second)[:2] for _ in range(4)][-1][1] is Kind.VERDICT


def test_a_peer_that_hangs_up_takes_its_workers_with_it(running: Running) -> None:
    running.ask(1, b"hang")
    running.ask(2, b"hang")
    running.ask(3, b"hang")
    assert eventually(lambda: len(running.process.children()) == 2)
    running.peer.close()
    assert eventually(lambda: not running.process.children(), 0.9)
    assert exchange.receive_control(running.control)[0] == {"gone": 1}
    running.peer = running.attach()
    assert running.outcome(b"good") == (Kind.VERDICT, b"fine")


def test_a_cancelled_request_is_never_answered(running: Running) -> None:
    running.ask(1, b"hang")
    assert running.hear()[1] is Kind.STARTED
    running.peer.send(exchange.cancel(1))
    assert eventually(lambda: not running.process.children(), 0.9)
    running.ask(2, b"good")
    assert [running.hear()[:2], running.hear()[:2]] == [(2, Kind.STARTED), (2, Kind.VERDICT)]


@pytest.mark.parametrize("packet", [b"", b"x", b"x" * 64])
def test_a_peer_that_breaks_the_protocol_is_dropped_alone(running: Running, packet: bytes) -> None:
    bad = running.attach()
    fd = os.open("/dev/null", os.O_RDONLY)
    socket.send_fds(bad, [packet or exchange.request(1, 1)], [fd, fd])
    assert bad.recv(100) == b""
    assert running.outcome(b"good") == (Kind.VERDICT, b"fine")


@pytest.mark.root  # without it nobody may look at the descriptors of a process that is not dumpable
def test_no_descriptor_is_left_behind(running: Running) -> None:
    running.outcome(b"good")
    before = running.process.num_fds()
    for content in (b"good", b"crash", b"flood", b"good"):
        running.outcome(content)
    assert running.process.num_fds() == before


def test_workers_die_with_a_killed_template(running: Running) -> None:
    running.ask(1, b"hang")
    assert eventually(lambda: bool(running.process.children()))
    (child,) = running.process.children()
    os.kill(running.pid, signal.SIGKILL)
    assert eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_the_template_ends_with_the_one_who_started_it(running: Running) -> None:
    running.ask(1, b"hang")
    assert eventually(lambda: bool(running.process.children()))
    running.control.shutdown(socket.SHUT_RDWR)
    assert eventually(lambda: running.process.status() == psutil.STATUS_ZOMBIE)


def test_a_peer_of_an_earlier_template_hears_that_its_requests_are_lost(running: Running) -> None:
    assert running.hear(running.attach(again=True)) == (0, Kind.LOST, b"")


def test_a_heavy_file_is_passed_on_and_its_answer_handed_back(running: Running) -> None:
    running.ask(7, b"heavy")
    assert running.hear() == (7, Kind.STARTED, b"")
    assert exchange.receive_control(running.control)[0] == {"need": "heavy"}
    heavy, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    exchange.send_control(running.control, {"heavy": True}, theirs.fileno())
    theirs.close()
    packet, fds, _, _ = socket.recv_fds(heavy, 100, 4)
    number, cancelled, size = exchange.parse_request(packet)
    assert (cancelled, size, os.pread(fds[0], 10, 0)) == (False, 5, b"heavy")
    heavy.send(exchange.reply(number, Kind.VERDICT, b"from afar"))
    assert running.hear() == (7, Kind.VERDICT, b"from afar")


def test_a_heavy_template_that_dies_twice_makes_the_file_unavailable(running: Running) -> None:
    running.ask(7, b"heavy")
    running.hear()
    for _ in range(2):
        assert exchange.receive_control(running.control)[0] == {"need": "heavy"}
        heavy, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        exchange.send_control(running.control, {"heavy": True}, theirs.fileno())
        theirs.close()
        socket.recv_fds(heavy, 100, 4)
        heavy.close()
    assert running.hear() == (7, Kind.FAULT, Reason.WORKER_UNAVAILABLE.value.encode())


def test_an_idle_heavy_template_ends_by_itself(tmp_path: Path) -> None:
    running = Running(tmp_path, heavy=False, idle_seconds=0.2)
    assert eventually(lambda: running.process.status() == psutil.STATUS_ZOMBIE)
    running.stop()


def test_a_compulsory_protection_that_is_missing_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockdown, "landlock_abi", lambda: 0)
    running = Running(tmp_path, require=["seccomp", "landlock"])
    assert running.said["refused"]["protection"] == "landlock"
    running.stop()


def test_a_worker_that_loses_a_wall_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    real = worker.probe

    def probe(walls: lockdown.Walls, bounds: lockdown.Bounds) -> lockdown.Report:
        report = real(walls, bounds)
        walls._program = b""  # from now on the filter is missing
        return report

    monkeypatch.setattr(worker, "probe", probe)
    running = Running(tmp_path)
    assert running.outcome(b"good") == (Kind.FAULT, Reason.WORKER_UNAVAILABLE.value.encode())
    running.stop()


def test_an_isolated_template_starts_and_is_quiet() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "detectors.engine.template", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    theirs.close()
    exchange.send_control(ours, template_settings(Settings()))
    ready, _ = exchange.receive_control(ours)
    assert set(ready) == {"ready"}
    ours.close()
    assert process.communicate(timeout=120)[0] == b""
    assert process.returncode == 0
