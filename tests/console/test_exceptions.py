"""Exceptions: proposed for false alarms alone, in a scope that the alert tells, shown as what they are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.statements import ScopedException, from_json
from console import desk as deeds
from console import exceptions, papers
from console.exceptions import Wanted
from console.roles import Caller, Forbidden, Role

ANN = Caller("ann", frozenset({Role.ANALYST}))
LAYOUT = "nnnndtnn"


@pytest.fixture
def false_alarm(desk):
    """The id of an alert that Ann found false; its workstation told layout, device and content."""
    agent = desk.agent()
    record = agent.alert(1, path="/srv/returns/a/codes.csv")
    record["unmapped"] |= {"tier": "likely", "layout": LAYOUT}
    desk.send(agent, record, agent.alert(2))
    with desk.database.transaction() as db:
        deeds.decide(db, ANN, ["agent-1-1"], "false_positive", "codes", desk.now)
    return "agent-1-1"


@pytest.fixture
def propose(desk, false_alarm):
    def propose(*wanted, by=ANN, alert=false_alarm):
        with desk.database.transaction() as db:
            approvers = desk.app.state.house.approvers
            return exceptions.propose(db, approvers, by, alert, Wanted(*wanted), desk.now)

    return propose


def test_a_proposal_says_what_the_alert_told_and_excepts_nothing_yet(desk, propose):
    told = propose("layout", False, "folder", 90, " codes of a machine ")
    said = told.statement
    assert isinstance(said, ScopedException) and told.standing == "pending"
    assert (said.layouts, said.content, said.agents) == ((LAYOUT,), (), ("agent-1",))
    assert (said.roots, said.devices) == (("/srv/returns/a",), ())
    assert (said.alert_id, said.decided_by, said.reason) == ("agent-1-1", "ann", "codes of a machine")
    last = datetime.fromtimestamp(desk.now + 90 * 86400, UTC).date().isoformat()
    assert said.valid_until == last
    assert ("ann", "exception_proposed", "alert:agent-1-1") in desk.audited()
    assert propose("content", True, "device", 1, "x").paper.id != told.paper.id


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (("name", False, "anywhere", 90, "x"), "scope"),
        (("content", False, "moon", 90, "x"), "scope"),
        (("content", False, "anywhere", 366, "x"), "days"),
        (("content", False, "anywhere", 0, "x"), "days"),
        (("content", False, "anywhere", 90, "  "), "reason"),
        (("layout", True, "anywhere", 90, "x"), "layout alone"),
    ],
)
def test_what_is_too_wide_too_long_or_without_a_reason_is_not_proposed(propose, wanted, why):
    with pytest.raises(papers.Unfit, match=why):
        propose(*wanted)


def test_only_a_false_alarm_becomes_one_and_only_by_an_analyst(desk, propose, agreed):
    fine = ("content", False, "anywhere", 90, "x")
    with pytest.raises(papers.Unfit, match="false positive"):
        propose(*fine, alert="agent-1-2")
    with pytest.raises(LookupError):
        propose(*fine, alert="nowhere")
    for role in set(Role) - {Role.ANALYST}:
        with pytest.raises(Forbidden):
            propose(*fine, by=Caller("x", frozenset({role})))
    made_by_hand = agreed.exception(desk.now, content=("ab" * 32,), alert_id="agent-1-2")
    with pytest.raises(papers.Unfit, match="no alert"):
        desk.hand_in(agreed.both(made_by_hand))


def test_confirmed_identifiers_offer_no_layout(desk, propose):
    agent = desk.agent("agent-2")
    record = agent.alert(3)
    record["unmapped"] |= {"tier": "confirmed", "layout": LAYOUT}
    desk.send(agent, record)
    with desk.database.transaction() as db:
        deeds.decide(db, ANN, ["agent-2-3"], "false_positive", "", desk.now)
    with pytest.raises(papers.Unfit, match="does not tell"):
        propose("layout", False, "folder", 90, "x", alert="agent-2-3")


def test_pages_lead_from_the_alert_to_force_and_to_the_end(desk, agreed, false_alarm):
    browser = desk.signed_in("bea", Role.ANALYST)
    assert "Propose an exception" in browser.get("/alerts/agent-1-1").text
    assert "Propose an exception" not in browser.get("/alerts/agent-1-2").text
    form = {"csrf": browser.csrf, "scope": "content", "place": "anywhere", "days": "90", "agents": "this"}
    place = browser.post("/alerts/agent-1-1/exception", data={**form, "reason": "<b>codes"}).headers[
        "location"
    ]
    drafted = from_json(browser.get(f"{place}/file").json())
    assert "excepted until" not in browser.get("/alerts?state=all").text
    desk.hand_in(agreed.both(drafted))
    page = browser.get("/exceptions").text
    assert "1 in force, 0 ending soon" in page and "&lt;b&gt;codes" in page and "A. Owner" in page
    assert f"excepted until {drafted.statement().valid_until}" in browser.get("/alerts?state=all").text
    assert place in browser.get("/alerts/agent-1-1").text
    desk.now += 80 * 86400
    browser = desk.signed_in("cei", Role.AUDITOR)
    assert "1 ending soon" in browser.get("/exceptions").text and "ends in 10 days" in browser.get(place).text
    end = from_json(browser.get(f"{place}/revocation", params={"reason": "they are people"}).json())
    assert desk.hand_in(agreed.officer.sign(end)).standing == "revoked"
    assert "they are people" in browser.get(place).text
    assert "excepted until" not in browser.get("/alerts?state=all").text


def test_it_travels_with_its_revocation_until_it_is_over(desk, agreed, propose):
    from agent.paper_bundle import open_bundle
    from console import bundle

    def carried():
        with desk.database.transaction() as db:
            made = bundle.current(db, desk.rules, agreed.approvers, desk.now)
            found = open_bundle(made.document, bundle.public_key(desk.rules)).untrusted_papers
        return [from_json(paper).kind for paper in found]

    drafted = propose("content", True, "anywhere", 30, "x").envelope
    assert carried() == []
    desk.hand_in(agreed.both(drafted))
    assert carried() == ["exception"]
    with desk.database.transaction() as db:
        told = papers.one(db, agreed.approvers, ANN, "exception", drafted.statement().exception_id, desk.now)
    desk.hand_in(agreed.owner.sign(papers.revocation(told, "x", desk.now)))
    assert carried() == ["exception", "revocation"]
    desk.now += 31 * 86400
    assert carried() == []
