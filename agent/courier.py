"""The courier: delivers alerts, with no privileges but the network.

Started as `python -I -m agent.courier FD USER SINK,...`, where FD is one end of a packet socket. It
loads the code of those sinks and becomes USER before it reads its first order. Packets are JSON objects,
descriptors beside them:

    supervisor                                              courier
                                                         <- {ready: true, missing: [...]}
    {do: configure, sinks: {file: {}, syslog: {...}}} + fd ->
    {do: file} + fd (rotated)                              ->
    {do: deliver, sink, id, revision, record}              ->
                                                         <- {sink, id, revision, ok: true}
                                                         <- {sink, id, revision, ok: false, permanent, code}
    {do: fetch, sink, agent, after, most}                  ->
                                                         <- {fetched: sink, ok: true} [+ fd: what is newer]
                                                         <- {fetched: sink, ok: false, code}

Each sink has a thread of its own, so that a server that hangs delays nobody else. What waits for a sink
goes in one delivery, as far as the sink takes it. What is fetched is handed on unread, in sealed memory.
"""

from __future__ import annotations

import ctypes
import encodings.idna  # noqa: F401 - loaded by the first look-up of a name, when we may open no file any more
import json
import os
import pwd
import queue
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from agent.memory_file import sealed
from agent.protocol import MAX_PACKET_BYTES
from agent.sinks.choose import build, load
from agent.sinks.file import FileSink
from agent.sinks.sink import DeliveryError, Sink

_PR_SET_NO_NEW_PRIVS = 38

Waiting = queue.SimpleQueue[dict[str, Any] | None]
"""One sink's orders; None ends its thread."""


def can_become(user: str) -> bool:
    """Whether there is such an unprivileged account, and this process may become it."""
    try:
        return os.geteuid() == 0 and pwd.getpwnam(user).pw_uid != 0
    except KeyError:
        return False


def become(user: str) -> list[str]:
    """Give up all privileges for good; what could not be given up, as `Protection` values."""
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if not can_become(user):
        return ["courier_user"]
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    return []


class Round:
    """One courier's round: orders come in, answers go out."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._answering = threading.Lock()
        self._queues: dict[str, Waiting] = {}
        self._sinks: dict[str, Sink] = {}

    def answer(self, plain: dict[str, Any], *fds: int) -> None:
        with self._answering:
            socket.send_fds(self._sock, [json.dumps(plain).encode()], fds)

    def run(self) -> None:
        """Until the supervisor hangs up."""
        while True:
            packet, fds, _, _ = socket.recv_fds(self._sock, MAX_PACKET_BYTES + 1, 4)
            if not packet:
                return
            self._obey(json.loads(packet), fds)

    def _obey(self, order: dict[str, Any], fds: list[int]) -> None:
        match order["do"]:
            case "configure":
                self._configure(order["sinks"], fds[0] if fds else None)
            case "file":
                sink = self._sinks.get("file")
                if isinstance(sink, FileSink) and fds:
                    sink.replace(fds[0])
            case "deliver":
                waiting = self._queues.get(order["sink"])
                if waiting is None:
                    self._tell(order, DeliveryError("no_such_sink"))
                else:
                    waiting.put(order)
            case "fetch":
                threading.Thread(target=self._fetch, args=(order,), name=order["sink"], daemon=True).start()

    def _fetch(self, order: dict[str, Any]) -> None:
        """In a thread of its own: a console that hangs delays no alert."""
        fetched = {"fetched": order["sink"]}
        try:
            fetch = getattr(self._sinks.get(order["sink"]), "fetch", None)
            if fetch is None:
                raise DeliveryError("no_such_sink")
            found = fetch(order["agent"], order["after"], order["most"])
        except DeliveryError as error:
            self.answer({**fetched, "ok": False, "code": error.code})
            return
        fds = [] if found is None else [sealed(found)]
        self.answer({**fetched, "ok": True}, *fds)
        for fd in fds:
            os.close(fd)

    def _configure(self, plain: dict[str, Any], file_fd: int | None) -> None:
        for waiting in self._queues.values():
            waiting.put(None)
        self._sinks = build(plain, file_fd)
        self._queues = {name: queue.SimpleQueue() for name in self._sinks}
        for name, sink in self._sinks.items():
            work = (sink, self._queues[name])
            threading.Thread(target=self._deliver_all, args=work, name=name, daemon=True).start()

    def _deliver_all(self, sink: Sink, waiting: Waiting) -> None:
        while (order := waiting.get()) is not None:
            orders = [order, *_more(sink, waiting)]
            fault = _fault(sink, orders)
            if fault is not None and fault.permanent and sink.splits and len(orders) > 1:
                for one in orders:
                    self._tell(one, _fault(sink, [one]))
            else:
                for one in orders:
                    self._tell(one, fault)
        sink.close()

    def _tell(self, order: dict[str, Any], fault: DeliveryError | None) -> None:
        plain = {"sink": order["sink"], "id": order["id"], "revision": order["revision"], "ok": fault is None}
        if fault is not None:
            plain |= {"permanent": fault.permanent, "code": fault.code}
        self.answer(plain)


def _fault(sink: Sink, orders: Sequence[dict[str, Any]]) -> DeliveryError | None:
    """Deliver; what kept it from being delivered."""
    try:
        sink.deliver(*(order["record"] for order in orders))
    except DeliveryError as error:
        return error
    return None


def _more(sink: Sink, waiting: Waiting) -> list[dict[str, Any]]:
    """What else goes into the same delivery."""
    orders: list[dict[str, Any]] = []
    until = time.monotonic() + sink.gather_seconds
    while len(orders) + 1 < sink.most:
        try:
            order = waiting.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        if order is None:
            waiting.put(None)
            break
        orders.append(order)
    return orders


def _die(fault: threading.ExceptHookArgs) -> None:
    """A sink broke its contract: die and be restarted, rather than go on with one sink less.

    Nothing but the type is printed, because the text of an error may quote a record."""
    print(f"courier: {fault.exc_type.__name__} in sink {fault.thread and fault.thread.name}", file=sys.stderr)
    os._exit(70)


def main(arguments: list[str]) -> int:
    threading.excepthook = _die
    sock = socket.socket(fileno=int(arguments[0]))
    load(arguments[2].split(",") if len(arguments) > 2 else ())
    missing = become(arguments[1])
    tour = Round(sock)
    tour.answer({"ready": True, "missing": missing})
    with suppress(ConnectionResetError, BrokenPipeError):
        tour.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
