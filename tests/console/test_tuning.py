"""Tuning of detectors: proposed by an administrator, signed elsewhere, shown for what it may find less by."""

from __future__ import annotations

import pytest

from agent.paper_bundle import open_bundle
from agent.statements import from_json
from console import bundle, papers, trial, tuning
from console.fleet import tuning_of
from console.roles import Caller, Forbidden, Role
from console.tuning import Wanted

ROOT = Caller("root", frozenset({Role.ADMINISTRATOR}))
ANN = Caller("ann", frozenset({Role.ANALYST}))
WORDS = '[detectors.row_subject]\nwords_person = ["disgybl"]'
LESS = "[detectors.named_people]\nenabled = false"


@pytest.fixture(autouse=True)
def tried(monkeypatch):
    """What the detectors were asked, and answered at once: `console.trial` has its own test."""
    asked = []

    def fault_of(stanzas):
        asked.append(stanzas)
        return "detectors.made_up: unknown key" if "made_up" in stanzas else ""

    monkeypatch.setattr(trial, "fault_of", fault_of)
    return asked


@pytest.fixture
def propose(desk):
    def propose(settings, *, by=ROOT, **more):
        with desk.database.transaction() as db:
            wanted = Wanted(settings, more.pop("reason", "Welsh headers"), **more)
            return tuning.propose(db, desk.app.state.house.approvers, by, wanted, desk.now)

    return propose


def carried(desk, agreed):
    with desk.database.transaction() as db:
        made = bundle.current(db, desk.rules, agreed.approvers, desk.now)
        found = open_bundle(made.document, bundle.public_key(desk.rules)).untrusted_papers
    return [from_json(paper).kind for paper in found]


def test_it_travels_once_two_have_signed_and_its_revocation_with_it(desk, agreed, propose):
    told = propose(WORDS, agents=("agent-1",))
    said = told.statement
    assert (told.standing, said.agents, said.reason) == ("pending", ("agent-1",), "Welsh headers")
    assert said.stanzas == {"row_subject": {"words_person": ["disgybl"]}}
    assert ("root", "tuning_proposed", f"tuning:{said.tuning_id}") in desk.audited()
    assert desk.hand_in(agreed.owner.sign(told.envelope), Role.ADMINISTRATOR).standing == "pending"
    assert carried(desk, agreed) == []
    assert desk.hand_in(agreed.both(told.envelope), Role.ADMINISTRATOR).standing == "in_force"
    assert carried(desk, agreed) == ["tuning"]
    end = agreed.owner.sign(papers.revocation(told, "too many", desk.now))
    assert desk.hand_in(end, Role.ADMINISTRATOR).standing == "revoked"
    assert carried(desk, agreed) == ["tuning", "revocation"]


@pytest.mark.parametrize(
    ("settings", "more", "why"),
    [
        ("[policy]\nmode = 'audit'", {}, "each machine's own"),
        ("not TOML", {}, "TOML"),
        ("[detectors.made_up]\nx = 1", {}, "unknown key"),
        (WORDS, {"reason": " "}, "reason"),
        (WORDS, {"review_days": 0}, "five years"),
        (WORDS, {"review_days": 9999}, "five years"),
        (WORDS, {"agents": ("a b",)}, "by their ids"),
        (WORDS + "\n# \u202e", {}, "shows as itself"),
    ],
)
def test_nobody_is_asked_to_sign_what_no_workstation_would_take(propose, settings, more, why):
    with pytest.raises(papers.Unfit, match=why):
        propose(settings, **more)


def test_what_was_tried_before_is_not_tried_for_each_signature(desk, agreed, propose, tried):
    told = propose(WORDS)
    desk.hand_in(agreed.both(told.envelope))
    assert len(tried) == 1


def test_only_an_administrator_proposes_and_hands_in_no_other_paper(desk, agreed, propose, draft):
    for role in set(Role) - {Role.ADMINISTRATOR}:
        with pytest.raises(Forbidden):
            propose(WORDS, by=Caller("x", frozenset({role})))
    for paper in (draft, agreed.both(draft)):
        with pytest.raises(Forbidden):
            desk.hand_in(paper, Role.ADMINISTRATOR)
    told = desk.hand_in(agreed.both(draft))
    with pytest.raises(Forbidden):
        desk.hand_in(agreed.owner.sign(papers.revocation(told, "x", desk.now)), Role.ADMINISTRATOR)
    browser = desk.signed_in("root", Role.ADMINISTRATOR)
    assert browser.get("/papers/agreement/DAA-made-up-1").status_code == 403
    assert browser.get("/agreements").status_code == 403


def test_a_request_is_not_revoked(desk, agreed):
    from types import SimpleNamespace

    with pytest.raises(papers.Unfit, match="ends by itself"):
        papers.revocation(SimpleNamespace(paper=SimpleNamespace(kind="release")), "x", desk.now)


def test_pages_lead_from_the_proposal_to_force_and_to_the_end(desk, agreed):
    browser = desk.signed_in("root", Role.ADMINISTRATOR)
    form = {"csrf": browser.csrf, "settings": LESS, "reason": "<b>noise", "agents": "", "review_days": "90"}
    place = browser.post("/tuning", data=form).headers["location"]
    page = browser.get(place).text
    assert "[detectors.named_people]\nenabled = false" in page and "&lt;b&gt;noise" in page
    drafted = from_json(browser.get(f"{place}/file").json())
    desk.hand_in(agreed.both(drafted))
    desk.now += 60
    newer = browser.post("/tuning", data={**form, "settings": WORDS}).headers["location"]
    assert "superseded" not in browser.get("/tuning").text
    desk.hand_in(agreed.both(from_json(browser.get(f"{newer}/file").json())))
    page = browser.get("/tuning").text
    assert page.count("superseded") == 1 and page.index(newer) < page.index(place)
    assert "named_people.<wbr>enabled" in page and "it only adds" in page and "every workstation" in page
    end = from_json(browser.get(f"{newer}/revocation", params={"reason": "too many"}).json())
    assert desk.hand_in(agreed.officer.sign(end)).standing == "revoked"
    assert "superseded" not in browser.get("/tuning").text


def test_the_page_agents_says_which_tuning_each_has_and_what_it_refused(desk):
    agent = desk.agent()
    beat = agent.heartbeat(desk.now)
    beat["unmapped"] |= {
        "config_digest": "ab" * 32,
        "tuning": {
            "id": "TUN-<b>1", "may_find_less": ["named_people.enabled"],
            "refused": {"TUN-2": "wrong_settings"},
        },
    }  # fmt: skip
    desk.send(agent, beat, to="/api/v1/heartbeats")
    browser = desk.signed_in("root", Role.ADMINISTRATOR)
    listed, one = browser.get("/agents").text, browser.get("/agents/agent-1").text
    assert "TUN-&lt;b&gt;1" in listed and "1 refused" in listed and "abababab" in listed
    assert "may find less by named_people.enabled" in one and "refused TUN-2: wrong_settings" in one


@pytest.mark.parametrize(
    "told",
    [None, 1, [], {"id": 1}, {"may_find_less": 1, "refused": []}, {"may_find_less": [1], "refused": 2}],
)
def test_a_heartbeat_that_is_not_as_it_should_be_tells_of_no_tuning(told):
    found = tuning_of({"unmapped": {"tuning": told}})
    assert (found.id, found.may_find_less, found.refused) == ("", [], [])
    assert tuning_of({"unmapped": []}).id == ""
