"""The template against workers that misbehave: real processes, real walls, a hostile worker inside."""

from __future__ import annotations

import base64
import ctypes
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.sandbox import template_settings
from config.settings import Limits, Settings
from detectors.engine import examine, exchange, lockdown, parsers, sniff, template, worker
from detectors.engine.exchange import MOST_SHARED_BYTES, MOST_SHARED_FILES, Kind, Wish
from detectors.engine.jobs import Job
from detectors.engine.judge import Judge
from detectors.engine.shared import companions
from detectors.engine.table import ReadLimits
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
    b"alone": lambda: worker.ALONE,
    b"nothing": lambda: b"",
    b"twice": lambda: worker.ANSWER + bytes(os.write(4, b"\1\0\0\0V") * 0),
}


def naughty(size: int, duty: worker.Duty) -> bytes:
    """Stands in for the examination: does what the file's content names."""
    return NAUGHTY.get(os.pread(3, 64, 0), lambda: worker.ANSWER + b"fine")()


def naughty_among_others(descriptor: int, size: int, duty: worker.Duty) -> bytes:
    return NAUGHTY.get(os.pread(descriptor, 64, 0), lambda: worker.ANSWER + b"fine")()


def be_naughty() -> None:
    worker._answer = naughty
    worker._answer_among_others = naughty_among_others


class Running:
    """A template process in which every worker is naughty, and this test's ends of its sockets."""

    def __init__(self, folder: Path, before: Callable[[], object] = be_naughty, **changed: Any) -> None:
        limits = Limits(examine_seconds=1.0, worker_memory_mb=MEMORY_MB, workers=2)
        settings = template_settings(Settings(limits=limits)) | {"spare_seconds": None} | changed
        self.folder, self.forks_ahead = folder, settings["spare_seconds"] is not None
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

    def ask(
        self,
        number: int,
        content: bytes,
        peer: socket.socket | None = None,
        wish: Wish = Wish.EXAMINE,
    ) -> None:
        path = self.folder / f"file{number}"
        path.write_bytes(content)
        fd = os.open(path, os.O_RDONLY)
        try:
            socket.send_fds(peer or self.peer, [exchange.request(number, len(content), wish)], [fd])
        finally:
            os.close(fd)

    def ask_at_once(self, contents: Sequence[bytes]) -> None:
        """Requests that may share workers, all of them there when the template comes to look."""
        os.kill(self.pid, signal.SIGSTOP)
        for number, content in enumerate(contents, 1):
            self.ask(number, content, wish=Wish.EXAMINE_AMONG_OTHERS)
        os.kill(self.pid, signal.SIGCONT)

    def ends(self, count: int) -> dict[int, tuple[Kind, bytes]]:
        """What so many requests come to."""
        ended: dict[int, tuple[Kind, bytes]] = {}
        while len(ended) < count:
            number, kind, payload = self.hear()
            if kind is not Kind.STARTED:
                assert number not in ended
                ended[number] = kind, payload
        return ended

    def hear(self, peer: socket.socket | None = None) -> tuple[int, Kind, bytes]:
        """The next reply; a verdict that comes before the death of its worker, as any other."""
        while True:
            number, kind, payload = exchange.parse_reply((peer or self.peer).recv(exchange.MAX_REPLY_BYTES))
            if kind is not Kind.ENDED:
                return number, Kind.VERDICT if kind is Kind.SAID else kind, payload

    def hear_all(self) -> tuple[int, Kind, bytes]:
        return exchange.parse_reply(self.peer.recv(exchange.MAX_REPLY_BYTES))

    def outcome(self, content: bytes) -> tuple[Kind, bytes]:
        self.ask(1, content)
        assert self.hear() == (1, Kind.STARTED, b"")
        number, kind, payload = self.hear_all()
        assert number == 1
        if kind is Kind.SAID:
            assert self.hear_all() == (1, Kind.ENDED, b"")
            kind = Kind.VERDICT
        left = self.process.children()
        if self.forks_ahead:  # the next worker may be there by now
            left = [child for child in left if child.status() == psutil.STATUS_ZOMBIE]
        assert not left, "its end was told before its worker was reaped"
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
    running.ask_at_once([b"good", b"good", b"crash", b"good", b"alone", b"good"])
    running.ends(6)
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


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[Running]:
    """The same, which forks a worker ahead whenever it has nothing to do."""
    tmp_path.chmod(0o755)
    template_process = Running(tmp_path, spare_seconds=0.0)
    yield template_process
    template_process.stop()


def spare_of(running: Running) -> psutil.Process:
    """The worker that waits, once it does."""
    waits = lambda: any(p.status() == psutil.STATUS_SLEEPING for p in running.process.children())  # noqa: E731
    assert eventually(waits)
    (spare,) = running.process.children()
    return spare


