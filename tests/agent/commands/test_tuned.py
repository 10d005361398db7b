"""Commands judge by the fleet's tuning as far as whoever types them may know it."""

from __future__ import annotations

import time

import pytest

from agent.agreements import Agreements
from agent.commands.tuned import in_force, load_tuned
from agent.ledger import Ledger
from agent.tuning import FleetTuning
from config.settings import Settings


@pytest.fixture
def state(tmp_path, agreed):
    """A configuration whose service is down; its ledger holds a tuning that was adopted."""
    config = tmp_path / "config.toml"
    config.write_text(f'state_dir = "{tmp_path}"\n{agreed.owner.stanza()}{agreed.officer.stanza()}')
    ledger = Ledger.open(tmp_path / "ledger.db")
    local = Settings(approvers=agreed.approvers)
    paper = agreed.both(agreed.tuning(time.time(), "[detectors.row_subject]\nbonus = 1"))
    Agreements(ledger, lambda: local.approvers).hand_in(paper, "uid:0")
    FleetTuning(ledger, "", local).adopt(local, lambda settings: None)
    ledger.close()
    return config


def test_with_the_service_down_its_ledger_tells(state):
    settings = load_tuned(state)
    assert in_force(settings)[0] == "TUN-made-up-1"
    assert settings.detectors == {"row_subject": {"bonus": 1}}


def test_without_a_ledger_the_configuration_is_all(state):
    (state.parent / "ledger.db").unlink()
    assert load_tuned(state).detectors == {}
