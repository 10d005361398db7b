"""The light template's link to the heavy one, with a heavy one made of a socket."""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Iterator

import pytest

from detectors.engine import exchange
from detectors.engine.exchange import Allowance, Kind
from detectors.engine.heavy import HeavyLink
from detectors.engine.jobs import Job
from detectors.engine.verdict import Reason


class Office:
    """A link and what it said."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.needed = 0
        self.started: list[Job] = []
        self.ended: list[tuple[Job, bytes | None]] = []
        self.link = HeavyLink(
            self.selector,
            Allowance(1.0),
            self.need,
            self.started.append,
            lambda job, reply: self.ended.append((job, reply)),
        )

    def need(self) -> None:
        self.needed += 1

    def attach(self) -> socket.socket:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        far.settimeout(60)
        self.link.attach(near)
        return far

    def step(self) -> None:
        for key, _ in self.selector.select(0.5):
            key.data()


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.selector.close()


@pytest.fixture
def job() -> Iterator[Job]:
    job = Job(peer=1, request_id=42, descriptor=os.open("/dev/null", os.O_RDONLY), size=3)
    yield job
    job.close()


def asked(far: socket.socket) -> tuple[int, bool, int]:
    packet, fds, _, _ = socket.recv_fds(far, 100, 4)
    for fd in fds:
        os.close(fd)
    return exchange.parse_request(packet)


def test_a_heavy_template_is_asked_for_once(office: Office, job: Job) -> None:
    office.link.pass_on(job)
    office.link.pass_on(Job(1, 43, os.dup(job.descriptor), 3))
    assert office.needed == 1
    assert office.link


def test_a_job_is_passed_on_and_comes_back_under_its_own_number(office: Office, job: Job) -> None:
    office.link.pass_on(job)
    far = office.attach()
    number, cancelled, size = asked(far)
    assert (cancelled, size) == (False, 3)
    far.send(exchange.reply(number, Kind.STARTED))
    office.step()
    assert office.started == [job]
    far.send(exchange.reply(number, Kind.FAULT, b"timeout"))
    office.step()
    assert office.ended == [(job, exchange.reply(42, Kind.FAULT, b"timeout"))]
    assert not office.link


def test_a_job_given_up_is_cancelled_over_there(office: Office, job: Job) -> None:
    far = office.attach()
    office.link.pass_on(job)
    number = asked(far)[0]
    assert office.link.give_up(lambda one: one.peer == 1) == [job]
    assert asked(far)[:2] == (number, True)
    far.send(exchange.reply(number, Kind.VERDICT, b"late"))
    office.step()
    assert office.ended == []


def test_when_the_heavy_template_ends_its_jobs_ask_for_another_once(office: Office, job: Job) -> None:
    office.attach().close()
    office.link.pass_on(job)
    office.step()
    assert office.needed == 1
    office.attach().close()
    office.step()
    assert office.ended == [(job, None)]
    assert job.fate is Reason.WORKER_UNAVAILABLE


def test_a_job_that_nobody_answers_ends_by_the_clock(office: Office, job: Job) -> None:
    office.link.pass_on(job)
    office.link.watch(time.monotonic())
    assert office.ended == []
    office.link.watch(time.monotonic() + 1000)
    assert office.ended == [(job, None)]
    assert job.fate is Reason.WORKER_UNAVAILABLE


def test_nonsense_from_over_there_ends_the_link(office: Office, job: Job) -> None:
    far = office.attach()
    office.link.pass_on(job)
    far.send(b"x")
    office.step()
    assert office.needed == 1
    assert far.recv(100)
    assert far.recv(100) == b""
