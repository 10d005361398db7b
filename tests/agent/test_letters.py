"""Alerts and their deliveries: each sink gets each revision, at least once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.ledger import Ledger
from agent.schema import AlertRow, AlertState, RootRow

TOLD = AlertRow(
    "a1", "key", "r1", None, "/srv/a/survey.csv", "quarantined", "policy",
    AlertState.RELEASED, {"n": 2}, 3.0, 4.0,
)  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.attach(RootRow("r1", "/srv", "shared", "unrestricted", attached_at=1.0))
    yield ledger
    ledger.close()


def test_an_update_during_delivery_is_delivered_too(ledger: Ledger) -> None:
    ledger.tell(TOLD, ["file"])
    ledger.tell(replace(TOLD, revision=2, record={"n": 3}), ["file"])
    ledger.delivered("a1", "file", 1)
    [delivery] = ledger.due("file", time.time() + 1, 10)
    assert (delivery.revision, delivery.first, delivery.record) == (2, False, {"n": 3})
    ledger.delivered("a1", "file", 2)
    assert ledger.due("file", time.time() + 1, 10) == []


def test_a_dead_letter_can_be_sent_again(ledger: Ledger) -> None:
    ledger.tell(TOLD, ["file"])
    ledger.undelivered("a1", "file", error="refused", next_at=0, permanent=True)
    assert ledger.due("file", time.time() + 1, 10) == []
    assert ledger.delivery_counts() == {"file": {"dead": 1}}
    assert ledger.delivery_errors() == {"file": "refused"}
    assert ledger.send_again(["file"]) == 1
    assert len(ledger.due("file", time.time() + 1, 10)) == 1


def test_alerts_raised_before_there_was_a_sink_reach_the_first_one(ledger: Ledger) -> None:
    ledger.tell(TOLD, [])
    ledger.tell(replace(TOLD, alert_id="a2", state=AlertState.RECORDED), [])
    ledger.adopt(["file"])
    assert [d.alert_id for d in ledger.due("file", time.time(), 10)] == ["a1"]
    ledger.delivered("a1", "file", 1)
    ledger.adopt(["syslog"])
    assert ledger.due("syslog", time.time(), 10) == []


def test_a_determination_holds_for_the_same_bytes_in_the_same_root(ledger: Ledger) -> None:
    decided = replace(TOLD, determination="false_positive", decided_by="uid:0", note="n")
    ledger.determine(decided, "r1", "ab")
    assert ledger.determination("ab", "r1") == ("false_positive", "a1")
    assert ledger.determination("ab", "r2") is None
    assert ledger.alerts()[0].determination == "false_positive"
