"""The bundle of papers: what two people signed and what is not over, under a serial that only grows."""

from __future__ import annotations

import stat
from dataclasses import replace as with_other

import pytest

from agent.paper_bundle import MOST_PAPERS, open_bundle
from agent.statements import Release, Revocation, from_json, seal
from console import bundle
from console.roles import Role
from console.schema import Agent, Bundle

DAY = 86400.0


def opened(desk, document):
    return open_bundle(document, bundle.public_key(desk.rules))


def newest(desk):
    with desk.database.transaction() as db:
        found = bundle.current(db, desk.rules, desk.app.state.house.approvers, desk.now)
        return opened(desk, found.document)


def named(found):
    return [from_json(paper).kind for paper in found.untrusted_papers]


def fetch(desk, agent, after=0):
    target = f"/api/v1/bundle?after={after}"
    return desk.browser().get(target, headers=agent.headers(target, b"", desk.now, method="GET"))


def test_only_what_two_people_signed_is_in_it_and_the_revocation_with_it(desk, agreed, draft):
    desk.hand_in(agreed.owner.sign(draft))
    empty = newest(desk)
    assert empty.untrusted_papers == () and empty.serial >= int(desk.now)
    desk.now += 1
    desk.hand_in(agreed.officer.sign(draft))
    full = newest(desk)
    assert full.untrusted_papers == (agreed.both(draft).to_json(),) and full.serial > empty.serial
    said = Revocation(agreed.agreement_id, draft.digest, "given up", int(desk.now))
    desk.hand_in(agreed.owner.sign(seal(said)))
    assert named(newest(desk)) == ["agreement", "revocation"] and newest(desk).serial > full.serial
    assert [a for _, a, _ in desk.audited()].count("bundle_made") == 3


def test_nothing_new_makes_no_new_bundle_and_what_is_over_leaves_it(desk, agreed, draft):
    desk.hand_in(agreed.both(draft))
    asked = Release(
        "req-0001", "host", "entry", "0" * 64, 10, "age1made-up", "/srv/x.csv", "root", "agreement", "DAA-1",
        "somebody", "a study", "analyst", int(desk.now), int(desk.now + DAY / 24), int(desk.now + 9 * DAY),
    )  # fmt: skip
    desk.hand_in(agreed.both(seal(asked)))
    first = newest(desk)
    assert named(first) == ["agreement", "release"] and newest(desk) == first
    desk.now += DAY / 24 + 1
    second = newest(desk)
    assert named(second) == ["agreement"] and second.serial > first.serial
    desk.now += 2 * DAY
    assert newest(desk) == second
    desk.now += 400 * DAY
    assert named(newest(desk)) == []


def test_an_approver_who_is_gone_takes_the_paper_with_them(desk, agreed, draft):
    desk.hand_in(agreed.both(draft))
    first = newest(desk)
    desk.app.state.house = with_other(desk.app.state.house, approvers=agreed.approvers[:1])
    assert newest(desk).untrusted_papers == () and newest(desk).serial > first.serial


def test_the_serial_never_goes_back_whatever_the_clock_does_or_a_backup_brings(desk, agreed, draft):
    desk.now += 100
    first = newest(desk).serial
    desk.now -= 5000
    desk.hand_in(agreed.both(draft))
    second = newest(desk).serial
    assert second == first + 1
    desk.now += 90_000
    with desk.database.transaction() as db:  # as after an older copy of the database was put back
        row = db.get_one(Bundle, 1)
        row.serial, row.basis = first - 50, ""
    assert newest(desk).serial == int(desk.now) > second


def test_the_key_is_made_once_and_is_the_consoles_alone(desk):
    key = bundle.public_key(desk.rules)
    file = desk.rules.folder / "bundle-key.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and bundle.public_key(desk.rules) == key
    assert sorted(p.name for p in desk.rules.folder.iterdir() if "key" in p.name) == ["bundle-key.pem"]


