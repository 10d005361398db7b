"""The ledger: every transition durable, every wrong one refused, every fault loud."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.ledger import Ledger, WrongState
from agent.protocol import Identity
from agent.schema import AlertRow, AlertState, Entry, EntryState, RootRow

FILE = Identity("a/survey\udcff\n.csv", 7, 2**64 - 1, 1000, 5, 6)
ENTRY = Entry(
    "e1", "r1", "/srv/a/survey\udcff\n.csv", FILE, EntryState.INTENDED,
    {"outcome": "microdata"}, {"kind": "quarantined"}, 1000, 0o640, 1.0, 2.0,
)  # fmt: skip
CUSTODY = replace(
    ENTRY, sha256="ab", size=1000, ciphertext_sha256="cd", ciphertext_size=1200,
    aside=".recordwarden-x\udcff", vaulted_at=3.0, alert_id="a1",
)  # fmt: skip
HELD = AlertRow(
    "a1", "key", "r1", "e1", ENTRY.path, "quarantined", "policy", AlertState.HELD, {"n": 1}, 3.0, 3.0
)
RELEASED = replace(HELD, state=AlertState.RELEASED, record={"n": 2}, updated_at=4.0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.attach(RootRow("r1", "/srv", "shared", "unrestricted", attached_at=1.0))
    yield ledger
    ledger.close()


def vaulted(ledger: Ledger) -> None:
    ledger.intend(ENTRY)
    ledger.commit_custody(CUSTODY, HELD)


def test_names_that_are_no_text_survive(ledger: Ledger) -> None:
    vaulted(ledger)
    entry = ledger.entry("e1")
    assert entry is not None
    assert (entry.path, entry.identity, entry.aside) == (CUSTODY.path, FILE, CUSTODY.aside)
    assert ledger.alerts()[0].path == HELD.path


def test_an_intent_survives_the_death_of_the_process(ledger: Ledger, tmp_path: Path) -> None:
    ledger.intend(ENTRY)
    again = Ledger.read_only(tmp_path / "ledger.db")
    assert [e.state for e in again.entries()] == [EntryState.INTENDED]


def test_the_whole_way_into_custody(ledger: Ledger) -> None:
    vaulted(ledger)
    assert ledger.due("file", time.time(), 10) == []
    ledger.conclude("e1", EntryState.QUARANTINED, "", True, RELEASED, ["file"])
    entry = ledger.entry("e1")
    assert entry is not None
    assert (entry.state, entry.notice) == (EntryState.QUARANTINED, True)
    [delivery] = ledger.due("file", time.time() + 1, 10)
    assert (delivery.alert_id, delivery.record, delivery.first) == ("a1", {"n": 2}, True)


def refusals() -> Iterator[tuple[str, Any]]:
    yield "custody without intent", lambda x: x.commit_custody(CUSTODY, HELD)
    yield "conclusion of an intent", lambda x: x.conclude("e1", EntryState.QUARANTINED, "", True, None, [])
    yield "restoring what is no custody", lambda x: x.restored("e1", None, [])
    yield "losing what is no custody", lambda x: x.lose_custody("e1", "gone")


@pytest.mark.parametrize(("name", "verb"), list(refusals()), ids=lambda x: x if isinstance(x, str) else "")
def test_a_transition_out_of_order_is_refused(ledger: Ledger, name: str, verb: Any) -> None:
    if name != "custody without intent":
        ledger.intend(ENTRY)
    with pytest.raises(WrongState):
        verb(ledger)
    assert ledger.alerts() == []


def test_a_revoked_intent_can_never_come_into_custody(ledger: Ledger) -> None:
    ledger.intend(ENTRY)
    ledger.revoke("e1", "changed")
    with pytest.raises(WrongState):
        ledger.commit_custody(CUSTODY, HELD)


def test_what_is_in_custody_can_not_be_revoked(ledger: Ledger) -> None:
    vaulted(ledger)
    with pytest.raises(WrongState):
        ledger.revoke("e1", "changed")


def test_the_breaker_counts_what_a_root_lost_not_what_was_revoked(ledger: Ledger) -> None:
    ledger.intend(ENTRY)
    ledger.intend(replace(ENTRY, entry_id="e2"))
    assert ledger.taken_since("r1", 1.5) == 2
    ledger.revoke("e2", "changed")
    assert ledger.taken_since("r1", 1.5) == 1
    assert ledger.taken_since("r1", 2.5) == 0
