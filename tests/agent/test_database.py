"""The ledger's file: private, synchronised, checked, and whole after whatever failed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.ledger import Ledger, LedgerError
from agent.protocol import Identity
from agent.schema import AlertRow, AlertState, Entry, EntryState, RootRow

FILE = Identity("a/survey\udcff\n.csv", 7, 2**64 - 1, 1000, 5, 6)
ENTRY = Entry(
    "e1", "r1", "/srv/a/survey.csv", FILE, EntryState.INTENDED,
    {"outcome": "microdata"}, {"kind": "quarantined"}, 1000, 0o640, 1.0, 2.0,
)  # fmt: skip
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


def test_it_is_synchronised_in_full_and_private(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger._rows("PRAGMA synchronous")[0][0] == 2
    assert ledger._rows("PRAGMA journal_mode")[0][0] == "wal"
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


def test_a_failed_transition_leaves_nothing_behind(ledger: Ledger) -> None:
    event = {"event": "x"}
    with pytest.raises(LedgerError):
        ledger.conclude("nowhere", EntryState.QUARANTINED, "", True, TOLD, ["file"], [event])
    assert ledger.audit_waiting()[-1][1]["event"] == "root_attached"
    assert ledger.due("file", time.time() + 1, 10) == []


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


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_was_removed_or_replaced_is_an_error(
    ledger: Ledger, tmp_path: Path, replaced: bool
) -> None:
    ledger.check_in_place()
    (tmp_path / "ledger.db").rename(tmp_path / "away")
    if replaced:
        (tmp_path / "ledger.db").write_bytes(b"")
    with pytest.raises(LedgerError, match="removed or replaced"):
        ledger.check_in_place()
