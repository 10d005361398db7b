"""The crew: what is reported of a file that cannot be opened, and who holds the root when."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace

import pytest

from agent import settling
from agent.crew import Crew
from agent.opening import CannotOpen, RootFolder, open_untrusted
from agent.protocol import Judged, Orders, Unseen, UnseenAnswer, Welcome
from agent.streams import DepositFailed
from agent.watcher import Change, FileEvent
from detectors.engine.verdict import Outcome, Reason, Subject, Tier, Verdict

EVENT = FileEvent("x", Change.CLOSED, "event", 5.0)


class Sandbox:
    def __init__(self):
        self.closed = False
        self.act = lambda fd: None

    def examine(self, fd, size, deadline, while_waiting=None):
        self.act(fd)
        return Verdict(Outcome.NO_RECORDS, config_digest="d" * 64)

    def close(self):
        self.closed = True


@pytest.fixture
def crew(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    said, seen = [], set()

    def ask(message, answer):
        said.append(message)
        if isinstance(message, Unseen):
            return UnseenAnswer([i for i, f in enumerate(message.files) if f.relpath not in seen])
        return Orders("leave")

    welcome = Welcome(
        "r", str(root), "shared", "unrestricted", "enforce", root.stat().st_dev, str(tmp_path), [],
        0.1, 2.0, 3600.0, 5.0, 0, "us", [], "d" * 64,
    )  # fmt: skip
    made = Crew(welcome, ask, lambda: None, Sandbox(), None)
    made.said, made.seen, made.path = said, seen, root
    made.arrive(RootFolder.open(str(root), root.stat().st_dev))
    yield made
    made.close()


def test_what_is_gone_needs_no_report(crew):
    assert crew.could_not_open(EVENT, CannotOpen(Reason.GONE), False).step == "done"
    assert crew.said == []


def test_what_cannot_be_opened_is_told_with_its_reason_and_owner(crew):
    (crew.path / "x").symlink_to("y")
    status = os.lstat(crew.path / "x")
    fate = crew.could_not_open(EVENT, CannotOpen(Reason.LINK, status), False)
    (judged,) = [m for m in crew.said if isinstance(m, Judged)]
    assert (fate.step, fate.reason) == ("done", Reason.LINK)
    assert judged.verdict["outcome"] == "unreadable" and not judged.verdict["flagged"]
    assert (judged.identity.ino, judged.owner_uid, judged.observed_at) == (status.st_ino, status.st_uid, 5.0)


def test_it_is_told_once(crew):
    (crew.path / "x").symlink_to("y")
    crew.seen.add("x")
    fate = crew.could_not_open(EVENT, CannotOpen(Reason.LINK, os.lstat(crew.path / "x")), False)
    assert (fate.step, fate.reason) == ("seen", Reason.LINK)
    assert not [m for m in crew.said if isinstance(m, Judged)]


def test_a_fault_that_may_pass_is_told_only_at_the_last(crew):
    assert crew.could_not_open(EVENT, CannotOpen(Reason.IO_ERROR), False).step == "later"
    assert crew.said == []
    assert crew.could_not_open(EVENT, CannotOpen(Reason.IO_ERROR), True).step == "done"
    assert crew.said[0].verdict["reason"] == "io_error"


def test_a_verdict_about_a_file_that_changed_meanwhile_counts_for_nothing(crew):
    (crew.path / "x").write_bytes(b"1")
    crew.examiner.act = lambda fd: (crew.path / "x").write_bytes(b"2")
    with open_untrusted(crew.root, "x") as opened:
        verdict = crew.examine(opened, EVENT)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNREADABLE, Reason.CHANGED)


def test_the_workers_descriptor_is_closed_whatever_happens(crew):
    (crew.path / "x").write_bytes(b"1")

    class Boom(Exception):
        pass

    def boom(fd):
        raise Boom

    crew.examiner.act = boom
    with open_untrusted(crew.root, "x") as opened:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(Boom):
            crew.examine(opened, EVENT)
        assert len(os.listdir("/proc/self/fd")) == before


def test_without_a_vault_nothing_is_taken(crew):
    (crew.path / "x").write_bytes(b"1")
    from agent.lease import WriteLease

    with (
        open_untrusted(crew.root, "x") as opened,
        WriteLease(opened.fd) as lease,
        pytest.raises(DepositFailed),
    ):
        crew.deposit("entry-000001", opened, lease, False)


def test_missing_protections_are_named(crew):
    assert crew.missing <= {"private_mount"}
    crew.root.private, crew.root.whole = False, False
    crew.arrive(crew.root)
    assert {"private_mount", "openat2"} <= crew.missing


def test_a_root_that_was_left_is_not_used(crew):
    crew.leave()
    crew.leave()
    assert not crew.has_root
    with pytest.raises(RuntimeError):
        _ = crew.root


def test_closing_hangs_up_on_the_sandbox(crew):
    crew.close()
    assert crew.examiner.closed


def test_nothing_is_said_of_a_file_before_it_has_settled(crew):
    crew.welcome = replace(crew.welcome, settle_seconds=0.2)
    (crew.path / "x").write_bytes(b"1")
    event = FileEvent("x", Change.CLOSED, "event", time.time())
    with open_untrusted(crew.root, "x") as opened:
        begun = time.monotonic()
        assert crew.examine(opened, event).reason is None
        assert time.monotonic() - begun >= 0.15
    with open_untrusted(crew.root, "x") as opened:
        later = threading.Timer(0.05, (crew.path / "x").rename, [crew.path / "y"])
        later.start()
        verdict = crew.examine(opened, replace(event, observed_at=time.time()))
        later.join()
    assert verdict.reason is Reason.CHANGED, "it went on to its final name meanwhile"


def fresh(crew, monkeypatch, *answers, short=True):
    """A file of records in an enforced root, whose supervisor answers so; what it is told, and when."""
    crew.welcome = replace(crew.welcome, settle_seconds=0.5)
    monkeypatch.setattr(settling, "MEANWHILE_SECONDS", 0.5 if short else 0.4)
    (crew.path / "x").write_bytes(b"1")
    verdict = Verdict(
        Outcome.MICRODATA, flagged=True, tier=Tier.LIKELY, subject=Subject.PERSON, config_digest="d" * 64
    )
    crew.examiner.examine = lambda *_: verdict
    told, given = [], iter(answers)

    def ask(message, answer):
        told.append((message.settled, time.monotonic()))
        return next(given)

    crew.ask = ask
    return FileEvent("x", Change.CLOSED, "event", time.time()), time.monotonic(), told


def test_what_may_be_taken_is_told_while_it_settles(crew, monkeypatch):
    event, _, told = fresh(crew, monkeypatch, Orders("take", "e"))
    with open_untrusted(crew.root, "x") as opened:
        assert crew.judged(event, opened, crew.examine(opened, event)).do == "take"
    assert [settled for settled, _ in told] == [False]


def test_what_is_not_taken_is_told_again_when_it_has_settled(crew, monkeypatch):
    event, begun, told = fresh(crew, monkeypatch, Orders("settle"), Orders("leave"))
    with open_untrusted(crew.root, "x") as opened:
        assert crew.judged(event, opened, crew.examine(opened, event)).do == "leave"
    assert [settled for settled, _ in told] == [False, True] and told[1][1] - begun >= 0.45


def test_what_went_on_to_its_name_meanwhile_is_not_told_again(crew, monkeypatch):
    event, _, told = fresh(crew, monkeypatch, Orders("settle"))
    with open_untrusted(crew.root, "x") as opened:
        verdict = crew.examine(opened, event)
        (crew.path / "x").rename(crew.path / "y")
        assert crew.judged(event, opened, verdict).do == "settle"
    assert len(told) == 1


def test_a_long_settling_comes_before_anything_is_told(crew, monkeypatch):
    event, begun, told = fresh(crew, monkeypatch, Orders("take", "e"), short=False)
    with open_untrusted(crew.root, "x") as opened:
        crew.judged(event, opened, crew.examine(opened, event))
    [(settled, at)] = told
    assert settled and at - begun >= 0.45


def test_an_old_file_and_a_clock_that_was_set_wait_for_nothing(crew):
    crew.welcome = replace(crew.welcome, settle_seconds=60.0)
    (crew.path / "x").write_bytes(b"1")
    for event in (
        FileEvent("x", Change.CHANGED, "sweep", time.time()),
        FileEvent("x", Change.CLOSED, "event", time.time() - 3600),
    ):
        with open_untrusted(crew.root, "x") as opened:
            begun = time.monotonic()
            crew.examine(opened, event)
            assert time.monotonic() - begun < 30
    crew.welcome = replace(crew.welcome, settle_seconds=0.2)
    with open_untrusted(crew.root, "x") as opened:
        begun = time.monotonic()
        crew.examine(opened, FileEvent("x", Change.CLOSED, "event", time.time() + 3600))
        assert time.monotonic() - begun < 30


def test_an_empty_file_costs_no_worker(crew):
    (crew.path / "x").touch()
    crew.examiner.act = lambda fd: pytest.fail("a worker was asked")
    with open_untrusted(crew.root, "x") as opened:
        verdict = crew.examine(opened, EVENT)
    assert (verdict.outcome.value, verdict.media_type, verdict.complete) == (
        "no_records", "application/x-empty", True,
    )  # fmt: skip
