"""Folders that need no look: remembered as they were, and forgotten when anything about them may matter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.ledger import Ledger
from agent.protocol import Identity, folder_key

FILE = Identity("in/deep/f", 1, 2, 3, 4, 5)
FOLDER = (folder_key("in/deep"), "ab" * 16)
OTHER = (folder_key("in"), "cd" * 16)


@pytest.fixture
def ledger(tmp_path):
    with_path = Ledger.open(tmp_path / "ledger.db")
    with_path.path = tmp_path / "ledger.db"
    yield with_path
    with_path.close()


def test_a_folder_is_known_as_it_was_and_under_the_judge_that_knew_it(ledger):
    assert ledger.unknown_folders("r", "judge", [FOLDER, OTHER]) == [0, 1]
    ledger.know_folders("r", "judge", [FOLDER])
    assert ledger.unknown_folders("r", "judge", [FOLDER, OTHER]) == [1]
    assert ledger.unknown_folders("r", "judge", [(FOLDER[0], "ef" * 16)]) == [0]
    assert ledger.unknown_folders("r", "another judge", [FOLDER]) == [0]
    assert ledger.unknown_folders("another root", "judge", [FOLDER]) == [0]


def test_it_outlives_the_service(ledger):
    ledger.know_folders("r", "judge", [FOLDER])
    ledger.flush()
    again = Ledger.open(ledger.path)
    assert again.unknown_folders("r", "judge", [FOLDER]) == []
    again.close()


@pytest.mark.parametrize("flushed", [True, False])
def test_a_judgement_or_a_wish_to_judge_anew_makes_its_folder_unknown(ledger, flushed):
    for doubt in (
        lambda: ledger.saw("r", FILE, "judge", "unreadable", "timeout", "error"),
        lambda: ledger.forget("r", FILE.relpath),
    ):
        ledger.know_folders("r", "judge", [FOLDER, OTHER])
        if flushed:
            ledger.flush()
        doubt()
        assert 0 in ledger.unknown_folders("r", "judge", [FOLDER, OTHER])
        ledger.flush()
        assert 0 in ledger.unknown_folders("r", "judge", [FOLDER, OTHER])


@pytest.mark.parametrize("sql", ["DELETE FROM seen", "UPDATE seen SET digest = ''"])
def test_whoever_has_files_judged_again_need_not_know_of_folders(ledger, sql):
    ledger.saw("r", FILE, "judge", "no_records", "", "allowed")
    ledger.know_folders("r", "judge", [FOLDER])
    ledger.know_folders("another", "judge", [FOLDER])
    ledger.flush()
    ledger._db.execute(sql)
    assert ledger.unknown_folders("r", "judge", [FOLDER]) == [0]
    assert ledger.unknown_folders("another", "judge", [FOLDER]) == []


def test_a_folder_that_could_not_be_listed_whole_is_never_known(ledger):
    ledger.know_folders("r", "judge", [(FOLDER[0], "")])
    assert ledger.unknown_folders("r", "judge", [(FOLDER[0], "")]) == [0]


def test_what_is_counted_only_while_it_is_met_is_not_quiet(ledger):
    other = replace(FILE, relpath="in/deep/g")
    ledger.saw("r", FILE, "judge", "no_records", "", "allowed")
    assert ledger.meet("r", [FILE], "judge") == ([], True)
    assert ledger.meet("r", [FILE, other], "judge") == ([1], False)
    ledger.saw("r", other, "judge", "unreadable", "unsupported", "error")
    assert ledger.meet("r", [FILE, other], "judge") == ([], False)
