"""What carries the messages between supervisor and keeper.

One `SOCK_SEQPACKET` socketpair for each keeper: one JSON object a packet, descriptors beside it.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Self

from agent.protocol import MAX_PACKET_BYTES, ChannelClosed, Message, decode


class Channel:
    """One end of a packet socket. `receive` blocks up to `timeout` seconds (None: for ever)."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours), cls(theirs)

    def fileno(self) -> int:
        return self.sock.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        packet = json.dumps(message.to_json(), separators=(",", ":")).encode()
        if len(packet) > MAX_PACKET_BYTES:
            raise ValueError("packet too long")
        try:
            socket.send_fds(self.sock, [packet], list(descriptors))
        except OSError as error:
            raise ChannelClosed from error

    def receive(self, timeout: float | None = None) -> Message | None:
        """The next message, or None when `timeout` passed without one."""
        self.sock.settimeout(timeout)
        try:
            packet = self.sock.recv(MAX_PACKET_BYTES + 1)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError as error:
            raise ChannelClosed from error
        if not packet:
            raise ChannelClosed
        return decode(packet)

    def close(self) -> None:
        self.sock.close()
