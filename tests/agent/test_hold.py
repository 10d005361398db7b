"""What holders are told of a file that somebody waits to open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.hold import patience, standings
from agent.ledger import Ledger
from agent.policy import RootFacts
from agent.protocol import Identity
from agent.schema import RootRow
from agent.volume_facts import VolumeFacts
from agent.volumes import WatchedRoot
from config.settings import Handling, Mode, Zone

ROOT = WatchedRoot(
    "r1",
    "/media/stick",
    RootFacts(Zone.REMOVABLE, Handling.UNRESTRICTED, Mode.ENFORCE),
    VolumeFacts(),
    "volume",
)
FILE = Identity("a/survey.csv", 7, 8, 1000, 5, 6)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.attach(RootRow("r1", "/media/stick", "removable", "unrestricted"))
    return ledger


def test_only_what_was_judged_as_it_is_now_may_be_opened(ledger):
    assert standings(ledger, ROOT, "d", [FILE]) == ["wait"]
    ledger.saw("r1", FILE, "d", "aggregate", "", "allowed")
    others = [replace(FILE, ctime_ns=7), replace(FILE, ino=9), replace(FILE, relpath="b")]
    assert standings(ledger, ROOT, "d", [FILE, *others]) == ["open", "wait", "wait", "wait"]
    assert standings(ledger, ROOT, "another configuration", [FILE]) == ["wait"]


def test_what_belongs_to_another_root_is_not_held(ledger):
    assert standings(ledger, replace(ROOT, others=("/media/stick/a",)), "d", [FILE]) == ["open"]


def test_a_silent_holder_is_killed_before_anybody_waited_too_long():
    assert all(patience(seconds) < seconds for seconds in (2.0, 10.0, 60.0))
