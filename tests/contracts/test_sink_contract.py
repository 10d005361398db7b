"""The contract of all sinks, against real servers on loopback.

Each case can deliver, says what its destination received, and can be made to refuse or to hang.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.sinks.file import FileSink, open_file
from agent.sinks.sink import DeliveryError, Sink
from agent.sinks.syslog import SyslogSink

RECORD: dict[str, Any] = {
    "time": 1_700_000_000_123,
    "severity_id": 4,
    "severity": "High",
    "disposition": "Quarantined",
    "status_detail": "policy",
    "finding_info": {"uid": "id-1"},
    "device": {"hostname": "desk-7"},
    "file": {"name": "survey.csv", "path": "/media/stick/survey.csv"},
    "data_security": {"discovery_details": [{"type": "age"}] * 50},
    "unmapped": {"findings": [{"detector": "shape"}] * 50},
}
SYSLOG = re.compile(
    rb"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) "
    rb'(\[(?:[^"\]\\]|"(?:[^"\\\]]|\\.)*")*\])(?: \xef\xbb\xbf(.*))?',
    re.DOTALL,
)


class Place:
    """A destination of one kind."""

    sink: Sink
    knows_refusal = True

    def received(self) -> list[bytes]:
        """The messages that arrived so far, whole."""
        raise NotImplementedError

    def record(self, message: bytes) -> dict[str, Any]:
        found = SYSLOG.fullmatch(message)
        assert found, message
        plain: dict[str, Any] = json.loads(found[8])
        return plain

    def refuse(self) -> None:
        raise NotImplementedError

    def accept(self) -> None:
        raise NotImplementedError

    def hang(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.sink.close()


class FilePlace(Place):
    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "alerts.jsonl"
        self.sink = FileSink(open_file(self.path))
        self._limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def received(self) -> list[bytes]:
        content = self.path.read_bytes()
        assert not content or content.endswith(b"\n")
        return content.splitlines()

    def record(self, message: bytes) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(message)
        return plain

    def refuse(self) -> None:
        full = self.path.stat().st_size + 100
        resource.setrlimit(resource.RLIMIT_FSIZE, (full, self._limit[1]))

    def accept(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limit)

    def close(self) -> None:
        self.accept()
        super().close()


class TcpPlace(Place):
    def __init__(self, tmp_path: Path) -> None:
        self._messages: list[bytes] = []
        self._hanging = threading.Event()
        self._listen(0)
        port = self._listener.getsockname()[1]
        self.sink = SyslogSink("tcp", "127.0.0.1", port, "", 13, False, 0.3)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if self._hanging.is_set():
                self._kept = connection
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                continue
            with connection:
                self._read(connection)

    def _read(self, connection: socket.socket) -> None:
        stream = b""
        while chunk := connection.recv(65536):
            stream += chunk
        while stream:
            count, stream = stream.split(b" ", 1)
            self._messages.append(stream[: int(count)])
            stream = stream[int(count) :]

    def received(self) -> list[bytes]:
        return list(self._messages)

    def refuse(self) -> None:
        self._address = self._listener.getsockname()
        # a close alone leaves the port accepting while another thread sits in accept()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def accept(self) -> None:
        self._listen(self._address[1])

    def hang(self) -> None:
        self._hanging.set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        super().close()


class DatagramPlace(Place):
    def __init__(self, tmp_path: Path, local: bool) -> None:
        self._local = local
        self._path = str(tmp_path / "log")
        self._port = 0
        self.accept()
        if not local:
            self._port = self._socket.getsockname()[1]
        transport = "local" if local else "udp"
        self.sink = SyslogSink(transport, "127.0.0.1", self._port, self._path, 13, False, 0.3)
        self.knows_refusal = local

    def received(self) -> list[bytes]:
        messages = []
        with contextlib.suppress(BlockingIOError):
            while True:
                messages.append(self._socket.recv(65536, socket.MSG_DONTWAIT))
        return messages

    def refuse(self) -> None:
        self._socket.close()
        if self._local:
            os.unlink(self._path)

    def accept(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX if self._local else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self._path if self._local else ("127.0.0.1", self._port))

    def close(self) -> None:
        self._socket.close()
        super().close()


@pytest.fixture(params=["file", "tcp", "udp", "local"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    match request.param:
        case "file":
            made: Place = FilePlace(tmp_path)
        case "tcp":
            made = TcpPlace(tmp_path)
        case kind:
            made = DatagramPlace(tmp_path, kind == "local")
    yield made
    made.close()


def arrived(place: Place, count: int) -> list[bytes]:
    got: list[bytes] = []
    deadline = time.monotonic() + 60
    while len(got) < count and time.monotonic() < deadline:
        new = place.received()
        got = new if isinstance(place, FilePlace | TcpPlace) else got + new
        time.sleep(0.005)
    return got


def test_a_delivered_record_is_there_and_whole(place: Place) -> None:
    place.sink.deliver(RECORD)
    [message] = arrived(place, 1)
    assert place.record(message) == RECORD


def test_a_duplicate_is_told_by_its_id(place: Place) -> None:
    place.sink.deliver(RECORD)
    place.sink.deliver(RECORD)
    messages = arrived(place, 2)
    assert len(messages) == 2
    assert len({place.record(m)["finding_info"]["uid"] for m in messages}) == 1


@pytest.mark.parametrize(
    "name",
    [
        'x"] [evil@1 a="b',
        "x\n<0>1 forged - - - - -",
        "x\r\n120 <0>1 forged",
        "\x1b[2Jx\x00\x07",
        "\udcff\udc80",
        "\u202etxt.exe\u2028",
        "back\\slash]",
        "n" * 255,
    ],
)
def test_no_name_can_break_out_of_its_message(place: Place, name: str) -> None:
    record = {**RECORD, "file": {"name": name, "path": "/media/" + name}}
    place.sink.deliver(record)
    place.sink.deliver(RECORD)
    messages = arrived(place, 2)
    assert len(messages) == 2
    assert not any(byte in messages[0] for byte in b"\n\r\x1b\x00\x07")
    assert place.record(messages[0])["file"] == record["file"]
    if found := SYSLOG.fullmatch(messages[0]):
        assert found[7].count(b"[recordwarden@32473 ") == 1
        assert b"[evil" not in re.sub(rb'"(?:[^"\\\]]|\\.)*"', b'""', found[7])


def test_a_destination_that_is_down_is_a_temporary_failure_and_then_it_works(place: Place) -> None:
    place.refuse()
    if place.knows_refusal:
        with pytest.raises(DeliveryError) as caught:
            place.sink.deliver(RECORD)
        assert not caught.value.permanent
        assert re.fullmatch(r"[A-Z]+", caught.value.code)
    place.accept()
    place.sink.deliver(RECORD)
    assert len(arrived(place, 1)) == 1


@pytest.mark.parametrize("place", ["tcp"], indirect=True)
def test_a_destination_that_hangs_is_given_up_in_time_as_a_temporary_failure(place: Place) -> None:
    """Those that answer; there is nothing to hang on in a local write or a datagram."""
    place.hang()
    started = time.monotonic()
    huge = {**RECORD, "message": "x" * 20_000_000}
    with pytest.raises(DeliveryError) as caught:
        place.sink.deliver(huge)
    assert not caught.value.permanent
    assert time.monotonic() - started < 30


def test_a_record_that_cannot_be_printed_is_a_permanent_failure(place: Place) -> None:
    with pytest.raises(DeliveryError) as caught:
        place.sink.deliver({**RECORD, "message": float("nan")})
    assert caught.value.permanent
    place.sink.deliver(RECORD)
    assert len(arrived(place, 1)) == 1
