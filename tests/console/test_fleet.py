"""Agents: which have fallen silent, and how far they see."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console import bundle, fleet

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=9), x, max_size=3)
)
KEYS = ["path", "zone", "covered", "swept_at", "files", "backlog", "not_examined", "held"]


def seen(rig, state="all"):
    with rig.database.transaction() as db:
        newest = bundle.newest(db, rig.rules, (), rig.now)
        return fleet.fleet(db, rig.everything, rig.rules, newest, state, "", rig.now)


def test_silent_uncovered_and_revoked_agents_are_told_apart(rig):
    one, two, three = (rig.agent(f"agent-{n}") for n in (1, 2, 3))
    rig.send(one, one.heartbeat(rig.now), to="/api/v1/heartbeats")
    rig.send(two, two.heartbeat(rig.now, covered=False), to="/api/v1/heartbeats")
    from console import enrolment

    with rig.database.transaction() as db:
        enrolment.revoke(db, rig.everything, three.agent, rig.now)
    assert seen(rig).counts == {"all": 2, "silent": 0, "uncovered": 1, "behind": 2, "revoked": 1}
    rig.now += 180 * 60 + 1
    rig.send(one, one.alert(1))
    assert [a.id for a in seen(rig, "silent").agents] == ["agent-2"]
    assert [a.id for a in seen(rig, "uncovered").agents] == ["agent-2"]
    assert seen(rig).versions == [("0.1.0", 2)]


def test_an_agents_configuration_is_the_one_of_its_newest_alert(rig):
    agent = rig.agent()
    rig.send(agent, agent.alert(1))
    assert seen(rig).digests == [("4f3a9c12be77d001", 1)]


def test_pages_follow_each_other(rig, monkeypatch):
    monkeypatch.setattr(fleet, "PAGE", 2)
    for n in range(5):
        rig.agent(f"agent-{n}")
    found, after = [], ""
    with rig.database.transaction() as db:
        while True:
            newest = bundle.newest(db, rig.rules, (), rig.now)
            page = fleet.fleet(db, rig.everything, rig.rules, newest, "all", after, rig.now)
            found += [a.id for a in page.agents]
            if not (after := page.following):
                break
    assert found == [f"agent-{n}" for n in range(5)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    JSON
    | st.fixed_dictionaries(
        {
            "unmapped": st.fixed_dictionaries(
                {"coverage": st.lists(st.dictionaries(st.sampled_from(KEYS), JSON))}
            )
        }
    )
)
def test_no_heartbeat_breaks_the_page(heartbeat):
    for root in fleet.roots_of(heartbeat if isinstance(heartbeat, dict) else {}):
        assert root.files >= 0 and isinstance(root.path, str)


def test_an_agent_that_is_not_there(rig):
    with pytest.raises(LookupError), rig.database.transaction() as db:
        fleet.one(db, rig.everything, "nowhere", rig.now)
