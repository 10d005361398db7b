"""The courier as a process: fed by a socket, alone with its sinks."""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from agent.courier import Round
from agent.sinks.file import open_file
from agent.sinks.sink import DeliveryError

RECORD = {"time": 0, "severity_id": 1, "finding_info": {"uid": "a"}, "n": 1}


class Courier:
    def __init__(self, user: str) -> None:
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(60)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-m", "agent.courier", str(theirs.fileno()), user, "file,syslog"],
                pass_fds=[theirs.fileno()],
            )
        self.hello = self.answer()

    def order(self, plain: dict[str, Any], *fds: int) -> None:
        socket.send_fds(self.sock, [json.dumps(plain).encode()], list(fds))
        for fd in fds:
            os.close(fd)

    def deliver(self, sink: str, alert_id: str = "a", record: dict[str, Any] = RECORD) -> None:
        self.order({"do": "deliver", "sink": sink, "id": alert_id, "revision": 1, "record": record})

    def answer(self) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(self.sock.recv(65536))
        return plain


@pytest.fixture
def courier() -> Iterator[Courier]:
    courier = Courier("nobody")
    yield courier
    courier.sock.close()
    assert courier.process.wait(60) == 0


def test_it_delivers_to_the_descriptor_and_answers(courier: Courier, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    courier.order({"do": "configure", "sinks": {"file": {}}}, open_file(path))
    courier.deliver("file")
    assert courier.answer() == {"sink": "file", "id": "a", "revision": 1, "ok": True}
    assert json.loads(path.read_text()) == RECORD


def test_a_rotated_file_is_followed(courier: Courier, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    courier.order({"do": "configure", "sinks": {"file": {}}}, open_file(path))
    path.rename(tmp_path / "old")
    courier.order({"do": "file"}, open_file(path))
    courier.deliver("file")
    assert courier.answer()["ok"]
    assert path.read_text() and not (tmp_path / "old").read_text()


def test_a_server_that_hangs_delays_no_other_sink(courier: Courier, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        syslog = {
            "transport": "tcp", "host": "127.0.0.1", "port": server.getsockname()[1], "path": "",
            "facility": 13, "mask_paths": False, "timeout_seconds": 1.0,
        }  # fmt: skip
        courier.order({"do": "configure", "sinks": {"file": {}, "syslog": syslog}}, open_file(tmp_path / "a"))
        courier.deliver("syslog")
        courier.deliver("file", "b")
        assert courier.answer()["sink"] == "file"
        assert courier.answer()["sink"] == "syslog"


def test_failures_carry_a_code_and_no_text(courier: Courier) -> None:
    syslog = {
        "transport": "local", "host": "", "port": 1, "path": "/nowhere/log", "facility": 13,
        "mask_paths": False, "timeout_seconds": 1.0,
    }  # fmt: skip
    courier.order({"do": "configure", "sinks": {"syslog": syslog}})
    courier.deliver("syslog")
    assert courier.answer() == {
        "sink": "syslog", "id": "a", "revision": 1, "ok": False, "permanent": False, "code": "ENOENT",
    }  # fmt: skip


@pytest.mark.root
def test_it_has_no_privileges_left(courier: Courier) -> None:
    assert courier.hello == {"ready": True, "missing": []}
    status = Path(f"/proc/{courier.process.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    uid = pwd.getpwnam("nobody").pw_uid
    assert fields["Uid"].split() == [str(uid)] * 4
    assert fields["Groups"].strip() == ""
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


def test_an_unknown_user_is_said_to_be_missing() -> None:
    courier = Courier("no-such-user-here")
    assert courier.hello["missing"] == ["courier_user"]
    courier.sock.close()
    courier.process.wait(60)


def test_a_sink_that_breaks_takes_the_courier_down_without_quoting_the_record(tmp_path: Path) -> None:
    courier = Courier("nobody")
    courier.order({"do": "configure", "sinks": {"file": {}}}, open_file(tmp_path / "a"))
    courier.order({"do": "deliver", "sink": "file", "id": "a", "revision": 1})
    assert courier.process.wait(60) == 70
    courier.sock.close()


def test_it_imports_no_parser_and_no_settings() -> None:
    code = (
        "import agent.courier, sys;"
        "print([m for m in ('pandas', 'pydantic', 'pyarrow', 'magic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_has_loaded_what_the_first_name_that_is_looked_up_needs() -> None:
    """As nobody it may not read the folder that Python is in: a virtual environment below /root."""
    code = "import agent.courier, sys; print('encodings.idna' in sys.modules, 'stringprep' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


class Blame:
    """A sink that refuses whatever holds the word."""

    most, gather_seconds, splits = 16, 0.0, True

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.done = threading.Event()

    def deliver(self, *records: Any) -> None:
        self.batches.append([r["n"] for r in records])
        if any(r.get("bad") for r in records):
            raise DeliveryError("http_400", permanent=True)

    def close(self) -> None:
        self.done.set()


def test_of_many_that_are_refused_together_only_the_one_to_blame_is_dead() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(60)
    tour, sink, waiting = Round(theirs), Blame(), SimpleQueue[dict[str, Any] | None]()
    for n in range(5):
        record = {"n": n, "bad": n == 3}
        waiting.put({"sink": "it", "id": str(n), "revision": 1, "record": record})
    waiting.put(None)
    tour._deliver_all(sink, waiting)
    told = {a["id"]: a for a in (json.loads(ours.recv(65536)) for _ in range(5))}
    assert {alert_id for alert_id, answer in told.items() if answer["ok"]} == {"0", "1", "2", "4"}
    assert told["3"]["permanent"] and told["3"]["code"] == "http_400"
    assert sink.batches == [[0, 1, 2, 3, 4], [0], [1], [2], [3], [4]] and sink.done.is_set()
    ours.close()
    theirs.close()
