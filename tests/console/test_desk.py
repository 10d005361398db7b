"""What people do with alerts, each deed with its entry in the audit."""

from __future__ import annotations

import pytest

from console import desk
from console.choice import Choice
from console.roles import Caller, Role

ANN = Caller("ann", frozenset({Role.ANALYST}))


@pytest.fixture
def filled(rig):
    agent = rig.agent()
    rig.send(agent, *(agent.alert(n) for n in range(12)))
    rig.signed_in("ann", Role.ANALYST)
    rig.signed_in("ora", Role.AUDITOR)
    return rig


def test_several_are_decided_together_or_not_at_all(filled):
    with filled.database.transaction() as db:
        assert len(desk.decide(db, ANN, ["agent-1-1", "agent-1-2"], "true_positive", "", filled.now)) == 2
    with pytest.raises(LookupError), filled.database.transaction() as db:
        desk.decide(db, ANN, ["agent-1-3", "nowhere"], "true_positive", "", filled.now)
    with filled.database.transaction() as db:
        assert desk.look(db, ANN, "agent-1-3", filled.now).state == "open"
    told = [entry for entry in filled.audited() if entry[1] == "alert_decided"]
    assert told == [("ann", "alert_decided", "alert:agent-1-1"), ("ann", "alert_decided", "alert:agent-1-2")]


@pytest.mark.parametrize(
    ("word", "note"), [("yes", ""), ("", ""), ("authorised", " "), ("true_positive", "x" * 4001)]
)
def test_what_is_no_determination_is_unfit(filled, word, note):
    with pytest.raises(desk.Unfit), filled.database.transaction() as db:
        desk.decide(db, ANN, ["agent-1-1"], word, note, filled.now)


def test_a_decision_can_be_taken_back_and_both_stay_on_record(filled):
    with filled.database.transaction() as db:
        desk.decide(db, ANN, ["agent-1-1"], "inconclusive", "who knows", filled.now)
        alert = desk.reopen(db, ANN, "agent-1-1", filled.now + 1)
        assert (alert.state, alert.determination, alert.note) == ("open", None, None)
    with filled.database.transaction() as db:
        steps = [step.what for step in desk.timeline(db, alert)]
    assert [s for s in steps if s.startswith("alert")] == ["alert decided", "alert reopened"]


def test_only_those_who_may_decide_can_be_put_on_it(filled):
    with filled.database.transaction() as db:
        desk.assign(db, ANN, ["agent-1-1"], "ann", filled.now)
        for other in ("ora", "nobody-of-that-name"):
            with pytest.raises(desk.Unfit):
                desk.assign(db, ANN, ["agent-1-1"], other, filled.now)
        assert desk.look(db, ANN, "agent-1-1", filled.now).assignee == "ann"
        desk.assign(db, ANN, ["agent-1-1"], "", filled.now)
        assert desk.look(db, ANN, "agent-1-1", filled.now).assignee is None


def test_related_alerts_say_what_they_share(filled):
    with filled.database.transaction() as db:
        alert = desk.look(db, ANN, "agent-1-5", filled.now)
        found = {r.alert.id: r.why for r in desk.related(db, alert)}
    assert "same content" in found["agent-1-10"] and "same person" not in found["agent-1-10"]
    assert "agent-1-5" not in found and all(found.values())


def test_every_look_is_told_to_the_audit(filled):
    with filled.database.transaction() as db:
        desk.inbox(db, ANN, Choice(q="returns"), filled.now)
        desk.look(db, ANN, "agent-1-1", filled.now)
        desk.custody(db, ANN, filled.now)
    told = [(action, subject) for actor, action, subject in filled.audited() if actor == "ann"]
    assert told[-3:] == [("alerts_listed", ""), ("alert_viewed", "alert:agent-1-1"), ("custody_viewed", "")]


def test_views_are_each_persons_own(filled):
    bob = Caller("ora", frozenset({Role.AUDITOR}))
    with filled.database.transaction() as db:
        desk.save_view(db, ANN, "  sticks \n", Choice(zone="removable"), filled.now)
        assert [(v.name, v.query) for v in desk.saved_views(db, ANN)] == [("sticks", "zone=removable")]
        assert desk.saved_views(db, bob) == []
        with pytest.raises(LookupError):
            desk.forget_view(db, bob, "sticks", filled.now)
        desk.forget_view(db, ANN, "sticks", filled.now)
        assert desk.saved_views(db, ANN) == []
