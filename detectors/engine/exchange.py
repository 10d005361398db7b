"""The packets between a template and those who ask it. Standard library only: both sides import it.

A peer (keeper, scan, or the light template asking the heavy one) holds one `SOCK_SEQPACKET` end:

    peer                                   template
    Request id, size + one descriptor  ->  (queued)
                                       <-  STARTED id            a worker has begun: clocks start
                                       <-  VERDICT id, wire      what the worker said, unread by us
                                       <-  SHARED  id, wire      the same, of a worker with other files
                                       <-  SAID    id, wire      the same, of a worker that is killed now
                                       <-  ENDED   id            that one is dead and reaped
                                       <-  FAULT   id, reason    a `Reason` code of the template's own
    Cancel id                          ->  the worker is killed; no reply
                                       <-  LOST                  a new template: all that was asked is lost

Any reply but SAID is sent only when the worker is dead and reaped. A request may allow that a worker is
shared (docs/decisions/0015): then STARTED may come twice, the second time for a worker of the file's own.
"""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from detectors.engine.verdict import Outcome, Protection, Tier, Verdict

MAX_REPLY_BYTES = 160 * 1024
MAX_REQUEST_BYTES = 64
_REPLY = struct.Struct("=IB")
_REQUEST = struct.Struct("=IBQ")
_CHUNK = 64 * 1024
_MAX_CONTROL_BYTES = 16 * 1024**2


class Kind(IntEnum):
    """What a reply is."""

    STARTED = 1
    VERDICT = 2
    FAULT = 3
    LOST = 4
    SHARED = 5
    SAID = 6
    ENDED = 7


class Wish(IntEnum):
    """What a request asks for."""

    EXAMINE = 0
    CANCEL = 1
    EXAMINE_AMONG_OTHERS = 2
    """The worker may be one that examines other small plain texts of the same owner and asker."""
    EXAMINE_LAST_AMONG_OTHERS = 3
    """The same, and no other such request follows at once."""


MOST_SHARED_FILES = 16
MOST_SHARED_BYTES = 64 * 1024
"""Of one file that may share a worker: all of it is seen when it is sniffed."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long one file may take: so many seconds, and more for each GB (10^9 bytes) of its size."""

    seconds: float
    seconds_per_gb: float = 0.0

    def of(self, size: int) -> float:
        """Seconds for a file of `size` bytes."""
        return self.seconds + self.seconds_per_gb * max(0, size) / 1e9


class Broken(Exception):
    """The other end is gone or does not keep to the protocol."""


_HARMLESS = frozenset({Outcome.NO_RECORDS, Outcome.OTHER_RECORDS, Outcome.AGGREGATE})


def harmless(verdict: Verdict) -> bool:
    """Whether a worker that had other files before may say so: nothing is ever done about such a file."""
    nothing_left = verdict.complete and verdict.reason is None and verdict.protection is Protection.NONE
    return nothing_left and verdict.outcome in _HARMLESS and verdict.tier is Tier.NONE


def request(request_id: int, size: int, wish: Wish = Wish.EXAMINE) -> bytes:
    """Ask to examine the descriptor sent beside this, of `size` bytes."""
    return _REQUEST.pack(request_id, wish, size)


def cancel(request_id: int) -> bytes:
    """Give a request up."""
    return _REQUEST.pack(request_id, Wish.CANCEL, 0)


def parse_request(untrusted: bytes) -> tuple[int, Wish, int]:
    """A request as (id, wish, size); raises `Broken`."""
    try:
        request_id, wish, size = _REQUEST.unpack(untrusted)
        return request_id, Wish(wish), size
    except (struct.error, ValueError):
        raise Broken from None


def reply(request_id: int, kind: Kind, payload: bytes = b"") -> bytes:
    """One reply as a packet."""
    return _REPLY.pack(request_id, kind) + payload


def parse_reply(untrusted: bytes) -> tuple[int, Kind, bytes]:
    """A reply as (request id, kind, payload); raises `Broken`."""
    try:
        request_id, kind = _REPLY.unpack_from(untrusted)
        return request_id, Kind(kind), untrusted[_REPLY.size :]
    except (struct.error, ValueError):
        raise Broken from None


def send_control(sock: socket.socket, message: dict[str, Any], descriptor: int | None = None) -> None:
    """Send one message of any length over a packet socket, in chunks; raises `Broken`."""
    body = json.dumps(message, separators=(",", ":")).encode()
    chunks = [body[i : i + _CHUNK] for i in range(0, len(body), _CHUNK)]
    fds = [] if descriptor is None else [descriptor]
    try:
        for chunk in chunks[:-1]:
            sock.send(b"+" + chunk)
        socket.send_fds(sock, [b"." + chunks[-1]], fds)
    except OSError:
        raise Broken from None


def receive_control(sock: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next whole message and the descriptors beside it; raises `Broken`, or `BlockingIOError`."""
    body = b""
    while True:
        try:
            chunk, fds, _, _ = socket.recv_fds(sock, _CHUNK + 1, 4)
        except BlockingIOError:
            if not body:
                raise
            sock.setblocking(True)  # the rest of a message is on its way
            continue
        except OSError:
            raise Broken from None
        body += chunk[1:]
        if not chunk or chunk[:1] not in (b"+", b".") or len(body) > _MAX_CONTROL_BYTES:
            raise Broken
        if chunk[:1] == b".":
            break
    try:
        message = json.loads(body)
    except ValueError:
        raise Broken from None
    if not isinstance(message, dict):
        raise Broken
    return message, fds
