"""Agreements and requests in the console: signatures count, accounts do not; nothing forged is taken."""

from __future__ import annotations

import json
from dataclasses import replace as with_other

import pytest

from agent.statements import Release, Revocation, seal
from console import papers
from console.roles import Role

DAY = 86400.0


def standing(desk, kind="agreement", number="DAA-made-up-1"):
    with desk.database.transaction() as db:
        return papers.one(db, desk.app.state.house.approvers, desk.everything, kind, number, desk.now)


def test_it_is_in_force_once_two_people_have_signed_in_whatever_order_it_comes(desk, agreed, draft):
    assert desk.hand_in(draft).standing == "pending"
    assert "information asset owner" in standing(desk).validity.why
    assert desk.hand_in(agreed.officer.sign(draft)).standing == "pending"
    told = desk.hand_in(agreed.owner.sign(draft))
    assert told.standing == "in_force" and set(told.validity.approved_by) == {"A. Owner", "B. Officer"}
    assert ("somebody", "paper_approved", "agreement:DAA-made-up-1") in desk.audited()


def test_the_days_and_the_review_are_looked_at_each_time(desk, agreed):
    desk.hand_in(agreed(desk.now, roots=("/srv/x",)))
    assert not standing(desk).overdue
    desk.now += 201 * DAY
    assert standing(desk).overdue and standing(desk).standing == "in_force"
    desk.now += 200 * DAY
    assert standing(desk).standing == "expired" and not standing(desk).overdue


def test_one_revocation_by_one_approver_ends_it_for_good(desk, agreed, draft):
    whole = agreed.both(draft)
    desk.hand_in(whole)
    said = Revocation(agreed.agreement_id, whole.digest, "the study was given up", int(desk.now))
    with pytest.raises(papers.Unfit, match="not signed"):
        desk.hand_in(seal(said))
    told = desk.hand_in(agreed.owner.sign(seal(said)))
    assert told.standing == "revoked" and told.reason == "the study was given up"
    with pytest.raises(papers.Unfit, match="revoked"):
        desk.hand_in(whole)


def test_no_one_person_and_no_role_here_makes_up_for_a_signature(desk, agreed, draft, signatory):
    both = signatory("C. Both", "information_asset_owner", "data_protection_officer")
    twice = signatory("C. Both", "data_protection_officer")
    approvers = (both.approver, twice.approver)
    desk.app.state.house = with_other(desk.app.state.house, approvers=approvers)
    assert desk.hand_in(twice.sign(both.sign(draft))).standing == "pending"
    for role in (Role.INFORMATION_ASSET_OWNER, Role.DATA_PROTECTION_OFFICER):
        assert desk.hand_in(both.sign(draft), role).standing == "pending"
    assert "two people" in standing(desk).validity.why


def test_what_is_forged_edited_or_of_others_is_not_taken(desk, agreed, draft, signatory):
    stranger = signatory("D. Stranger", "data_protection_officer")
    wider = seal(agreed.terms(desk.now, roots=("/",)))
    moved = with_other(wider, signatures=agreed.both(draft).signatures)
    for wrong in (stranger.sign(draft), moved):
        with pytest.raises(papers.Unfit):
            desk.hand_in(wrong)
    desk.hand_in(agreed.owner.sign(draft))
    with pytest.raises(papers.Unfit, match="another one has this id"):
        desk.hand_in(agreed.both(wider))
    for document in (
        "",
        "no document",
        "[]",
        "{}",
        json.dumps(draft.to_json()).replace("v1", "v9"),
        "[" * 50_000,
    ):
        with desk.database.transaction() as db, pytest.raises(papers.Unfit):
            papers.hand_in(db, agreed.approvers, desk.everything, document, desk.now)


def test_a_key_that_is_taken_away_takes_the_agreement_with_it(desk, agreed, draft):
    desk.hand_in(agreed.both(draft))
    desk.app.state.house = with_other(desk.app.state.house, approvers=agreed.approvers[:1])
    assert standing(desk).standing == "lapsed"


def test_more_signatures_for_one_whose_signer_is_gone_are_refused_in_words(desk, agreed, draft):
    """Not a fault of the console's: what was signed first does not hold any more."""
    desk.hand_in(agreed.owner.sign(draft))
    desk.app.state.house = with_other(desk.app.state.house, approvers=agreed.approvers[1:])
    with pytest.raises(papers.Unfit, match="no approver has"):
        desk.hand_in(agreed.officer.sign(draft))
    assert standing(desk).standing == "pending"


def test_a_release_is_approved_by_two_and_ends_by_itself(desk, agreed):
    asked = Release(
        "req-0001", "host", "entry", "0" * 64, 10, "age1made-up", "/srv/x.csv", "root", "agreement", "DAA-1",
        "somebody", "a study", "analyst", int(desk.now), int(desk.now + DAY), int(desk.now + 9 * DAY),
    )  # fmt: skip
    assert desk.hand_in(seal(asked)).standing == "pending"
    assert desk.hand_in(agreed.both(seal(asked))).standing == "in_force"
    desk.now += 2 * DAY
    assert standing(desk, "release", "req-0001").standing == "expired"


def test_what_waits_for_somebody_comes_first(desk, agreed):
    for number, (scope, signed) in enumerate([(("/a",), True), (("/b",), False)]):
        terms = with_other(agreed.terms(desk.now + number, roots=scope), agreement_id=f"DAA-{number:04d}")
        desk.hand_in(agreed.both(seal(terms)) if signed else seal(terms))
    with desk.database.transaction() as db:
        found = papers.register(db, agreed.approvers, desk.everything, ("agreement",), desk.now)
    assert [t.standing for t in found] == ["pending", "in_force"]
