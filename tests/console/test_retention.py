"""Erasure by age: old and decided goes, open stays, and what came is not counted anew."""

from __future__ import annotations

import pytest

from config.console import Console
from console import desk, retention
from console.schema import Alert

DAY = 86400


@pytest.fixture
def filled(rig):
    agent = rig.agent()
    rig.send(
        agent, *(agent.alert(n, at=rig.now - 100 * DAY) for n in range(4)), agent.alert(9, at=rig.now - DAY)
    )
    with rig.database.transaction() as db:
        desk.decide(db, rig.everything, ["agent-1-0", "agent-1-1", "agent-1-9"], "true_positive", "", rig.now)
    return rig, agent


def left(rig):
    with rig.database.transaction() as db:
        return sorted(id_ for (id_,) in db.query(Alert.id))


def test_what_is_decided_and_old_goes(filled):
    rig, agent = filled
    with rig.database.transaction() as db:
        assert retention.erase(db, rig.everything, 30, rig.now) == 2
    assert left(rig) == ["agent-1-2", "agent-1-3", "agent-1-9"]
    assert rig.send(agent, agent.alert(0, at=rig.now - 100 * DAY)) == {
        "accepted": 0,
        "known": 1,
        "refused": [],
    }
    assert ("setup", "alerts_erased", "") in rig.audited()


def test_nothing_of_an_erased_alert_is_left_in_its_table(filled):
    rig, _ = filled
    from sqlalchemy import text

    with rig.database.transaction() as db:
        retention.erase(db, rig.everything, 30, rig.now)
        rows = db.execute(
            text("SELECT disposition, reason, status FROM updates WHERE alert = 'agent-1-0'")
        ).all()
    assert rows == [("", "", "")]


def test_it_happens_by_itself_where_the_rules_say_so(filled):
    rig, _ = filled
    retention.tidy(rig.database, rig.rules, rig.now)
    assert len(left(rig)) == 5
    retention.tidy(rig.database, Console(retention_days=30), rig.now)
    assert len(left(rig)) == 3
    assert ("retention", "alerts_erased", "") in rig.audited()


@pytest.mark.parametrize("days", [0, -1, 36501])
def test_an_age_that_cannot_be_meant(filled, days):
    rig, _ = filled
    with pytest.raises(retention.Unfit), rig.database.transaction() as db:
        retention.erase(db, rig.everything, days, rig.now)
