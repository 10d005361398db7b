"""A heartbeat goes everywhere, is no alert, and piles up nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.alerts import with_activity
from agent.heartbeat import Heartbeat
from agent.ledger import Ledger
from agent.sinks.sink import masked
from agent.sinks.syslog import message
from agent.telling import Host

ROOT: dict[str, Any] = {
    "root_id": "r1", "path": "/srv/\x1b[2J", "zone": "shared", "mode": "enforce", "coverage": "native",
    "covered": True, "since": 1.0, "fault": "", "proof": "seen", "proved_at": 2.0, "backlog": 0,
    "swept": {"finished_at": 3.0, "files": 12, "complete": True}, "not_examined": {"malformed": 2},
    "held": 1, "unfinished": 0, "breaker_open": False,
}  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


def letters(ledger: Ledger) -> list[dict[str, Any]]:
    return [letter.record for letter in ledger.due("file", 1e12, 10)]


def test_it_tells_each_root_to_every_sink_and_to_the_audit_log(ledger: Ledger) -> None:
    Heartbeat(ledger, Host("h", "desk")).beat([ROOT], ["file", "syslog"])
    [record] = letters(ledger)
    [told] = record["unmapped"]["coverage"]
    assert (told["coverage"], told["proof"], told["swept_at"], told["held"]) == ("native", "seen", 3.0, 1)
    assert told["path"] == "/srv/\\x1b[2J"
    assert (record["class_uid"], record["num_files"], record["num_skipped_items"]) == (6007, 12, 2)
    assert len(ledger.due("syslog", 1e12, 10)) == 1
    [(_, event)] = ledger.audit_waiting()
    assert event["event"] == "heartbeat" and event["roots"] == [told]


def test_many_of_them_that_could_not_be_delivered_are_one(ledger: Ledger) -> None:
    heart = Heartbeat(ledger, Host("h", "desk"))
    for _ in range(5):
        heart.beat([ROOT], ["file"])
    [record] = letters(ledger)
    assert record["metadata"]["uid"] == "heartbeat-h:5"
    assert ledger.alerts(recorded=True) == []  # it is no alert


def test_a_root_that_is_not_covered_is_in_its_severity(ledger: Ledger) -> None:
    Heartbeat(ledger, Host("h", "desk")).beat([{**ROOT, "covered": False, "coverage": "stuck"}], ["file"])
    [record] = letters(ledger)
    assert record["severity"] == "Medium" and record["message"] == "0 of 1 roots are covered"


def test_every_sink_can_render_it_and_masks_its_paths(ledger: Ledger) -> None:
    Heartbeat(ledger, Host("h", "desk")).beat([ROOT], ["file"])
    [record] = letters(ledger)
    assert with_activity(record, True)["activity_name"] == "Heartbeat"
    assert b"6007" in message(record, 13)
    assert "/srv" not in json.dumps(masked(record))


def test_it_is_due_an_interval_after_the_last_and_never_when_switched_off(ledger: Ledger) -> None:
    heart = Heartbeat(ledger, Host("h", "desk"))
    assert not heart.is_due(60.0) and not heart.is_due(0.0)
    assert heart.is_due(1e-9)
