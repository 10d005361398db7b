"""The supervisor's end of the courier: starts it, feeds it from the outbox, restarts it."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from agent.births import Begin, Process, begin_anew
from agent.carried import Carried
from agent.destinations import SecretTrouble, configured, names_of, options_of, paces_of
from agent.fetching import Fetching
from agent.ledger import Ledger
from agent.loop import Loop
from agent.outbox import Outbox
from agent.protocol import MAX_PACKET_BYTES
from agent.sinks.file import open_file
from config.destinations import Alerts
from config.settings import Service, Settings

RESTART_MOST_SECONDS = 60.0


class Dispatch:
    """One courier at a time. `pump` may be called as often as anything might have become due."""

    def __init__(
        self,
        loop: Loop,
        outbox: Outbox,
        service: Service,
        alerts: Alerts,
        say: Callable[[str], None],
        fetching: Fetching | None = None,
        begin: Begin = begin_anew,
    ) -> None:
        self.outbox = outbox
        self._begin = begin
        self._fetching = fetching
        self.missing: list[str] | None = None
        """The protections that the courier lacks, once it has told."""
        self._loop = loop
        self._service = service
        self._alerts = alerts
        self._say = say
        self._process: Process | None = None
        self._sock: socket.socket | None = None
        self._file: tuple[int, int] | None = None
        self._complained = False
        self._failures = 0
        self._stopping = False

    @classmethod
    def to_all(
        cls,
        loop: Loop,
        ledger: Ledger,
        settings: Settings,
        say: Callable[[str], None],
        carried: Carried,
        begin: Begin = begin_anew,
    ) -> Self:
        """To all destinations of the settings, and papers from the console."""
        alerts = settings.alerts
        outbox = Outbox(
            ledger, names_of(alerts), alerts.retry_seconds, alerts.retry_max_seconds, paces=paces_of(alerts)
        )
        fetching = Fetching(carried, alerts.heartbeat_seconds, outbox.delay, say) if alerts.console else None
        return cls(loop, outbox, settings.service, alerts, say, fetching, begin)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start a courier, if there is anything to deliver to."""
        if not self.outbox.sinks or self._stopping:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        user, loaded = self._service.courier_user, ",".join(self.outbox.sinks)
        with theirs:
            try:
                self._process = self._begin("agent.courier", [theirs.fileno()], user, loaded)
            except OSError as error:
                ours.close()
                self._say(f"the courier cannot be started: {error.strerror}")
                self._again()
                return
        self._sock = ours
        self._loop.watch(self._sock, self._heard)
        self._configure()
        self.pump()

    def _configure(self) -> None:
        plain = self._usable()
        fds = [fd] if "file" in plain and (fd := self._open_file()) is not None else []
        if "file" in plain and not fds:
            del plain["file"]  # its letters wait until it can be opened
        self._send({"do": "configure", "sinks": plain}, fds)

    def _usable(self) -> dict[str, dict[str, Any]]:
        """The sinks' options; one whose secret cannot be read is left out, and its letters wait."""
        plain = {}
        for name, section in configured(self._alerts):
            try:
                plain[name] = options_of(name, section)
            except SecretTrouble as trouble:
                self._say(f"nothing is delivered to {name}, its alerts wait: {trouble}")
        return plain

    def _open_file(self) -> int | None:
        assert self._alerts.file is not None
        try:
            fd = open_file(self._alerts.file.path)
        except OSError as error:
            if not self._complained:
                self._say(f"the alert file cannot be opened, its alerts wait: {error.strerror or error}")
            self._complained, self._file = True, None
            return None
        self._complained = False
        status = os.fstat(fd)
        self._file = (status.st_dev, status.st_ino)
        return fd

    def _send(self, order: dict[str, Any], fds: list[int]) -> bool:
        """False when it has no room now or is gone; then nothing counts as sent."""
        try:
            if self._sock is None:
                return False
            socket.send_fds(self._sock, [json.dumps(order, separators=(",", ":")).encode()], fds)
        except OSError as error:
            if error.errno != errno.EMSGSIZE or order["do"] != "deliver":
                return False
            refused = {"ok": False, "permanent": True, "code": "EMSGSIZE"}
            self.outbox.answered({k: order[k] for k in ("sink", "id", "revision")} | refused)
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def pump(self) -> None:
        """Hand over what is due; follow the alert file if it was rotated."""
        if self._sock is None:
            return
        if self._alerts.file is not None and self._was_rotated():
            self.reopen()
        for order in self.outbox.orders():
            if not self._send(order, []):
                self.outbox.not_sent(order)
        if self._fetching is not None and (wanted := self._fetching.order()) is not None:
            self._send(wanted, [])

    def try_now(self) -> None:
        """Try every destination at once, whatever failed before."""
        self.outbox.hurry()
        if self._fetching is not None:
            self._fetching.hurry()
        self.pump()

    def _was_rotated(self) -> bool:
        assert self._alerts.file is not None
        try:
            status = os.lstat(self._alerts.file.path)
        except OSError:
            return True
        return (status.st_dev, status.st_ino) != self._file

    def reopen(self) -> None:
        """Open the alert file anew, as after a rotation."""
        if self._sock is None or self._alerts.file is None:
            return
        known = self._file
        fd = self._open_file()
        if fd is None:
            return
        if known is None:
            os.close(fd)
            self._configure()  # the courier has no such sink yet
        else:
            self._send({"do": "file"}, [fd])

    def _heard(self) -> None:
        assert self._sock is not None
        fds: list[int] = []
        try:
            packet, fds, _, _ = socket.recv_fds(self._sock, MAX_PACKET_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        try:
            self._take(packet, fds)
        finally:
            for fd in fds:
                os.close(fd)

    def _take(self, packet: bytes, fds: list[int]) -> None:
        if not packet:
            self._lost()
            return
        told = json.loads(packet)
        if told.get("ready"):
            self.missing = [str(name) for name in told["missing"]]
            return
        self._failures = 0
        if "fetched" in told:
            if self._fetching is not None:
                self._fetching.answered(told, fds)
        else:
            self.outbox.answered(told)
        self.pump()

    def _lost(self) -> None:
        self._close()
        self.outbox.courier_lost()
        if self._stopping:
            return
        self._say("the courier died: started again")
        self._again()

    def _again(self) -> None:
        wait = min(RESTART_MOST_SECONDS, self._service.restart_seconds * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        self._loop.after(wait, self.start)

    def _close(self) -> None:
        sock, self._sock = self._sock, None
        process, self._process = self._process, None
        if sock is not None:
            self._loop.unwatch(sock)
            sock.close()
        if process is not None:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(2.0)

    def stop(self) -> None:
        """End the courier; what was under way is sent again by the next one."""
        self._stopping = True
        self._close()
        self.outbox.courier_lost()