def test_a_worker_forked_ahead_examines_one_file_and_the_next_file_gets_another(ahead: Running) -> None:
    spares = []
    for number in (1, 2):
        spares.append(spare_of(ahead))
        ahead.ask(number, b"good")
        assert ahead.ends(1) == {number: (Kind.VERDICT, b"fine")}
        assert eventually(lambda: not spares[-1].is_running())
    assert len({spare.pid for spare in spares}) == 2


def test_a_worker_forked_ahead_reaches_no_more_than_any_other(ahead: Running) -> None:
    spare_of(ahead)
    ahead.ask(1, b"attempts")
    ((_, wire),) = ahead.ends(1).values()
    assert Verdict.from_wire(wire, frozenset()).records_estimated == 5


def test_a_worker_forked_ahead_may_be_shared(ahead: Running) -> None:
    spare_of(ahead)
    ahead.ask_at_once([b"good", b"alone", b"good"])
    ended = ahead.ends(3)
    assert ended[1] == (Kind.SHARED, b"fine")
    assert ended[2] == (Kind.FAULT, Reason.BAD_ANSWER.value.encode()), "alone in earnest"


def test_a_worker_that_died_while_it_waited_is_replaced_when_a_file_comes(ahead: Running) -> None:
    spare = spare_of(ahead)
    spare.kill()
    assert eventually(lambda: spare.status() == psutil.STATUS_ZOMBIE)
    assert ahead.outcome(b"good") == (Kind.VERDICT, b"fine")


@pytest.mark.parametrize("end", ["killed", "let go"])
def test_a_worker_that_waits_ends_with_its_template(ahead: Running, end: str) -> None:
    spare = spare_of(ahead)
    if end == "killed":
        os.kill(ahead.pid, signal.SIGKILL)
    else:
        ahead.control.shutdown(socket.SHUT_RDWR)
    assert eventually(lambda: not spare.is_running() or spare.status() == psutil.STATUS_ZOMBIE)


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


# --- several files before one worker (docs/decisions/0015)


def test_small_files_share_workers_and_every_slot_has_work(running: Running) -> None:
    running.ask_at_once([b"good", b"hang", b"good", b"good"])
    ended = running.ends(4)
    assert ended[3] == ended[4] == (Kind.SHARED, b"fine")
    assert ended[1] == (Kind.VERDICT, b"fine"), "its worker hung: judged again, alone"
    assert ended[2] == (Kind.FAULT, Reason.TIMEOUT.value.encode())


@pytest.mark.parametrize(
    ("content", "end"),
    [
        (b"crash", (Kind.FAULT, Reason.CRASHED.value.encode())),
        (b"silent", (Kind.FAULT, Reason.CRASHED.value.encode())),
        (b"print", (Kind.FAULT, Reason.INTERNAL.value.encode())),
        (b"flood", (Kind.FAULT, Reason.BAD_ANSWER.value.encode())),
        (b"nothing", (Kind.FAULT, Reason.CRASHED.value.encode())),
    ],
)
def test_an_odd_worker_takes_back_all_that_it_said(
    running: Running, content: bytes, end: tuple[Kind, bytes]
) -> None:
    running.ask_at_once([b"good", b"good", b"good", content])
    ended = running.ends(4)
    assert ended[1] == ended[2] == (Kind.SHARED, b"fine")
    assert ended[3] == (Kind.VERDICT, b"fine"), "said already, by the one that was odd later"
    assert ended[4] == end


def test_more_answers_than_files_are_none(running: Running) -> None:
    running.ask_at_once([b"good", b"good", b"twice", b"good"])
    ended = running.ends(4)
    assert [ended[n][0] for n in (1, 2, 4)] == [Kind.SHARED, Kind.SHARED, Kind.VERDICT]


def test_one_that_was_asked_about_alone_does_not_wait_for_a_sweep(running: Running) -> None:
    os.kill(running.pid, signal.SIGSTOP)
    for number in range(1, 3 * MOST_SHARED_FILES):
        running.ask(number, b"good", wish=Wish.EXAMINE_AMONG_OTHERS)
    running.ask(99, b"good")
    os.kill(running.pid, signal.SIGCONT)
    ended = list(running.ends(3 * MOST_SHARED_FILES))
    assert ended.index(99) < len(ended) - 1, "files that nobody waits for came first"


def test_a_file_that_must_be_alone_gets_a_worker_of_its_own(running: Running) -> None:
    running.ask_at_once([b"good", b"good", b"alone", b"good"])
    ended = running.ends(4)
    assert ended[3] == (Kind.FAULT, Reason.BAD_ANSWER.value.encode()), "alone, that is no answer"
    assert ended[4] == (Kind.SHARED, b"fine")


def test_a_shared_worker_reaches_nothing_but_its_files(running: Running) -> None:
    running.ask_at_once([b"attempts"] * 6)
    for kind, wire in running.ends(6).values():
        assert kind is Kind.SHARED
        assert Verdict.from_wire(wire, frozenset()).records_estimated == 7, "3 null, 3 files, pipe"


