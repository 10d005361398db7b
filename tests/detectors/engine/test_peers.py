"""Peers of a template: what they may hand in, and replies that do not fit at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from detectors.engine.peers import Peer, may_be_read


@pytest.mark.parametrize(
    ("flags", "readable"),
    [(os.O_RDONLY, True), (os.O_RDWR, False), (os.O_WRONLY, False), (os.O_PATH, False)],
)
def test_only_what_is_open_for_reading_alone_may_be_read(tmp_path: Path, flags: int, readable: bool) -> None:
    (tmp_path / "file").touch()
    fd = os.open(tmp_path / "file", flags)
    assert may_be_read(fd) is readable
    os.close(fd)
    assert not may_be_read(fd)


def test_replies_wait_in_order_until_there_is_room() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.setblocking(False)
        peer = Peer(1, ours)
        packets = [bytes([number]) * 10_000 for number in range(100)]
        peer.waiting.extend(packets)
        heard = []
        while len(heard) < len(packets):
            peer.flush()
            heard.append(theirs.recv(20_000))
        assert heard == packets and not peer.waiting