def test_an_agent_gets_it_by_a_signed_request_and_only_if_it_is_newer(desk, agreed, draft):
    agent, other = desk.agent(), desk.agent("agent-2")
    desk.hand_in(agreed.both(draft))
    answer = fetch(desk, agent)
    found = opened(desk, answer.content)
    assert named(found) == ["agreement"]
    assert fetch(desk, agent, found.serial).status_code == 204
    target = "/api/v1/bundle?after=0"
    stranger = {**agent.headers(target, b"", desk.now, method="GET"), "Recordwarden-Agent": other.agent}
    assert desk.browser().get(target, headers=stranger).json()["error"] == "bad_signature"
    for wrong in ("-1", "x", str(2**53)):
        assert fetch(desk, agent, wrong).status_code == 422


def test_a_workstation_hears_of_its_own_requests_only(desk, agreed, draft):
    """Whose file goes where is nobody else's business."""
    desk.hand_in(agreed.both(draft))
    for number, host in enumerate(("agent-1", "agent-2")):
        asked = Release(
            f"req-000{number}", host, "entry", "0" * 64, 10, "age1made-up", "/srv/x.csv", "root",
            "agreement", "DAA-1", "somebody", "a study", "analyst", int(desk.now), int(desk.now + DAY),
            int(desk.now + 9 * DAY),
        )  # fmt: skip
        desk.hand_in(agreed.both(seal(asked)))
    for name in ("agent-1", "agent-2"):
        found = opened(desk, fetch(desk, desk.agent(name)).content)
        assert named(found) == ["agreement", "release"] and found.serial == newest(desk).serial
        assert from_json(found.untrusted_papers[1]).statement().host_id == name
    assert len(newest(desk).untrusted_papers) == 3


def test_the_page_says_who_is_behind_and_who_refuses(desk, agreed, draft):
    agents = [desk.agent(f"agent-{n}") for n in range(3)]
    browser = desk.signed_in("adam", Role.ADMINISTRATOR)
    serial = newest(desk).serial
    for agent in agents[:2]:
        fetch(desk, agent, serial)
    behind = browser.get("/agents?state=behind").text
    assert "agent-2" in behind and "agent-1" not in behind and "none yet" in behind
    desk.hand_in(agreed.both(draft))
    assert "agent-1" in browser.get("/agents?state=behind").text
    beat = agents[0].heartbeat(desk.now)
    told = {"serial": newest(desk).serial, "refused": 2, "fault": "<b>older", "made_at": 1}
    beat["unmapped"]["papers"] = told
    desk.send(agents[0], beat, to="/api/v1/heartbeats")
    page = browser.get("/agents").text
    assert "2 refused" in page and "current" in page and bundle.public_key(desk.rules) in page
    assert "the last try: &lt;b&gt;older" in browser.get("/agents/agent-0").text
    serial = newest(desk).serial
    with desk.database.transaction() as db:
        assert db.get_one(Agent, "agent-0").bundle == serial


def test_it_is_downloaded_for_a_network_without_a_link(desk, agreed, draft):
    desk.hand_in(agreed.both(draft))
    page = desk.signed_in("ann", Role.ANALYST).get("/agreements/bundle")
    call = desk.browser().get("/api/v1/papers/bundle", headers=desk.token("bob", Role.AUDITOR))
    assert page.content == call.content and opened(desk, page.content) == newest(desk)
    assert page.headers["content-disposition"] == f'attachment; filename="papers-{newest(desk).serial}.json"'
    assert [who for who, what, _ in desk.audited() if what == "bundle_downloaded"] == ["ann", "bob"]


def test_more_papers_than_a_bundle_holds_keep_the_last_one_and_are_told(desk, monkeypatch):
    first = newest(desk)
    monkeypatch.setattr(bundle, "_papers", lambda *_: ([{}] * (MOST_PAPERS + 1), desk.now + DAY))
    with desk.database.transaction() as db:
        bundle.outdate(db)
    answer = desk.browser().get("/api/v1/papers/bundle", headers=desk.token("bob", Role.AUDITOR))
    assert (answer.status_code, answer.json()["error"]) == (503, "no_bundle")
    browser = desk.signed_in("adam", Role.ADMINISTRATOR)
    assert str(first.serial) in browser.get("/agents").text


@pytest.mark.parametrize("kept", [False, True])
def test_a_lost_key_is_made_anew_and_signs_a_bundle_of_its_own(desk, kept):
    first = newest(desk)
    if not kept:
        (desk.rules.folder / "bundle-key.pem").unlink()
    assert (newest(desk).serial > first.serial) is not kept
