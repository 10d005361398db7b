"""Signed requests: what was changed, came too late, came twice or came from elsewhere is not taken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from made_up_agents import MadeUpAgent, body_of

from console import enrolment, signatures

ROOT = Path(__file__).resolve().parents[2]
ALERTS = "/api/v1/alerts"


def post(rig, body, headers, target=ALERTS):
    answer = rig.browser().post(target, content=body, headers=headers)
    return answer.status_code, answer.json().get("error")


def test_the_vector_of_the_documentation():
    page = (ROOT / "docs/console-api.md").read_text()
    agent = MadeUpAgent("agent-1", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    body = b'{"records":[]}'
    made = agent.headers(ALERTS, body, 1700000000, "nonce-nonce-nonce-1")
    assert f"Recordwarden-Signature: {made['Recordwarden-Signature']}" in page
    request = signatures.SignedRequest(
        "POST", ALERTS, "agent-1", "1700000000", "nonce-nonce-nonce-1", "", body
    )
    shown = re.sub(r"^    ", "", page, flags=re.MULTILINE)
    assert request.signed_bytes.decode() in shown


def test_a_request_counts_once_whatever_is_sent_again(rig):
    agent = rig.agent()
    body = body_of([agent.alert(1)])
    headers = agent.headers(ALERTS, body, rig.now)
    assert post(rig, body, headers) == (200, None)
    assert post(rig, body, headers) == (401, "replayed")
    again = agent.headers(ALERTS, body, rig.now + 1, headers["Recordwarden-Nonce"])
    assert post(rig, body, again) == (401, "replayed")


@pytest.mark.parametrize("skew", [-301, 301, -86400, 10**11])
def test_a_request_from_another_time_is_stale(rig, skew):
    agent = rig.agent()
    body = body_of([agent.alert(1)])
    assert post(rig, body, agent.headers(ALERTS, body, rig.now + skew)) == (401, "stale")


def test_no_replay_after_the_nonces_were_tidied_away(rig):
    agent = rig.agent()
    body = body_of([agent.alert(1)])
    ahead = agent.headers(ALERTS, body, rig.now + 299)
    assert post(rig, body, ahead) == (200, None)
    for _ in range(12):
        rig.now += 100
        with rig.database.transaction() as db:
            signatures.tidy(db, rig.now)
        assert post(rig, body, ahead)[1] in ("replayed", "stale")


@pytest.mark.parametrize("part", ["Agent", "Time", "Nonce", "Signature"])
def test_a_changed_or_missing_header_is_not_taken(rig, part):
    agent, other = rig.agent(), rig.agent("agent-2")
    body = body_of([agent.alert(1)])
    good = agent.headers(ALERTS, body, rig.now)
    instead = {
        "Agent": other.agent,
        "Time": str(int(rig.now) + 1),
        "Nonce": "x" * 20,
        "Signature": other.headers(ALERTS, body, rig.now)["Recordwarden-Signature"],
    }
    name = f"Recordwarden-{part}"
    assert post(rig, body, {**good, name: instead[part]})[0] == 401
    assert post(rig, body, {**good, name: b"\xe9"})[0] in (401, 422)
    assert post(rig, body, {k: v for k, v in good.items() if k != name})[0] == 422
    assert post(rig, body, good) == (200, None)


def test_what_is_signed_is_body_and_target(rig):
    agent = rig.agent()
    body = body_of([agent.alert(1)])
    headers = agent.headers(ALERTS, body, rig.now)
    assert post(rig, body + b" ", headers) == (401, "bad_signature")
    assert post(rig, body, headers, ALERTS + "?x=1") == (401, "bad_signature")
    assert post(rig, body, headers, "/api/v1/heartbeats") == (401, "bad_signature")


def test_an_agent_that_is_unknown_or_revoked_is_told_so(rig):
    stranger, agent = MadeUpAgent("agent-9"), rig.agent()
    body = body_of([stranger.alert(1)])
    assert post(rig, body, stranger.headers(ALERTS, body, rig.now)) == (401, "unknown_agent")
    with rig.database.transaction() as db:
        enrolment.revoke(db, rig.everything, agent.agent, rig.now)
    assert post(rig, body, agent.headers(ALERTS, body, rig.now)) == (401, "revoked")
    assert post(rig, body + b" ", agent.headers(ALERTS, body, rig.now)) == (401, "bad_signature")
