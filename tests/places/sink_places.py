"""Destinations of alerts, each a real server on loopback that a test can stop, make refuse and make hang."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.sinks.file import FileSink, open_file
from agent.sinks.journal import JournalSink
from agent.sinks.sink import Sink
from agent.sinks.syslog import SyslogSink

SYSLOG = re.compile(
    rb"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) "
    rb'(\[(?:[^"\]\\]|"(?:[^"\\\]]|\\.)*")*\])(?: \xef\xbb\xbf(.*))?',
    re.DOTALL,
)
IMPATIENT_SECONDS = 0.3


class Place:
    """A destination of one kind. `sink` is patient, so that a slow machine makes no failure."""

    knows_refusal = True
    """A server that is down is noticed."""
    hangs = False
    """It can be made to accept and then say nothing."""
    judges = False
    """It can refuse a record for good, or for now."""
    secret = ""
    """What it must be told and nobody else may learn."""
    encrypted = False
    """TLS is spoken."""
    whole = True
    """It is told the record as it is, and not only what people read."""

    sink: Sink

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        """A sink for this place."""
        raise NotImplementedError

    def received(self) -> Sequence[bytes]:
        """The messages that arrived so far, whole."""
        raise NotImplementedError

    def record(self, message: bytes) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(message)
        return plain

    def ids(self, message: bytes) -> list[str]:
        """The alerts that one message tells of."""
        return [self.record(message)["finding_info"]["uid"]]

    def count(self, message: bytes) -> int:
        """How many alerts one message says that there are."""
        return len(self.ids(message))

    def refuse(self) -> None:
        """Be down."""
        raise NotImplementedError

    def accept(self) -> None:
        """Be up again, at the same address."""
        raise NotImplementedError

    def hang(self) -> None:
        raise NotImplementedError

    def answer(self, *, permanent: bool) -> None:
        """From now on refuse what comes: because of itself, or for the moment."""
        raise NotImplementedError

    def close(self) -> None:
        self.sink.close()


class FilePlace(Place):
    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "alerts.jsonl"
        self.sink = self.make()
        self._limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        return FileSink(open_file(self.path))

    def received(self) -> list[bytes]:
        content = self.path.read_bytes()
        assert not content or content.endswith(b"\n")
        return content.splitlines()

    def refuse(self) -> None:
        full = self.path.stat().st_size + 100
        resource.setrlimit(resource.RLIMIT_FSIZE, (full, self._limit[1]))

    def accept(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limit)

    def close(self) -> None:
        self.accept()
        super().close()


class SyslogPlace(Place):
    """What all syslog servers have in common."""

    def record(self, message: bytes) -> dict[str, Any]:
        found = SYSLOG.fullmatch(message)
        assert found, message
        plain: dict[str, Any] = json.loads(found[8])
        return plain


class TcpPlace(SyslogPlace):
    """A server that reads to the end and closes; it can hang, which rsyslog cannot be made to."""

    hangs = True

    def __init__(self, tmp_path: Path) -> None:
        self._messages: list[bytes] = []
        self._hanging = threading.Event()
        self._listen(0)
        self.sink = self.make()

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        port = self._listener.getsockname()[1]
        return SyslogSink(
            transport="tcp", host="127.0.0.1", port=port, path="", facility=13, mask_paths=False,
            timeout_seconds=timeout_seconds, **other,
        )  # fmt: skip

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


class DatagramPlace(SyslogPlace):
    """Syslog by UDP, or by the socket of this machine."""

    def __init__(self, tmp_path: Path, local: bool) -> None:
        self._local = local
        self._path = str(tmp_path / "log")
        self._port = 0
        self._got: list[bytes] = []
        self.accept()
        if not local:
            self._port = self._socket.getsockname()[1]
        self.knows_refusal = local
        self.sink = self.make()

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        return SyslogSink(
            transport="local" if self._local else "udp", host="127.0.0.1", port=self._port, path=self._path,
            facility=13, mask_paths=False, timeout_seconds=timeout_seconds, **other,
        )  # fmt: skip

    def received(self) -> list[bytes]:
        return list(self._got)

    def _read(self) -> None:
        while True:
            try:
                self._got.append(self._socket.recv(1 << 18))
            except TimeoutError:
                if self._stopping.is_set():
                    return

    def _stop(self) -> None:
        """What was sent before it is still read."""
        self._stopping.set()
        self._reader.join(60)
        self._socket.close()

    def refuse(self) -> None:
        self._stop()
        if self._local:
            os.unlink(self._path)

    def accept(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX if self._local else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self._path if self._local else ("127.0.0.1", self._port))
        self._socket.settimeout(0.02)
        self._stopping = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        self._stop()
        super().close()


class JournalPlace(DatagramPlace):
    """A socket that takes what journald takes, and reads it as journald does."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path, local=True)

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        return JournalSink(path=self._path, mask_paths=False, timeout_seconds=timeout_seconds)

    def record(self, message: bytes) -> dict[str, Any]:
        assert message.endswith(b"\n")
        fields = dict(line.split(b"=", 1) for line in message.splitlines())
        assert len(fields) == 8 == message.count(b"\n")
        plain: dict[str, Any] = json.loads(fields[b"RECORDWARDEN_RECORD"])
        return plain
