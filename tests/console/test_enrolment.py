"""Enrolment: a token lets one agent in, once, and never takes another's place."""

from __future__ import annotations

import pytest
from made_up_agents import MadeUpAgent

from console import enrolment


def token(rig, only=None):
    with rig.database.transaction() as db:
        return enrolment.new_token(db, rig.everything, "", only, rig.now)


def enrol(rig, body):
    return rig.browser().post("/api/v1/enrol", json=body)


def test_a_token_works_once_and_the_same_call_may_come_again(rig):
    agent, given = MadeUpAgent("agent-1"), token(rig)
    assert enrol(rig, agent.enrolment(given)).status_code == 201
    assert enrol(rig, agent.enrolment(given)).status_code == 200
    for other in (MadeUpAgent("agent-2"), MadeUpAgent("agent-1")):
        answer = enrol(rig, other.enrolment(given))
        assert (answer.status_code, answer.json()["error"]) == (403, "token_refused")


@pytest.mark.parametrize("given", ["", "rwe_", "rwe_" + "x" * 43])
def test_a_forged_token_lets_nobody_in(rig, given):
    assert enrol(rig, MadeUpAgent("agent-1").enrolment(given)).status_code == 403


def test_a_token_expires(rig):
    given = token(rig)
    rig.now += 24 * 3600
    assert enrol(rig, MadeUpAgent("agent-1").enrolment(given)).json()["error"] == "token_refused"


def test_an_agents_key_changes_only_with_a_token_that_was_made_for_it(rig):
    rig.agent("agent-1")
    thief = MadeUpAgent("agent-1")
    assert enrol(rig, thief.enrolment(token(rig))).json()["error"] == "already_enrolled"
    assert enrol(rig, thief.enrolment(token(rig, "agent-2"))).json()["error"] == "token_refused"
    assert enrol(rig, thief.enrolment(token(rig, "agent-1"))).status_code == 201
    assert rig.send(thief, thief.alert(1))["accepted"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"agent": ""},
        {"agent": "a b"},
        {"agent": "x" * 65},
        {"public_key": "ed25519:AAAA"},
        {"public_key": "x"},
    ],
)
def test_a_malformed_enrolment_leaves_the_token_unused(rig, change):
    agent, given = MadeUpAgent("agent-1"), token(rig)
    assert enrol(rig, {**agent.enrolment(given), **change}).status_code == 422
    assert enrol(rig, agent.enrolment(given)).status_code == 201
