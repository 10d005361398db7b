"""Choosing alerts: pages hold each alert once, in the order that an analyst works in."""

from __future__ import annotations

import pytest
from sqlalchemy import event, update

from console.choice import MOST_COUNTED, Choice, page
from console.schema import Alert


@pytest.fixture
def filled(rig):
    agent = rig.agent()
    rig.send(agent, *(agent.alert(n, at=rig.now - n % 7) for n in range(60)))
    with rig.database.transaction() as db:
        ids = [f"agent-1-{n}" for n in range(20)]
        db.execute(
            update(Alert).where(Alert.id.in_(ids)).values(state="decided", determination="true_positive")
        )
    return rig


def test_a_filter_reads_no_row_that_it_leaves_out(filled):
    """Rows are long: reading those of a filter that lets little through took seconds."""
    asked = []
    event.listen(filled.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
    narrow = Choice(zone="website", tier="possible", disposition="error", assignee="nobody")
    with filled.database.transaction() as db:
        page(db, narrow, filled.now)
        ((sql, given),) = [told for told in asked if "alerts" in told[0]]
        plan = str(db.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + sql, given).fetchall())
    assert "USING COVERING INDEX ix_alerts_inbox (state=" in plan, plan


def walk(rig, choice, size=7):
    """The ids of all pages, and their (state, severity, updated)."""
    found = []
    while True:
        with rig.database.transaction() as db:
            got = page(db, choice, rig.now, size)
        found += [(a.id, (a.state, a.severity, a.updated)) for a in got.alerts]
        if not got.following:
            return found
        from urllib.parse import parse_qsl

        choice = Choice.of(dict(parse_qsl(got.following)))


@pytest.mark.parametrize(("state", "number"), [("open", 40), ("decided", 20), ("all", 60), ("closed", 0)])
def test_the_pages_hold_each_alert_once_and_in_order(filled, state, number):
    found = walk(filled, Choice(state=state))
    assert len({i for i, _ in found}) == len(found) == number
    order = [key for _, key in found]
    assert order == sorted(order, reverse=True)


def test_filters_leave_what_fits(filled):
    with filled.database.transaction() as db:
        all_of_them = page(db, Choice(state="all"), filled.now, 500).alerts
        for key in ("zone", "tier", "disposition", "person", "volume", "sha256"):
            value = next(getattr(a, key) for a in all_of_them if getattr(a, key))
            got = page(db, Choice(**{"state": "all", key: value}), filled.now, 500)
            assert {a.id for a in got.alerts} == {a.id for a in all_of_them if getattr(a, key) == value}
            assert got.total == len(got.alerts)


@pytest.mark.parametrize(
    ("q", "number"),
    [("/7/", 1), ("PC-1", 60), ("agent-1-5", 11), ("%", 0), ("_", 60), ("x'--", 0), ("\\", 0)],
)
def test_search_takes_text_as_text(filled, q, number):
    with filled.database.transaction() as db:
        found = page(db, Choice(state="all", q=q), filled.now, 500)
    assert len(found.alerts) == (sum("_" in a.path for a in found.alerts) if q == "_" else number)


def test_a_query_survives_being_written_down():
    from urllib.parse import parse_qsl

    choice = Choice(state="all", q="a&b=c", zone="shared", severity=4, days=7)
    assert Choice.of(dict(parse_qsl(choice.query))) == choice


@pytest.mark.parametrize(
    "after", ["", "x", "~~~", "open~x~1~a", "open~1~nan~a", "open~1~inf~a", "open~9999999999999~1~a"]
)
def test_a_forged_place_is_the_first_page(filled, after):
    with filled.database.transaction() as db:
        assert page(db, Choice(after=after), filled.now).alerts


def test_counting_stops():
    from console.choice import Page

    assert Page([], "", MOST_COUNTED + 1).total_text == "more than 1,000"
