"""Owners ask for their own files, once a day, and learn nothing of others'."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import Mistyped, NotFound, Problem, Refused
from agent.ledger import Ledger
from agent.owner_requests import AGAIN_SECONDS, OwnerRequests
from agent.protocol import Identity
from agent.schema import AlertRow, AlertState, Entry, EntryState, RootRow

ID = "11111111-2222-3333-4444-555555555555"
ENTRY = Entry(
    ID, "r1", "/srv/f.csv",
    Identity("f.csv", 1, 2, 3, 4, 5), EntryState.INTENDED, {"outcome": "microdata"}, {},
    1000, 0o644, 0.0, 0.0,
)  # fmt: skip
RECORD: dict[str, Any] = {
    "class_uid": 2006,
    "activity_id": 1,
    "metadata": {"uid": "a:1"},
    "unmapped": {"zone": "shared"},
}
ALERT = AlertRow(
    "a-long-id", "k", "r1", ID, "/srv/f.csv", "quarantined", "", AlertState.RELEASED, RECORD, 1.0, 1.0
)


class Place:
    now = 1e9

    def __init__(self, tmp_path: Path) -> None:
        self.ledger = Ledger.open(tmp_path / "ledger.db")
        self.ledger.attach(RootRow("r1", "/srv", "shared", "unrestricted"))
        self.ledger.intend(ENTRY)
        vaulted = replace(ENTRY, state=EntryState.VAULTED, alert_id=ALERT.alert_id, vaulted_at=1.0)
        self.ledger.commit_custody(vaulted, replace(ALERT, state=AlertState.HELD), [])
        self.ledger.conclude(ID, EntryState.QUARANTINED, "", True, ALERT, ["file"], [])
        self.requests = OwnerRequests(self.ledger, lambda: ["file"], lambda: self.now)

    def ask(
        self, who: str = "uid:1000", entry: str = ID, reason: str = "the deadline is near"
    ) -> dict[str, Any]:
        command = self.requests.commands()["request"]
        plain: dict[str, Any] = command({"command": "request", "id": entry, "reason": reason}, who)
        return plain


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.ledger.close()


def test_the_owners_reason_is_on_the_alert_and_goes_to_the_sinks(place: Place) -> None:
    assert place.ask(entry=ID[:8]) == {"alert": ALERT.alert_id}
    row = place.ledger.alert(ALERT.alert_id)
    assert row is not None and row.revision == 2
    assert row.record["unmapped"]["request"]["reason"] == "the deadline is near"
    assert row.record["unmapped"]["request"]["by"].startswith("uid:1000")
    assert row.record["unmapped"]["zone"] == "shared"
    assert row.record["metadata"]["uid"] == "a-long-id:2"
    assert [d.revision for d in place.ledger.due("file", 4e9, 10)] == [2]


def test_nobody_learns_of_anothers_file(place: Place) -> None:
    told = []
    for who, entry in (("uid:1001", ID), ("uid:1000", "99999999"), ("uid:1000", ID[:7]), ("uid:1000", "")):
        with pytest.raises(NotFound) as caught:
            place.ask(who, entry)
        told.append((str(caught.value), caught.value.hint))
    assert len(set(told)) == 1
    row = place.ledger.alert(ALERT.alert_id)
    assert row is not None and row.revision == 1


def test_once_a_day_is_enough(place: Place) -> None:
    place.ask()
    place.now += AGAIN_SECONDS - 1
    with pytest.raises(Refused):
        place.ask()
    place.now += 1
    place.ask()


def test_root_may_ask_for_everybody(place: Place) -> None:
    assert place.ask("uid:0")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_a_sentence(place: Place, reason: str) -> None:
    with pytest.raises(Mistyped):
        place.ask(reason=reason)


def test_a_reason_cannot_steer_who_reads_it(place: Place) -> None:
    place.ask(reason="x\r\n\x1b[2J\u202e")
    row = place.ledger.alert(ALERT.alert_id)
    assert row is not None and row.record["unmapped"]["request"]["reason"].isprintable()


def test_an_alert_that_is_still_held_is_not_touched(place: Place) -> None:
    entry = replace(ENTRY, entry_id="22222222-0000", identity=Identity("g.csv", 1, 9, 3, 4, 5))
    place.ledger.intend(entry)
    with pytest.raises(Problem):
        place.ask(entry="22222222-0000")
