"""Who takes the protection away is told of before the courier ends; whoever only restarts it is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import ending
from agent.ending import REMOVED, STOPPED, begin, end, ended_by, is_for_good, tell_back, tell_end
from agent.ledger import Ledger
from agent.telling import Host

UNIT = "recordwarden.service"
STOP = f"812 {UNIT} stop running\n"
HOST = Host("h", "desk")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


@pytest.mark.parametrize(
    ("jobs", "for_good"),
    [
        (STOP, True),
        (STOP + "813 rescue.target start waiting\n", True),
        (STOP + "813 shutdown.target start waiting\n814 reboot.target start waiting\n", False),
        (f"812 {UNIT} restart running\n", False),
        ("812 another.service stop running\n", False),
        ("No jobs running.\n", False),
        ("", False),
    ],
)
def test_a_stop_is_for_good_unless_it_is_a_restart_a_signal_or_the_end_of_the_machine(
    jobs: str, for_good: bool
) -> None:
    assert is_for_good(jobs, UNIT) is for_good


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one that the service finds when it asks."""
    command = tmp_path / "bin" / "systemctl"
    command.parent.mkdir()
    command.write_text('#!/bin/sh\necho "$*: a stop"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent))
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/nowhere")
    monkeypatch.setattr(ending, "REMOVING", tmp_path / "removing")
    return command


def test_only_systemds_service_asks_why_it_ends(systemctl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET")
    assert ended_by() is None


def test_a_removal_is_told_apart_from_a_stop(systemctl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "is_for_good", lambda jobs, unit: "list-jobs" in jobs and "a stop" in jobs)
    assert ended_by() == STOPPED
    ending.REMOVING.touch()
    assert ended_by() == REMOVED


def test_a_restart_tells_nothing_and_no_answer_counts_as_a_stop(systemctl: Path) -> None:
    systemctl.write_text("#!/bin/sh\n")
    assert ended_by() is None
    systemctl.write_text("#!/bin/sh\nexit 1\n")
    assert ended_by() == STOPPED
    systemctl.unlink()
    assert ended_by() == STOPPED


def test_it_is_one_alert_that_the_next_start_closes(ledger: Ledger) -> None:
    tell_back(ledger, HOST, ["file"])
    assert ledger.alerts() == []
    tell_end(ledger, HOST, STOPPED, ["file"])
    [letter] = ledger.due("file", 1e12, 10)
    assert letter.record["is_alert"] and letter.record["status_detail"] == STOPPED
    tell_back(ledger, HOST, ["file"])
    tell_back(ledger, HOST, ["file"])
    [row] = ledger.alerts()
    assert (row.record["status"], row.revision) == ("Resolved", 2)
    tell_end(ledger, HOST, REMOVED, ["file"])
    [row] = ledger.alerts()
    assert row.record["is_alert"] and row.record["status_detail"] == REMOVED


def test_a_run_that_was_cut_off_is_known_to_the_next_one(ledger: Ledger) -> None:
    assert not begin(ledger, "audit")
    assert begin(ledger, "audit")
    end(ledger)
    assert not begin(ledger, "audit")
