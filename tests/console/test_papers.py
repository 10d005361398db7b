"""Agreements and requests in the console: signatures count, accounts do not; nothing forged is taken."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace as with_other

import pytest

from agent.statements import Release, Revocation, Terms, seal
from console import papers
from console.roles import Caller, Role

DAY = 86400.0


@pytest.fixture
def desk(rig, agreed):
    """The console with an owner and an officer in its configuration."""
    rig.app.state.house = with_other(rig.app.state.house, approvers=agreed.approvers)
    return rig


@pytest.fixture
def draft(desk, agreed):
    return seal(agreed.terms(desk.now, roots=("/srv/project",)))


def text(envelope) -> str:
    return json.dumps(envelope.to_json())


def hand_in(desk, envelope, role=Role.ANALYST):
    with desk.database.transaction() as db:
        return papers.hand_in(
            db,
            desk.app.state.house.approvers,
            Caller("somebody", frozenset({role})),
            text(envelope),
            desk.now,
        )


def standing(desk, kind="agreement", number="DAA-made-up-1"):
    with desk.database.transaction() as db:
        return papers.one(db, desk.app.state.house.approvers, desk.everything, kind, number, desk.now)


def test_it_is_in_force_once_two_people_have_signed_in_whatever_order_it_comes(desk, agreed, draft):
    assert hand_in(desk, draft).standing == "pending"
    assert "information asset owner" in standing(desk).validity.why
    assert hand_in(desk, agreed.officer.sign(draft)).standing == "pending"
    told = hand_in(desk, agreed.owner.sign(draft))
    assert told.standing == "in_force" and set(told.validity.approved_by) == {"A. Owner", "B. Officer"}
    assert ("somebody", "paper_approved", "agreement:DAA-made-up-1") in desk.audited()


def test_the_days_and_the_review_are_looked_at_each_time(desk, agreed):
    hand_in(desk, agreed(desk.now, roots=("/srv/x",)))
    assert not standing(desk).overdue
    desk.now += 201 * DAY
    assert standing(desk).overdue and standing(desk).standing == "in_force"
    desk.now += 200 * DAY
    assert standing(desk).standing == "expired" and not standing(desk).overdue


def test_one_revocation_by_one_approver_ends_it_for_good(desk, agreed, draft):
    whole = agreed.both(draft)
    hand_in(desk, whole)
    said = Revocation(agreed.agreement_id, whole.digest, "the study was given up", int(desk.now))
    with pytest.raises(papers.Unfit, match="not signed"):
        hand_in(desk, seal(said))
    told = hand_in(desk, agreed.owner.sign(seal(said)))
    assert told.standing == "revoked" and told.reason == "the study was given up"
    with pytest.raises(papers.Unfit, match="revoked"):
        hand_in(desk, whole)


def test_no_one_person_and_no_role_here_makes_up_for_a_signature(desk, agreed, draft, signatory):
    both = signatory("C. Both", "information_asset_owner", "data_protection_officer")
    twice = signatory("C. Both", "data_protection_officer")
    approvers = (both.approver, twice.approver)
    desk.app.state.house = with_other(desk.app.state.house, approvers=approvers)
    assert hand_in(desk, twice.sign(both.sign(draft))).standing == "pending"
    for role in (Role.INFORMATION_ASSET_OWNER, Role.DATA_PROTECTION_OFFICER):
        assert hand_in(desk, both.sign(draft), role).standing == "pending"
    assert "two people" in standing(desk).validity.why


def test_what_is_forged_edited_or_of_others_is_not_taken(desk, agreed, draft, signatory):
    stranger = signatory("D. Stranger", "data_protection_officer")
    wider = seal(agreed.terms(desk.now, roots=("/",)))
    moved = with_other(wider, signatures=agreed.both(draft).signatures)
    for wrong in (stranger.sign(draft), moved):
        with pytest.raises(papers.Unfit):
            hand_in(desk, wrong)
    hand_in(desk, agreed.owner.sign(draft))
    with pytest.raises(papers.Unfit, match="another one has this id"):
        hand_in(desk, agreed.both(wider))
    for document in ("", "no document", "[]", "{}", text(draft).replace("v1", "v9"), "[" * 50_000):
        with desk.database.transaction() as db, pytest.raises(papers.Unfit):
            papers.hand_in(db, agreed.approvers, desk.everything, document, desk.now)


def test_a_key_that_is_taken_away_takes_the_agreement_with_it(desk, agreed, draft):
    hand_in(desk, agreed.both(draft))
    desk.app.state.house = with_other(desk.app.state.house, approvers=agreed.approvers[:1])
    assert standing(desk).standing == "lapsed"


def test_a_release_is_approved_by_two_and_ends_by_itself(desk, agreed):
    asked = Release(
        "req-0001", "host", "entry", "0" * 64, 10, "age1made-up", "/srv/x.csv", "root", "agreement", "DAA-1",
        "somebody", "a study", "analyst", int(desk.now), int(desk.now + DAY), int(desk.now + 9 * DAY),
    )  # fmt: skip
    assert hand_in(desk, seal(asked)).standing == "pending"
    assert hand_in(desk, agreed.both(seal(asked))).standing == "in_force"
    desk.now += 2 * DAY
    assert standing(desk, "release", "req-0001").standing == "expired"


def test_the_pages_lead_from_a_draft_to_force(desk, agreed, draft):
    browser = desk.signed_in("ana", Role.ANALYST)
    for part in (draft, agreed.owner.sign(draft), agreed.officer.sign(draft)):
        answer = browser.post("/papers", data={"csrf": browser.csrf, "document": text(part) + "\n"})
        assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    page = browser.get(place).text
    assert "in force" in page and "University of Somewhere" in page and "no onward sharing" in page
    document = browser.get(f"{place}/file")
    assert document.json() == agreed.both(draft).to_json()
    assert "attachment" in document.headers["content-disposition"]
    assert "1 in force" in browser.get("/agreements").text
    assert browser.post("/papers", data={"csrf": browser.csrf, "document": "{}"}).status_code == 422


def test_the_report_has_every_detail_and_no_formula(desk, agreed):
    hostile = agreed.terms(desk.now, roots=("/srv/x",), holder='=HYPERLINK("x")', purpose="a\nb")
    hand_in(desk, agreed.both(seal(hostile)))
    browser = desk.signed_in("u", Role.AUDITOR)
    answer = browser.get("/agreements.csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["holder"] == '\'=HYPERLINK("x")' and row["standing"] == "in_force"
    assert row["roots"] == "/srv/x" and set(row["approved_by"].split("; ")) == {"A. Owner", "B. Officer"}
    assert set(row) >= {f for f in Terms.__dataclass_fields__ if f not in ("agreement_id", "made_at")}


def test_markup_in_a_paper_is_text(desk, agreed):
    hostile = agreed.terms(
        desk.now, roots=("/srv/<b>",), holder="<script>x</script>\u202e", purpose="\x1b[31m"
    )
    hand_in(desk, agreed.both(seal(hostile)))
    browser = desk.signed_in("a", Role.ANALYST)
    for path in ("/agreements", "/papers/agreement/DAA-made-up-1"):
        page = browser.get(path).text
        assert "<script>x" not in page and "\u202e" not in page and "\x1b" not in page


def test_programs_hand_in_and_read(desk, agreed, draft):
    token = desk.token("prog", Role.DATA_PROTECTION_OFFICER)
    browser = desk.browser()
    made = browser.post("/api/v1/papers", json={"document": text(agreed.both(draft))}, headers=token)
    assert made.status_code == 201 and made.json()["standing"] == "in_force"
    (line,) = browser.get("/api/v1/papers", headers=token).json()
    assert line["statement"]["holder"] == "University of Somewhere" and line["accepted_at"] == desk.now
    whole = browser.get("/api/v1/papers/agreement/DAA-made-up-1", headers=token).json()
    assert whole["document"] == agreed.both(draft).to_json()
    assert browser.get("/api/v1/papers/release/none", headers=token).status_code == 404


def test_what_waits_for_somebody_comes_first(desk, agreed):
    for number, (scope, signed) in enumerate([(("/a",), True), (("/b",), False)]):
        terms = with_other(agreed.terms(desk.now + number, roots=scope), agreement_id=f"DAA-{number:04d}")
        hand_in(desk, agreed.both(seal(terms)) if signed else seal(terms))
    with desk.database.transaction() as db:
        found = papers.register(db, agreed.approvers, desk.everything, ("agreement",), desk.now)
    assert [t.standing for t in found] == ["pending", "in_force"]