def test_a_cancelled_file_is_not_answered_and_its_companions_are(running: Running) -> None:
    running.ask_at_once([b"hang", b"good", b"good", b"good"])
    assert eventually(lambda: bool(running.process.children()))
    running.peer.send(exchange.cancel(1))
    fine = dict.fromkeys((3, 4), (Kind.SHARED, b"fine"))
    assert running.ends(3) == {2: (Kind.VERDICT, b"fine"), **fine}


@pytest.mark.root
def test_only_small_files_of_one_asker_and_one_owner_come_together(tmp_path: Path) -> None:
    def job(number: int, owner: int = 1000, size: int = 10, peer: int = 1, shareable: bool = True) -> Job:
        path = tmp_path / str(number)
        path.touch()
        os.chown(path, owner, owner)
        return Job(peer, number, os.open(path, os.O_RDONLY), size, shareable=shareable)

    first = job(1)
    waiting = [
        job(2), job(3, owner=1001), job(4, size=MOST_SHARED_BYTES + 1), job(5, peer=2),
        job(6, shareable=False), *(job(n) for n in range(7, 30)),
    ]  # fmt: skip
    together = companions(first, waiting, free_slots=1)
    assert [j.request_id for j in together] == [2, *range(7, 7 + MOST_SHARED_FILES - 2)]
    assert len(companions(first, waiting[:7], free_slots=2)) == 1
    assert companions(waiting[2], waiting, free_slots=1) == []
    assert companions(waiting[4], waiting, free_slots=1) == []
    for one in (first, *waiting):
        one.close()


def among_others(tmp_path: Path, content: bytes) -> bytes:
    path = tmp_path / "file"
    path.write_bytes(content)
    duty = worker.Duty(
        Judge({}), ReadLimits(), lockdown.Walls(b"", ""), lockdown.Bounds(1, 1), frozenset(), light=True
    )
    fd = os.open(path, os.O_RDONLY)
    try:
        return worker._answer_among_others(fd, len(content), duty)
    finally:
        os.close(fd)


PEOPLE = b"name,date of birth,phone\n" + b"".join(
    b"Anna Example %d,19%d-03-0%d,0151 555 01%d\n" % (n, 40 + n, 1 + n % 9, 10 + n) for n in range(40)
)
ZIPPED = io.BytesIO()
with zipfile.ZipFile(ZIPPED, "w") as out:
    out.writestr("a.txt", "A line of text.")


@pytest.mark.parametrize(
    "content",
    [
        ZIPPED.getvalue(), b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n" + bytes(50), bytes(range(256)),
        b'[{"a": 1}, {"a": 2}]', b"<html><body><p>x</p></body></html>", b"<?xml version='1.0'?><a>b</a>",
        base64.encodebytes(ZIPPED.getvalue() * 4), b"From: a@example.org\nMessage-ID: <1>\nSubject: x\n\nx",
        b"-----BEGIN PGP MESSAGE-----\n\nhQEMA7\n=abcd\n-----END PGP MESSAGE-----\n",
        b"a text\n" * 20 + ZIPPED.getvalue(),
        PEOPLE,
    ],
)  # fmt: skip
def test_what_is_no_plain_text_or_not_harmless_is_left_to_a_worker_of_its_own(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sniff, "_magic", lambda: pytest.fail("libmagic saw a file in company"))
    allowed = {"detectors.readers.plain_text"}
    for reader in {id(m): m for m in parsers.readers().values()}.values():
        if reader.__name__ not in allowed:
            monkeypatch.setattr(reader, "read", lambda *_: pytest.fail("a parser saw a file in company"))
    assert among_others(tmp_path, content) == worker.ALONE


@pytest.mark.parametrize(
    "content",
    [
        b"A line of text.\n" * 30,
        b"region,year,count\nNorth,2024,1200\nSouth,2024,1310\n" * 9,
        b"ward,benefit,count\n"
        + b"".join(b"Ward %d,%s,%d\n" % (n, kind, 3 + 40 * n) for n in range(9) for kind in (b"JSA", b"UC")),
    ],
)
def test_a_harmless_text_is_judged_among_others_as_it_is_alone(tmp_path: Path, content: bytes) -> None:
    """But for the evidence: only of an advisory is anybody ever told."""
    answer = among_others(tmp_path, content)
    alone = examine.examine(io.BytesIO(content), len(content), Judge({}), ReadLimits())
    assert answer[:1] == worker.ANSWER
    untold = {} if alone.advisories else {"findings": []}
    expected = {**json.loads(alone.to_wire()), "elapsed_ms": 0, **untold}
    assert {**json.loads(answer[1:]), "elapsed_ms": 0} == expected
