"""What is remembered of roots and files, and when it is not enough."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.ledger import Ledger
from agent.protocol import Identity
from agent.schema import MIGRATIONS, RootRow
from agent.standing import Standing

FILE = Identity("a/survey\udcff\n.csv", 7, 2**64 - 1, 1000, 5, 6)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.attach(RootRow("r1", "/srv", "shared", "unrestricted", attached_at=1.0))
    yield ledger
    ledger.close()


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


def test_what_is_only_remembered_is_not_written_until_it_is_flushed(ledger: Ledger) -> None:
    before = ledger.written
    ledger.saw("r1", FILE, "d1", "aggregate", "", "allowed")
    assert ledger.written == before
    ledger.flush()
    assert ledger.written > before


def test_times_and_numbers_beyond_any_integer_are_only_numbers(ledger: Ledger) -> None:
    """A file may be dated past the year 2262, by anybody: its nanoseconds do not fit into 64 bits."""
    far = replace(FILE, mtime_ns=2**80, ctime_ns=-(2**70), size=2**63, dev=2**64)
    ledger.saw("r1", far, "d1", "aggregate", "", "allowed")
    ledger.flush()
    assert ledger.unseen("r1", [far], "d1") == []
    assert ledger.unseen("r1", [replace(far, mtime_ns=2**80 + 1)], "d1") == [0]


def test_lazy_rows_ride_with_the_next_transition(ledger: Ledger, tmp_path: Path) -> None:
    again = Ledger.read_only(tmp_path / "ledger.db")
    ledger.saw("r1", FILE, "d1", "aggregate", "", "allowed")
    assert again.unseen("r1", [FILE], "d1") == [0]
    ledger.set_meta("x", "y")
    assert again.unseen("r1", [FILE], "d1") == []


def test_unreadable_files_are_counted_by_reason(ledger: Ledger) -> None:
    for n, reason in enumerate(["malformed", "malformed", "limit_depth"]):
        ledger.saw("r1", replace(FILE, relpath=str(n)), "d", "unreadable", reason, "error")
    assert ledger.not_examined("r1") == {"malformed": 2, "limit_depth": 1}


def test_a_root_that_comes_back_keeps_its_last_sweep(ledger: Ledger) -> None:
    ledger.swept("r1", {"files": 3})
    ledger.detach("r1", 2.0)
    gone = ledger.root("r1")
    assert gone is not None and gone.detached_at == 2.0
    ledger.attach(RootRow("r1", "/media/\udcffx", "removable", "unrestricted", {"kind": "removable"}, 5.0))
    back = ledger.root("r1")
    assert back is not None
    assert (back.path, back.detached_at, back.swept) == ("/media/\udcffx", None, {"files": 3})


def test_what_is_there_no_more_is_not_counted_as_not_examined(ledger: Ledger) -> None:
    gone, there = replace(FILE, relpath="gone"), replace(FILE, relpath="there")
    for file in (gone, there):
        ledger.saw("r1", file, "d", "unreadable", "malformed", "error")
    began = time.time()
    assert ledger.unseen("r1", [there], "d") == []
    ledger.swept("r1", {"started_at": began})
    assert ledger.not_examined("r1") == {"malformed": 2}, "it did not come across everything"
    ledger.swept("r1", {"started_at": began}, all_met=True)
    assert ledger.not_examined("r1") == {"malformed": 1}
    assert ledger.unseen("r1", [there, gone], "d") == [1]


def old_file(name: str, modified: float) -> Identity:
    return Identity(name, 1, 2, 3, int(modified * 1e9), 5)


def seen_old(ledger: Ledger, *files: Identity, outcome: str = "microdata") -> None:
    for file in files:
        kind = "detected" if outcome == "microdata" else "allowed"
        ledger.saw("r1", file, "d1", outcome, "", kind, Standing.OLD)


def test_old_files_wait_until_a_person_decides_by_date_or_in_bulk(ledger: Ledger) -> None:
    early, late, table = old_file("a", 100.0), old_file("b", 200.0), old_file("t", 150.0)
    seen_old(ledger, early, late)
    seen_old(ledger, table, outcome="aggregate")
    assert ledger.held("r1") == {"microdata": 2}
    assert ledger.decide_old("r1", Standing.RELEASED, 150.0, None, "uid:0", {"event": "e"}) == 1
    assert ledger.unseen("r1", [early, late, table], "d1") == [1]  # only that one is judged again
    assert ledger.held("r1") == {"microdata": 2}  # it waits until it was
    assert ledger.decide_old("r1", Standing.ACCEPTED, None, 150.0, "uid:7", {"event": "e"}) == 1
    assert ledger.contact("r1")["accepted_by"] == "uid:7" and "enforced" not in ledger.contact("r1")
    assert ledger.decide_old("r1", Standing.RELEASED, None, None, "uid:0", {"event": "e"}) == 2
    assert ledger.contact("r1")["enforced"] is True
    events = [e for _, e in ledger.audit_waiting() if e["event"] == "e"]
    assert [e["files"] for e in events] == [1, 1, 2]  # what was accepted, too


def test_old_files_that_are_gone_wait_no_longer(ledger: Ledger) -> None:
    seen_old(ledger, old_file("a", 1.0), old_file("b", 1.0))
    ledger.flush()
    started = time.time()
    assert ledger.unseen("r1", [old_file("a", 1.0)], "d1") == []
    ledger.swept("r1", {"started_at": started, "complete": True}, all_met=True)
    assert ledger.held("r1") == {"microdata": 1}


def test_the_first_complete_sweep_ends_the_first_contact_once(ledger: Ledger) -> None:
    assert ledger.contact("r1") == {"since": 1.0}
    ledger.swept("r1", {"started_at": 1.0, "complete": False})
    assert "ended" not in ledger.contact("r1")
    ledger.swept("r1", {"started_at": 1.0, "complete": True})
    ended = ledger.contact("r1")["ended"]
    ledger.attach(RootRow("r1", "/srv", "shared", "unrestricted", attached_at=99.0))
    ledger.swept("r1", {"started_at": 1.0, "complete": True})
    assert ledger.contact("r1") == {"since": 1.0, "ended": ended}


def test_a_ledger_from_before_first_contact_has_it_behind_it(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "old.db")
    db.executescript(MIGRATIONS[0] + "; PRAGMA user_version = 1;")
    rows = [("r1", b"/srv", '{"complete": true}'), ("r2", b"/new", "{}")]
    sql = "INSERT INTO roots VALUES (?, ?, 'shared', 'unrestricted', '{}', 5.0, NULL, ?)"
    db.executemany(sql, rows)
    db.commit()
    db.close()
    ledger = Ledger.open(tmp_path / "old.db")
    assert ledger.contact("r1")["enforced"] is True
    assert ledger.contact("r2") == {}
    ledger.close()
