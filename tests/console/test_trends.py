"""Counting: every alert in every chart once, and detectors by how often they were wrong."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from console import desk, trends

DAY = 86400


@pytest.fixture
def filled(rig):
    agent = rig.agent()
    rig.send(agent, *(agent.alert(n, at=rig.now - n * DAY) for n in range(40)))
    with rig.database.transaction() as db:
        desk.decide(db, rig.everything, ["agent-1-1", "agent-1-2"], "true_positive", "", rig.now)
        desk.decide(db, rig.everything, ["agent-1-3"], "false_positive", "", rig.now)
    return rig


@pytest.mark.parametrize(("days", "number"), [(7, 8), (30, 31), (90, 40), (365, 40)])
def test_every_alert_of_the_span_is_in_each_chart_once(filled, days, number):
    with filled.database.transaction() as db:
        found = trends.trends(db, filled.everything, days, filled.now)
    assert found.total == number
    for bars in (found.over_time, found.zones, found.tiers, found.dispositions, found.determinations):
        assert sum(bar.total for bar in bars) == number


def test_counting_reads_no_row(filled):
    """Rows are long: reading them took seconds where there are many."""
    asked = []
    event.listen(filled.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
    with filled.database.transaction() as db:
        trends.trends(db, filled.everything, 30, filled.now)
        counts = [told for told in asked if "count(" in told[0]]
        for sql, given in counts:
            plan = str(db.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + sql, given).fetchall())
            assert "USING COVERING INDEX ix_alerts_first_seen (first_seen>" in plan, plan
    assert len(counts) == 5


def test_days_without_alerts_are_there(filled):
    with filled.database.transaction() as db:
        found = trends.trends(db, filled.everything, 30, filled.now + 10 * DAY)
    assert len(found.over_time) == 31 and [b.total for b in found.over_time][-10:] == [0] * 10


def test_a_detectors_rate_is_of_what_was_decided_as_true_or_false(filled):
    with filled.database.transaction() as db:
        found = trends.trends(db, filled.everything, 90, filled.now)
        spoke = {d.name: d for d in found.detectors}
        sets = {
            i: desk.look(db, filled.everything, f"agent-1-{i}", filled.now).detectors.split()
            for i in (1, 2, 3)
        }
    for name, detector in spoke.items():
        assert detector.decided == sum(name in names for names in sets.values())
        assert detector.false == (name in sets[3])
        assert detector.rate == (detector.false / detector.decided if detector.decided else None)
