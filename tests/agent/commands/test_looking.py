"""What is known stays to be seen when the service is down."""

from __future__ import annotations

import shutil

import pytest

from agent.commands import looking
from agent.errors import LedgerTrouble, NotFound
from config.settings import Settings


@pytest.fixture
def stopped(running, tmp_path):
    """The state of the running service as it would be found after it died."""
    state = tmp_path / "state"
    state.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        if (running.settings.state_dir / name).exists():
            shutil.copy(running.settings.state_dir / name, state / name)
    return Settings(state_dir=state)


def test_entries_and_alerts_are_read_from_the_ledger(stopped):
    entries = looking.entries(stopped, ["quarantined", "restored"])
    assert {e["path"].rpartition("/")[2] for e in entries} == {"survey_2026.csv", "staff.zip"}
    alerts = looking.alerts(stopped, 100, False)
    assert {a["alert_id"] for a in alerts} == {e["alert_id"] for e in entries}


def test_one_is_found_by_the_start_of_its_id(stopped):
    entry = looking.entries(stopped, ["quarantined", "restored"])[0]
    assert looking.entry(stopped, entry["entry_id"][:8])["entry_id"] == entry["entry_id"]
    assert looking.alert(stopped, entry["alert_id"][:8])["record"]["class_uid"] == 2006
    for unknown in ("ffffffff", "%", "'"):
        with pytest.raises(NotFound):
            looking.entry(stopped, unknown)
    with pytest.raises(NotFound, match="more than one"):
        looking.entry(stopped, "")


def test_a_damaged_ledger_is_trouble_and_no_traceback(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"no ledger at all" * 100)
    with pytest.raises(LedgerTrouble):
        looking.alerts(Settings(state_dir=tmp_path), 1, False)
