"""The ledger: every transition durable, every wrong one refused, every fault loud."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.ledger import Ledger, LedgerError, WrongState
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


def test_it_is_synchronised_in_full_and_private(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger._rows("PRAGMA synchronous")[0][0] == 2
    assert ledger._rows("PRAGMA journal_mode")[0][0] == "wal"
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


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


def test_only_changed_files_and_changed_rules_need_a_judgement(ledger: Ledger) -> None:
    other = replace(FILE, relpath="b.csv")
    assert ledger.unseen("r1", [FILE, other], "d1") == [0, 1]
    ledger.saw("r1", FILE, "d1", "aggregate", "", "allowed")
    assert ledger.unseen("r1", [FILE, other], "d1") == [1]
    ledger.flush()
    assert ledger.unseen("r1", [FILE, other], "d1") == [1]
    assert ledger.unseen("r1", [FILE], "d2") == [0]
    assert ledger.unseen("r2", [FILE], "d1") == [0]
    for change in ({"size": 1}, {"mtime_ns": 1}, {"ctime_ns": 1}, {"ino": 1}, {"dev": 1}):
        assert ledger.unseen("r1", [replace(FILE, **change)], "d1") == [0]
    ledger.forget("r1", FILE.relpath)
    assert ledger.unseen("r1", [FILE], "d1") == [0]


def test_lazy_rows_ride_with_the_next_transition(ledger: Ledger, tmp_path: Path) -> None:
    again = Ledger.read_only(tmp_path / "ledger.db")
    ledger.saw("r1", FILE, "d1", "aggregate", "", "allowed")
    assert again.unseen("r1", [FILE], "d1") == [0]
    ledger.set_meta("x", "y")
    assert again.unseen("r1", [FILE], "d1") == []


def test_a_failed_transition_leaves_nothing_behind(ledger: Ledger) -> None:
    vaulted(ledger)
    event = {"event": "x"}
    with pytest.raises(LedgerError):
        ledger.conclude("nowhere", EntryState.QUARANTINED, "", True, RELEASED, ["file"], [event])
    assert ledger.audit_waiting()[-1][1]["event"] == "root_attached"
    assert ledger.due("file", time.time() + 1, 10) == []


def test_unreadable_files_are_counted_by_reason(ledger: Ledger) -> None:
    for n, reason in enumerate(["malformed", "malformed", "limit_depth"]):
        ledger.saw("r1", replace(FILE, relpath=str(n)), "d", "unreadable", reason, "error")
    assert ledger.not_examined("r1") == {"malformed": 2, "limit_depth": 1}


def test_the_breaker_counts_what_a_root_lost_not_what_was_revoked(ledger: Ledger) -> None:
    ledger.intend(ENTRY)
    ledger.intend(replace(ENTRY, entry_id="e2"))
    assert ledger.taken_since("r1", 1.5) == 2
    ledger.revoke("e2", "changed")
    assert ledger.taken_since("r1", 1.5) == 1
    assert ledger.taken_since("r1", 2.5) == 0


def test_an_update_during_delivery_is_delivered_too(ledger: Ledger) -> None:
    ledger.tell(replace(RELEASED, entry_id=None), ["file"])
    ledger.tell(replace(RELEASED, entry_id=None, revision=2, record={"n": 3}), ["file"])
    ledger.delivered("a1", "file", 1)
    [delivery] = ledger.due("file", time.time() + 1, 10)
    assert (delivery.revision, delivery.first, delivery.record) == (2, False, {"n": 3})
    ledger.delivered("a1", "file", 2)
    assert ledger.due("file", time.time() + 1, 10) == []


def test_a_dead_letter_can_be_sent_again(ledger: Ledger) -> None:
    ledger.tell(replace(RELEASED, entry_id=None), ["file"])
    ledger.undelivered("a1", "file", error="refused", next_at=0, permanent=True)
    assert ledger.due("file", time.time() + 1, 10) == []
    assert ledger.delivery_counts() == {"file": {"dead": 1}}
    assert ledger.delivery_errors() == {"file": "refused"}
    assert ledger.send_again(["file"]) == 1
    assert len(ledger.due("file", time.time() + 1, 10)) == 1


def test_alerts_raised_before_there_was_a_sink_reach_the_first_one(ledger: Ledger) -> None:
    ledger.tell(replace(RELEASED, entry_id=None), [])
    ledger.tell(replace(RELEASED, alert_id="a2", entry_id=None, state=AlertState.RECORDED), [])
    ledger.adopt(["file"])
    assert [d.alert_id for d in ledger.due("file", time.time(), 10)] == ["a1"]
    ledger.delivered("a1", "file", 1)
    ledger.adopt(["syslog"])
    assert ledger.due("syslog", time.time(), 10) == []


def test_a_determination_holds_for_the_same_bytes_in_the_same_root(ledger: Ledger) -> None:
    vaulted(ledger)
    decided = replace(HELD, determination="false_positive", decided_by="uid:0", note="n")
    ledger.determine(decided, "r1", "ab")
    assert ledger.determination("ab", "r1") == ("false_positive", "a1")
    assert ledger.determination("ab", "r2") is None
    assert ledger.alerts()[0].determination == "false_positive"


def test_a_damaged_ledger_refuses_to_open(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is no database at all, it is only some text" * 100)
    with pytest.raises(LedgerError, match="ledger"):
        Ledger.open(path)


def test_a_ledger_with_a_torn_page_refuses_to_open(ledger: Ledger, tmp_path: Path) -> None:
    for n in range(400):
        ledger.saw("r1", replace(FILE, relpath=f"{n:0100d}"), "d" * 64, "aggregate", "", "allowed")
    ledger.close()
    path = tmp_path / "ledger.db"
    content = bytearray(path.read_bytes())
    content[4096 * 5 : 4096 * 20] = b"\xa5" * (4096 * 15)
    path.write_bytes(content)
    with pytest.raises(LedgerError):
        Ledger.open(path)


def test_a_newer_ledger_is_not_touched(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LedgerError, match="newer"):
        Ledger.open(tmp_path / "ledger.db")


def test_a_full_disk_is_a_ledger_error(ledger: Ledger) -> None:
    ledger._rows("PRAGMA max_page_count = 1")
    with pytest.raises(LedgerError):
        for n in range(2000):
            ledger.intend(replace(ENTRY, entry_id=f"e{n}"))


def test_a_link_in_the_ledgers_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "ledger.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError):
        Ledger.open(tmp_path / "ledger.db")
