"""What people ask of the running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.errors import Mistyped, NotFound, Refused
from agent.ledger import Ledger
from agent.protocol import Identity
from agent.requests import Requests
from agent.schema import AlertRow, AlertState, Entry, EntryState, RootRow
from agent.supervisor import Supervisor
from config.settings import Settings

ENTRY = Entry(
    "11111111-aaaa", "r1", "/srv/x\udcff", Identity("x", 1, 2, 3, 4, 5), EntryState.INTENDED,
    {"outcome": "microdata"}, {"kind": "quarantined"}, 0, 0, 1.0, 2.0,
)  # fmt: skip
RECORD: dict[str, Any] = {
    "activity_id": 1, "severity": "High", "message": "m", "finding_info": {"uid": "22222222-bbbb"},
    "metadata": {"uid": "22222222-bbbb:1"}, "unmapped": {"proof": "", "disposition": "quarantined"},
}  # fmt: skip
ALERT = AlertRow(
    "22222222-bbbb", "k", "r1", ENTRY.entry_id, ENTRY.path, "quarantined", "policy",
    AlertState.HELD, RECORD, 1.0, 1.0,
)  # fmt: skip


class Place:
    def __init__(self, tmp_path: Path) -> None:
        self.ledger = Ledger.open(tmp_path / "ledger.db")
        self.ledger.attach(RootRow("r1", "/srv", "shared", "unrestricted"))
        self.swept: list[Any] = []
        supervisor = SimpleNamespace(
            parts=SimpleNamespace(ledger=self.ledger),
            dispatch=SimpleNamespace(outbox=SimpleNamespace(sinks=("file",)), try_now=lambda: None),
            settings=Settings(),
            sweep=lambda root: ["r1"] if root in (None, "r1") else [],
        )
        self.reloads: list[str] = []
        self.commands = Requests(cast(Supervisor, supervisor), self.reload).commands()
        self.ledger.intend(ENTRY)
        held = replace(ALERT)
        self.ledger.commit_custody(
            replace(ENTRY, sha256="ab", aside="x", vaulted_at=3.0, alert_id=ALERT.alert_id), held
        )

    def reload(self) -> str:
        self.reloads.append("x")
        return "digest"

    def taken(self) -> None:
        released = replace(ALERT, state=AlertState.RELEASED)
        self.ledger.conclude(ENTRY.entry_id, EntryState.QUARANTINED, "", True, released, ["file"])

    def ask(self, command: str, **request: Any) -> Any:
        answer = self.commands[command](request, "uid:0")
        return json.loads(json.dumps(answer))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.ledger.close()


def test_alerts_are_listed_without_and_shown_with_their_record(place: Place) -> None:
    place.taken()
    [row] = place.ask("alerts", limit=5)
    assert (row["alert_id"], row["severity"], row["path"]) == (ALERT.alert_id, "High", ENTRY.path)
    assert "record" not in row
    assert place.ask("alert", id="2222")["record"]["finding_info"]["uid"] == ALERT.alert_id


def test_entries_by_state_and_by_the_start_of_an_id(place: Place) -> None:
    assert [e["entry_id"] for e in place.ask("entries", states=["vaulted"])] == [ENTRY.entry_id]
    assert place.ask("entries", states=["quarantined"]) == []
    assert place.ask("entry", id="11111111")["verdict"] == {"outcome": "microdata"}


@pytest.mark.parametrize("start", ["", "111", 5, None, "%", "____"])
def test_an_id_that_is_too_short_or_no_id_finds_nothing(place: Place, start: Any) -> None:
    with pytest.raises((Mistyped, NotFound)):
        place.ask("entry", id=start)


def test_an_id_that_fits_two_finds_none(place: Place) -> None:
    place.ledger.intend(replace(ENTRY, entry_id="11111111-cccc"))
    with pytest.raises(NotFound, match="more than one"):
        place.ask("entry", id="1111")


def test_a_determination_is_recorded_sent_and_holds_for_the_bytes(place: Place) -> None:
    place.taken()
    row = place.ask("decide", alert="2222", determination="false_positive", note="a table")
    assert (row["determination"], row["decided_by"], row["note"]) == (
        "false_positive",
        "uid:0 (root)",
        "a table",
    )
    assert place.ledger.determination("ab", "r1") == ("false_positive", ALERT.alert_id)
    [delivery] = place.ledger.due("file", 9e12, 10)
    assert (delivery.revision, delivery.record["verdict_id"]) == (2, 1)
    assert place.ledger.audit_waiting()[-1][1]["event"] == "decided"


def test_nobody_decides_while_the_file_is_being_taken(place: Place) -> None:
    with pytest.raises(Refused, match="being taken"):
        place.ask("decide", alert="2222", determination="false_positive")


def test_an_unknown_determination_is_mistyped(place: Place) -> None:
    place.taken()
    with pytest.raises(Mistyped):
        place.ask("decide", alert="2222", determination="whatever")


def test_what_was_given_back_is_told_and_cannot_be_given_back_before_it_is_taken(place: Place) -> None:
    with pytest.raises(Refused, match="vaulted"):
        place.ask("restored", entry="1111", path="/srv/x")
    place.taken()
    assert place.ask("restored", entry="1111", path="/srv/x")["state"] == "restored"
    [delivery] = place.ledger.due("file", 9e12, 10)
    assert delivery.record["disposition"] == "Restored"


def test_sweeps_by_root(place: Place) -> None:
    assert place.ask("sweep") == {"roots": ["r1"]}
    with pytest.raises(NotFound):
        place.ask("sweep", root="/nowhere")


def test_reload_and_resend(place: Place) -> None:
    assert place.ask("reload") == {"digest": "digest"}
    place.taken()
    place.ledger.undelivered(ALERT.alert_id, "file", error="x", next_at=0, permanent=True)
    [letter] = place.ask("undelivered")
    assert (letter["alert_id"], letter["state"], letter["error"]) == (ALERT.alert_id, "dead", "x")
    with pytest.raises(NotFound):
        place.ask("resend", sink="pigeon")
    assert place.ask("resend", alert=ALERT.alert_id, sink="file") == {"count": 1}
    assert place.ask("resend") == {"count": 0}
