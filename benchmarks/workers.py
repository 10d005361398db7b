"""A template with its workers, as the service runs it, and all that they print."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from agent.sandbox import template_settings
from config.settings import Settings
from detectors.engine import exchange
from detectors.engine.exchange import Kind

SECONDS = 600.0


class Workers:
    """One template process; files go in as descriptors, what comes back is given out unread."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.folder = folder
        self._last = 0
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, (folder / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-m", "detectors.engine.template", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        exchange.send_control(
            self.control, template_settings(settings or Settings(), heavy_idle_seconds=3600)
        )
        self.control.settimeout(SECONDS)
        if "ready" not in exchange.receive_control(self.control)[0]:
            raise RuntimeError("the template does not start")
        self.sock, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(SECONDS)
        with far:
            exchange.send_control(self.control, {"attach": 1}, far.fileno())

    def answer(self, data: bytes) -> tuple[Kind, bytes]:
        """What comes back for a file with this content; raises `Broken` or `OSError` when nothing does."""
        self._last += 1
        path = self.folder / "file"
        path.write_bytes(data)
        fd = os.open(path, os.O_RDONLY)
        socket.send_fds(self.sock, [exchange.request(self._last, len(data))], [fd])
        os.close(fd)
        kind, payload = Kind.STARTED, b""
        while kind is Kind.STARTED:
            number, kind, payload = exchange.parse_reply(self.sock.recv(exchange.MAX_REPLY_BYTES))
            if number != self._last:
                kind = Kind.STARTED  # of a file that was given up
        return kind, payload

    def printed(self) -> bytes:
        return (self.folder / "out").read_bytes()

    def stop(self) -> bytes:
        """End it; gives back all that was printed."""
        self.control.close()
        self.process.wait(20)
        return self.printed()
