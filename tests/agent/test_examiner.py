"""What an asker makes of answers: everything that is not exactly right is `bad_answer`."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent import examiner as module
from agent.examiner import Asked, Examiner
from detectors.engine import exchange
from detectors.engine.exchange import Kind, Wish
from detectors.engine.verdict import Finding, Outcome, Polarity, Reason, Subject, Tier, Verdict

DIGEST = "a" * 64
VOCABULARY = frozenset({"row_subject", "words", "age", "small_cells", "text/csv", "application/octet-stream"})
GOOD = Verdict(
    Outcome.MICRODATA,
    flagged=True,
    confidence=0.9,
    tier=Tier.LIKELY,
    subject=Subject.PERSON,
    records_estimated=100,
    media_type="text/csv",
    advisories=("small_cells",),
    findings=(Finding("row_subject", Polarity.FOR, "words", 0, 1, "age", value=3.0),),
    config_digest=DIGEST,
)

Script = Callable[[socket.socket, int], None]


class Lying:
    """A template that answers the first request as the test wants."""

    def __init__(self) -> None:
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(60)
        self.examiner = Examiner(theirs, VOCABULARY, DIGEST)
        self.cancelled: list[int] = []

    def answers(self, *packets: Callable[[int], bytes], seconds: float = 60.0) -> Verdict:
        def serve() -> None:
            packet, fds, _, _ = socket.recv_fds(self.sock, 100, 4)
            for fd in fds:
                os.close(fd)
            number = exchange.parse_request(packet)[0]
            for make in packets:
                self.sock.send(make(number))

        thread = threading.Thread(target=serve)
        thread.start()
        fd = os.open("/dev/null", os.O_RDONLY)
        try:
            return self.examiner.examine(fd, 1, time.monotonic() + seconds)
        finally:
            os.close(fd)
            thread.join()


@pytest.fixture
def lying() -> Iterator[Lying]:
    template = Lying()
    yield template
    template.sock.close()
    template.examiner.close()


def said(wire: bytes) -> Callable[[int], bytes]:
    return lambda number: exchange.reply(number, Kind.VERDICT, wire)


def changed(**fields: Any) -> bytes:
    return json.dumps(GOOD.to_json() | fields).encode()


def test_a_good_answer_is_believed(lying: Lying) -> None:
    assert lying.answers(lambda n: exchange.reply(n, Kind.STARTED), said(GOOD.to_wire())) == GOOD


FINDING = GOOD.to_json()["findings"][0]
LIES: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"Jane Example",
    "not an object": b"[]",
    "deep": b"[" * 100_000,
    "another configuration": changed(config_digest="b" * 64),
    "text as reason": changed(reason="Jane Example"),
    "text as outcome": changed(outcome="Jane Example"),
    "text as member": changed(member="Jane Example"),
    "text as media type": changed(media_type="text/jane-example"),
    "text as advisory": changed(advisories=["jane_example"]),
    "text as term": changed(findings=[FINDING | {"term": "jane_example"}]),
    "text as detector": changed(findings=[FINDING | {"detector": "jane_example"}]),
    "text as value": changed(findings=[FINDING | {"value": "Jane Example"}]),
    "text as a position": changed(findings=[FINDING | {"column": "Jane Example"}]),
    "a field more": changed(note="Jane Example"),
    "a field more in a finding": changed(findings=[FINDING | {"note": "Jane Example"}]),
    "negative count": changed(records_estimated=-1),
    "huge count": changed(records_estimated=2**60),
    "no number": changed(confidence=float("nan")),
    "too sure": changed(confidence=2.0),
    "flag without cause": changed(tier="possible"),
    "cause without flag": changed(flagged=False),
    "clean though incomplete": changed(
        outcome="aggregate", complete=False, flagged=False, subject=None, tier="none"
    ),
    "unreadable without reason": changed(outcome="unreadable", flagged=False),
    "a reason that is not a worker's to give": Verdict.unreadable(
        Reason.GONE, config_digest=DIGEST
    ).to_wire(),
    "too many findings": changed(findings=[FINDING] * 500),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_a_bad_answer_and_none_of_its_text_survives(lying: Lying, lie: str) -> None:
    verdict = lying.answers(said(LIES[lie]))
    assert (verdict.outcome, verdict.reason) == (Outcome.UNREADABLE, Reason.BAD_ANSWER)
    assert not verdict.flagged
    assert verdict.config_digest == DIGEST
    assert b"xample" not in verdict.to_wire()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"timeout", Reason.TIMEOUT),
        (b"crashed", Reason.CRASHED),
        (b"limit_memory", Reason.LIMIT_MEMORY),
        (b"stuck", Reason.STUCK),
        (b"unsupported", Reason.BAD_ANSWER),
        (b"Jane Example", Reason.BAD_ANSWER),
        (b"\xff", Reason.BAD_ANSWER),
        (b"", Reason.BAD_ANSWER),
    ],
)
def test_a_fault_is_one_that_a_template_may_name(lying: Lying, payload: bytes, reason: Reason) -> None:
    verdict = lying.answers(lambda n: exchange.reply(n, Kind.FAULT, payload))
    assert (verdict.outcome, verdict.reason) == (Outcome.UNREADABLE, reason)


def test_an_answer_of_a_worker_that_is_not_dead_yet_counts_and_its_death_is_waited_for(lying: Lying) -> None:
    wire = GOOD.to_wire()
    assert lying.answers(lambda number: exchange.reply(number, Kind.SAID, wire)) == GOOD
    waited: list[int] = []

    def die() -> None:
        waited.append(1)
        lying.sock.send(exchange.reply(7, Kind.ENDED))  # another's
        lying.sock.send(exchange.reply(1, Kind.ENDED))

    assert lying.examiner.has_let_go(die) and waited
    assert lying.examiner.has_let_go(lambda: pytest.fail("there is nothing to wait for"))


def test_a_template_that_dies_before_it_told_its_workers_death_is_lost(lying: Lying) -> None:
    wire = GOOD.to_wire()
    lying.answers(lambda number: exchange.reply(number, Kind.SAID, wire))
    lying.sock.send(exchange.reply(1, Kind.ENDED))
    lying.sock.send(exchange.reply(0, Kind.LOST))
    assert not lying.examiner.is_lost(lambda: None), "its death was told before"
    assert lying.examiner.has_let_go(lambda: None)


def test_that_a_template_died_may_be_told_a_while_later(lying: Lying) -> None:
    lying.answers(lambda number: exchange.reply(number, Kind.SAID, GOOD.to_wire()))
    assert lying.examiner.is_lost(lambda: lying.sock.send(exchange.reply(0, Kind.LOST)) and None)


def test_a_worker_that_never_dies_is_not_waited_for_for_ever(
    lying: Lying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "END_GRACE_SECONDS", 0.05)
    wire = GOOD.to_wire()
    lying.answers(lambda number: exchange.reply(number, Kind.SAID, wire))
    assert not lying.examiner.has_let_go(lambda: None)
    lying.sock.send(exchange.reply(0, Kind.LOST))
    assert not lying.examiner.has_let_go(lambda: None)
    lying.answers(said(wire))
    assert lying.examiner.has_let_go(lambda: None), "of the last file only"


def test_a_reply_to_another_request_is_passed_over(lying: Lying) -> None:
    wrong = changed(records_estimated=7)
    verdict = lying.answers(lambda n: exchange.reply(n + 1, Kind.VERDICT, wrong), said(GOOD.to_wire()))
    assert verdict == GOOD


@pytest.mark.parametrize("packet", [b"x", b"\0\0\0\0\xff", exchange.reply(0, Kind.LOST)])
def test_broken_packets_and_lost_requests_are_worker_unavailable(lying: Lying, packet: bytes) -> None:
    assert lying.answers(lambda _: packet).reason is Reason.WORKER_UNAVAILABLE


def test_a_template_that_is_gone_is_worker_unavailable(lying: Lying) -> None:
    lying.sock.close()
    fd = os.open("/dev/null", os.O_RDONLY)
    verdict = lying.examiner.examine(fd, 1, time.monotonic() + 5)
    os.close(fd)
    assert verdict.reason is Reason.WORKER_UNAVAILABLE


def test_silence_ends_at_the_deadline_with_a_cancel(lying: Lying, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "END_GRACE_SECONDS", 0.05)
    started = time.monotonic()
    verdict = lying.answers(lambda n: exchange.reply(n, Kind.STARTED), seconds=0.1)
    assert verdict.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 30
    assert exchange.parse_request(lying.sock.recv(100))[1]


def test_while_waiting_is_called_and_may_give_up(lying: Lying) -> None:
    class Stop(Exception):
        pass

    calls = 0

    def wait() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Stop

    fd = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(Stop):
        lying.examiner.examine(fd, 1, time.monotonic() + 5, wait)
    os.close(fd)
    assert not exchange.parse_request(lying.sock.recv(100))[1]
    assert exchange.parse_request(lying.sock.recv(100))[1]


HARMLESS = Verdict(Outcome.NO_RECORDS, media_type="text/csv", config_digest=DIGEST)


class Together:
    """A template that says `said` of every file that may share a worker, and the truth of all others."""

    def __init__(self, said: bytes, truth: Verdict) -> None:
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.examiner = Examiner(theirs, VOCABULARY, DIGEST)
        self.said, self.truth = said, truth
        self.wishes: list[Wish] = []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while packet := socket.recv_fds(self.sock, 100, 4):
            if not packet[0]:
                return
            for fd in packet[1]:
                os.close(fd)
            number, wish, _ = exchange.parse_request(packet[0])
            self.wishes.append(wish)
            shared = wish is not Wish.EXAMINE
            wire = self.said if shared else self.truth.to_wire()
            self.sock.send(exchange.reply(number, Kind.STARTED))
            self.sock.send(exchange.reply(number, Kind.SHARED if shared else Kind.VERDICT, wire))

    def verdicts(self) -> list[Verdict]:
        fd = os.open("/dev/null", os.O_RDONLY)
        try:
            asked = self.examiner.ask_together([Asked(fd, 1)] * 3)
            return self.examiner.hear_together(asked, time.monotonic() + 60)
        finally:
            os.close(fd)
            self.examiner.close()
            self.thread.join()
            self.sock.close()


def test_what_a_shared_worker_finds_harmless_is_believed() -> None:
    template = Together(HARMLESS.to_wire(), GOOD)
    assert template.verdicts() == [HARMLESS] * 3
    assert template.wishes == [Wish.EXAMINE_AMONG_OTHERS] * 2 + [Wish.EXAMINE_LAST_AMONG_OTHERS]


def test_a_round_is_kept_while_another_file_is_examined(lying: Lying) -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    asked = lying.examiner.ask_together([Asked(fd, 1)] * 2)
    first, second = asked.requests
    lying.sock.send(exchange.reply(second, Kind.SHARED, HARMLESS.to_wire()))
    lying.sock.send(exchange.reply(first, Kind.STARTED))
    lying.sock.send(exchange.reply(first, Kind.FAULT, Reason.CRASHED.value.encode()))
    lying.sock.send(exchange.reply(second + 1, Kind.VERDICT, GOOD.to_wire()))
    assert lying.examiner.examine(fd, 1, time.monotonic() + 60) == GOOD
    crashed = Verdict.unreadable(Reason.CRASHED, config_digest=DIGEST)
    assert lying.examiner.hear_together(asked, time.monotonic() + 60) == [crashed, HARMLESS]
    os.close(fd)


def test_a_round_that_is_lost_with_its_template_is_not_waited_for(lying: Lying) -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    asked = lying.examiner.ask_together([Asked(fd, 1)] * 2)
    lying.sock.send(exchange.reply(asked.requests[0], Kind.SHARED, HARMLESS.to_wire()))
    lying.sock.send(exchange.reply(0, Kind.LOST))
    assert lying.examiner.examine(fd, 1, time.monotonic() + 60).reason is Reason.WORKER_UNAVAILABLE
    lost = Verdict.unreadable(Reason.WORKER_UNAVAILABLE, config_digest=DIGEST)
    assert lying.examiner.hear_together(asked, time.monotonic() + 60) == [HARMLESS, lost]
    lying.sock.close()
    asked = lying.examiner.ask_together([Asked(fd, 1)] * 2)
    assert lying.examiner.hear_together(asked, time.monotonic() + 60) == [lost, lost]
    os.close(fd)


@pytest.mark.parametrize("said", [GOOD.to_wire(), b"{}", Verdict.unreadable(Reason.PASSWORD).to_wire()])
def test_whatever_else_a_shared_worker_says_has_every_file_judged_alone(said: bytes) -> None:
    template = Together(said, GOOD)
    assert template.verdicts() == [GOOD] * 3
    assert template.wishes[3:] == [Wish.EXAMINE] * 3
