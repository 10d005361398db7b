"""Intake: counted once, in any order, never another agent's, never at the cost of people's decisions."""

from __future__ import annotations

import itertools

import pytest

from console import desk, intake
from console.schema import Alert, Update


def stored(rig, alert="agent-1-1"):
    with rig.database.transaction() as db:
        found = db.get(Alert, alert)
        db.expunge_all()
        return found


def revisions(agent):
    """Three records of one alert, and the last one's disposition."""
    return [
        agent.alert(1, 1, disposition="detected"),
        agent.alert(1, 2, disposition="not_removed"),
        agent.alert(1, 3, disposition="quarantined"),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_highest_revision_is_what_the_alert_is_whatever_the_order(rig, order):
    agent = rig.agent()
    records = revisions(agent)
    for index in order:
        assert rig.send(agent, records[index])["accepted"] == 1
    assert (stored(rig).revision, stored(rig).disposition) == (3, "quarantined")
    with rig.database.transaction() as db:
        assert db.query(Update).count() == 3


def test_a_record_that_comes_again_is_known_alone_or_in_a_batch(rig):
    agent = rig.agent()
    first = agent.alert(1)
    assert rig.send(agent, first, first, agent.alert(2)) == {"accepted": 2, "known": 1, "refused": []}
    assert rig.send(agent, first, agent.alert(3)) == {"accepted": 1, "known": 1, "refused": []}


def test_one_batch_with_all_revisions_keeps_the_last(rig):
    agent = rig.agent()
    assert rig.send(agent, *reversed(revisions(agent)))["accepted"] == 3
    assert stored(rig).revision == 3


def test_a_decision_made_here_outlives_what_the_agent_sends_later(rig):
    agent = rig.agent()
    records = revisions(agent)
    rig.send(agent, records[0])
    with rig.database.transaction() as db:
        desk.decide(db, rig.everything, ["agent-1-1"], "false_positive", "a code book", rig.now)
    rig.send(agent, {**records[2], "verdict_id": 2, "assignee": {"name": "somebody"}, "is_alert": False})
    kept = stored(rig)
    assert (kept.state, kept.determination, kept.decided_by) == ("decided", "false_positive", "setup")
    assert kept.disposition == "quarantined"


def test_a_decision_made_on_the_workstation_is_taken_over(rig):
    agent = rig.agent()
    decided = {**agent.alert(1, 2), "verdict_id": 1, "comment": "a code book", "assignee": {"name": "uid 0"}}
    rig.send(agent, agent.alert(1), {**decided, "is_alert": False, "status_id": 4})
    kept = stored(rig)
    assert (kept.state, kept.determination, kept.decided_on, kept.note) == (
        "decided", "false_positive", "agent", "a code book",
    )  # fmt: skip


def test_an_id_belongs_to_whoever_told_it_first(rig):
    one, other = rig.agent("agent-1"), rig.agent("agent-2")
    rig.send(one, one.alert(1))
    theft = {**one.alert(1, 9), "device": {"uid": other.agent, "hostname": "x"}}
    assert rig.send(other, theft, other.alert(1)) == {
        "accepted": 1, "known": 0, "refused": [{"index": 0, "code": "other_agents"}],
    }  # fmt: skip
    assert stored(rig).revision == 1


def test_a_refused_record_does_not_hold_back_its_neighbours(rig):
    agent = rig.agent()
    told = rig.send(
        agent, {"class_uid": 2006}, agent.heartbeat(), agent.alert(1), {**agent.alert(2), "device": {}}
    )
    assert told["accepted"] == 1
    assert [r["code"] for r in told["refused"]] == ["wrong_device", "wrong_class", "wrong_device"]


def test_of_heartbeats_the_newest_counts(rig):
    agent = rig.agent()
    late, early = agent.heartbeat(rig.now, covered=False), agent.heartbeat(rig.now - 60)
    told = [rig.send(agent, r, to="/api/v1/heartbeats") for r in (late, early, late)]
    assert [(t["accepted"], t["known"]) for t in told] == [(1, 0), (0, 1), (0, 1)]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"records":[]}', b'{"records":{}}', b"\xff", b"[" * 99999]
)
def test_a_body_that_is_none_is_malformed(rig, body):
    agent = rig.agent()
    answer = rig.browser().post(
        "/api/v1/alerts", content=body, headers=agent.headers("/api/v1/alerts", body, rig.now)
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


def test_a_batch_has_a_bound(rig):
    assert intake.MOST_RECORDS == 200
    agent = rig.agent()
    from made_up_agents import body_of

    body = body_of([agent.alert(n) for n in range(201)])
    answer = rig.browser().post(
        "/api/v1/alerts", content=body, headers=agent.headers("/api/v1/alerts", body, rig.now)
    )
    assert answer.status_code == 400
