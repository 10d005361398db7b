"""The packets of templates: what is sent arrives, what is broken is refused."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from detectors.engine import exchange
from detectors.engine.exchange import Allowance, Broken, Kind


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    yield one, other
    one.close()
    other.close()


def test_requests_and_replies_come_out_as_they_went_in() -> None:
    assert exchange.parse_request(exchange.request(7, 2**40)) == (7, False, 2**40)
    assert exchange.parse_request(exchange.cancel(7))[:2] == (7, True)
    assert exchange.parse_reply(exchange.reply(9, Kind.FAULT, b"x")) == (9, Kind.FAULT, b"x")
    assert len(exchange.request(1, 1)) <= exchange.MAX_REQUEST_BYTES


@pytest.mark.parametrize("packet", [b"", b"x", b"x" * 100])
def test_a_broken_request_is_refused(packet: bytes) -> None:
    with pytest.raises(Broken):
        exchange.parse_request(packet)


@pytest.mark.parametrize("packet", [b"", b"\1\0\0\0", b"\1\0\0\0\x09", b"\1\0\0\0\0"])
def test_a_broken_reply_is_refused(packet: bytes) -> None:
    with pytest.raises(Broken):
        exchange.parse_reply(packet)


def test_a_control_message_of_any_length_arrives_with_its_descriptor(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    message = {"words": ["made-up"] * 200_000}
    descriptor = os.open("/dev/null", os.O_RDONLY)
    sender = threading.Thread(target=exchange.send_control, args=(pair[0], message, descriptor))
    sender.start()
    received, fds = exchange.receive_control(pair[1])
    sender.join()
    os.close(descriptor)
    assert received == message
    assert len(fds) == 1
    os.close(fds[0])


def test_without_a_message_a_socket_that_does_not_wait_says_so(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[0].setblocking(False)
    with pytest.raises(BlockingIOError):
        exchange.receive_control(pair[0])


@pytest.mark.parametrize("packet", [b".[]", b".{", b"{}", b".\xff"])
def test_a_broken_control_message_is_refused(
    pair: tuple[socket.socket, socket.socket], packet: bytes
) -> None:
    pair[0].send(packet)
    with pytest.raises(Broken):
        exchange.receive_control(pair[1])


def test_a_closed_control_socket_is_broken(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].close()
    with pytest.raises(Broken):
        exchange.receive_control(pair[1])
    with pytest.raises(Broken):
        exchange.send_control(pair[1], {})


def test_a_large_file_is_allowed_more_time_in_proportion() -> None:
    allowed = Allowance(60.0, 30.0)
    assert (allowed.of(0), allowed.of(10**9), allowed.of(-5)) == (60.0, 90.0, 60.0)
