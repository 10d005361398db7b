"""Alerts about a place: one for as long as its matter lasts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.host_findings import HostFinding, tell
from agent.ledger import Ledger
from agent.schema import RootRow
from agent.telling import Host

FINDING = HostFinding(
    "own_disk",
    "host",
    "/home/\x1b",
    "Not encrypted",
    "No proof",
    "own_disk_unencrypted",
    4,
    {"volumes": ["/"]},
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.know(RootRow("host", "/", "local", "unrestricted"))
    ledger.know(RootRow("host", "/", "local", "unrestricted"))
    yield ledger
    ledger.close()


def told(ledger: Ledger, finding: HostFinding) -> bool:
    return tell(ledger, Host("h", "desk"), finding, ["file"])


def test_it_is_told_once_and_again_only_when_it_changes(ledger: Ledger) -> None:
    assert [told(ledger, FINDING) for _ in range(3)] == [True, False, False]
    assert told(ledger, replace(FINDING, facts={"volumes": ["/", "/home"]}))
    [row] = ledger.alerts()
    assert row.revision == 2 and len(ledger.due("file", 1e12, 10)) == 1


def test_it_is_closed_when_it_is_settled_and_opened_anew_after(ledger: Ledger) -> None:
    settled = replace(FINDING, settled=True, reason="own_disk_encrypted")
    assert not told(ledger, settled)  # nothing was ever the matter
    told(ledger, FINDING)
    assert told(ledger, settled)
    [row] = ledger.alerts()
    assert (row.record["status"], row.record["is_alert"], row.record["activity_name"]) == (
        "Resolved", False, "Close",
    )  # fmt: skip
    assert told(ledger, FINDING)
    [row] = ledger.alerts()
    assert row.record["is_alert"] and row.record["status"] == "New"


def test_it_reads_like_any_alert_and_is_on_record(ledger: Ledger) -> None:
    told(ledger, FINDING)
    [letter] = ledger.due("file", 1e12, 10)
    record = letter.record
    assert (record["class_uid"], record["activity_name"], record["severity"]) == (2006, "Create", "High")
    assert record["file"]["path"] == "/home/\\x1b" and record["unmapped"]["finding"] == "own_disk"
    assert record["finding_info"]["uid"] == letter.alert_id == record["metadata"]["correlation_uid"]
    assert [e["event"] for _, e in ledger.audit_waiting()] == ["own_disk_unencrypted"]
