r"""The control socket: `state_dir/control.sock`, one JSON object a line each way.

Request `{"command": NAME, ...}`; answer `{"ok": true, "result": ...}` or
`{"ok": false, "error": CODE, "message": TEXT, "hint": TEXT}`. One connection may ask many times.
Admitted by `SO_PEERCRED`: root, the service's own user, members of `service.control_group`.
Every path in an answer is as `os.fsdecode` gives it: escape it before showing it to anybody.

    status                                        the whole state, see `Supervisor.status`
    sweep    [root: id or path]                   sweep now (all roots without one); result: {roots: [id]}
    reload                                        read the configuration again; result: {digest}
    alerts   [limit, since, recorded]             result: list of alert rows, the newest first
    alert    id                                   result: the row with its OCSF `record`; an id may be cut
    entries  [limit, states]                      result: list of entries, the newest first
    entry    id                                   result: the entry with its verdict; likewise
    decide   alert, determination, note           record a determination: true_positive | false_positive |
                                                  authorised | inconclusive; result: the row
    restored entry, path                          the content was given back at `path`; result: the entry
    baseline [root]                               old files that wait for a person, by root (`agent.contact`)
    baseline_decide do, [root, since, before, note]   accept | enforce them; result: {files}
    resend   [sink, alert]                        dead letters are sent again; result: {count}
    undelivered [limit]                           what has not arrived: dead letters, then what waits

Those about releases, disposals and agreements stand in `agent.custodian`.

To restore: first `decide` (false_positive: the same bytes in that root are let be from then on), then put
the file in place, then tell `restored`.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.errors import Mistyped, NotFound, NotPermitted, Problem, Refused
from agent.loop import Loop
from agent.socket_path import address_of

MAX_REQUEST_BYTES = 64 * 1024
"""Of one line, from everybody who may ask at all."""
MAX_CONNECTIONS = 32
_SO_PEERGROUPS = 59
_MOST_GROUPS = 256  # Python's getsockopt takes no larger answer
_ERRORS = {NotFound: "not_found", NotPermitted: "not_permitted", Mistyped: "mistyped", Refused: "refused"}

Command = Callable[[Mapping[str, Any], str], Any]
"""Takes the request and who asks (`uid:1000`); gives the result or raises a `Problem`."""


class Control:
    """Listens, admits, and hands requests to the commands. It never waits for a client."""

    def __init__(
        self,
        loop: Loop,
        path: Path,
        group: str,
        commands: Mapping[str, Command],
        *,
        for_everybody: bool = False,
        most_bytes: int = MAX_REQUEST_BYTES,
    ) -> None:
        """`most_bytes`: of one line."""
        self.most_bytes = most_bytes
        self._loop = loop
        self._path = path
        self._gid = _gid(group)
        self._commands = commands
        self._for_everybody = for_everybody
        self._connections: set[_Connection] = set()
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with address_of(path) as address:
                self._listener.bind(address)
        finally:
            os.umask(before)
        if self._gid:
            os.chown(path, -1, self._gid)
            path.chmod(0o660)
        if for_everybody:
            path.chmod(0o666)
        self._listener.listen(128)
        self._listener.setblocking(False)
        loop.watch(self._listener, self._accept)

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        uid, admitted = _peer(sock, self._gid)
        admitted = admitted or self._for_everybody
        if not admitted or len(self._connections) >= MAX_CONNECTIONS:
            why = "too many ask at once" if admitted else "only root and one group may ask"
            refusal = {"ok": False, "error": "not_permitted", "message": why, "hint": ""}
            try:
                sock.send(json.dumps(refusal).encode() + b"\n")
            except OSError:
                pass
            sock.close()
            return
        connection = _Connection(sock, f"uid:{uid}", self)
        self._connections.add(connection)
        self._loop.watch(sock, connection.readable)

    def answer(self, line: bytes, who: str) -> dict[str, Any]:
        """The answer to one request line."""
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ValueError
        except (ValueError, RecursionError):
            return _refusal(Mistyped("not a JSON object"))
        command = self._commands.get(str(request.get("command")))
        if command is None:
            return _refusal(Mistyped("no such command"))
        try:
            return {"ok": True, "result": command(request, who)}
        except Problem as problem:
            return _refusal(problem)
        except (KeyError, TypeError, ValueError):
            return _refusal(Mistyped("the request lacks something or has it in a wrong form"))

    def watch_writing(self, connection: _Connection, wanted: bool) -> None:
        self._loop.watch_both(connection.sock, connection.readable, connection.writable if wanted else None)

    def drop(self, connection: _Connection) -> None:
        self._loop.unwatch(connection.sock)
        connection.sock.close()
        self._connections.discard(connection)

    def close(self) -> None:
        for connection in list(self._connections):
            self.drop(connection)
        self._loop.unwatch(self._listener)
        self._listener.close()
        self._path.unlink(missing_ok=True)


class _Connection:
    """One client: lines in, lines out, at its own pace."""

    def __init__(self, sock: socket.socket, who: str, control: Control) -> None:
        self.sock = sock
        self._who = who
        self._control = control
        self._asked = bytearray()
        self._answers = bytearray()

    def readable(self) -> None:
        try:
            chunk = self.sock.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self._asked += chunk
        if not chunk or (b"\n" not in self._asked and len(self._asked) > self._control.most_bytes):
            self._control.drop(self)
            return
        while b"\n" in self._asked:
            line, _, rest = bytes(self._asked).partition(b"\n")
            self._asked = bytearray(rest)
            self._answers += json.dumps(self._control.answer(line, self._who)).encode() + b"\n"
        self.writable()

    def writable(self) -> None:
        try:
            if self._answers:
                sent = self.sock.send(self._answers)
                del self._answers[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._control.drop(self)
            return
        self._control.watch_writing(self, bool(self._answers))


def _refusal(problem: Problem) -> dict[str, Any]:
    code = next((c for kind, c in _ERRORS.items() if isinstance(problem, kind)), "refused")
    return {"ok": False, "error": code, "message": str(problem), "hint": problem.hint}


def _gid(group: str) -> int:
    """The admitted group's number; 0 (nobody besides root) if there is no such group."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return 0


def _peer(sock: socket.socket, gid: int) -> tuple[int, bool]:
    """Who connected, as the kernel says, and whether they may."""
    _, uid, peer_gid = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    if uid in (0, os.geteuid()):
        return uid, True
    if not gid:
        return uid, False
    try:
        raw = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS * 4)
    except OSError:  # more groups than that: only the first one counts
        raw = b""
    groups = {peer_gid, *(g for (g,) in struct.iter_unpack("I", raw))}
    return uid, gid in groups


def name_of(who: str) -> str:
    """`uid:1000` with the account's name, for records that people read."""
    try:
        return f"{who} ({pwd.getpwuid(int(who.removeprefix('uid:'))).pw_name})"
    except (KeyError, ValueError):
        return who
