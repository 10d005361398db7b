"""Oversight by personal token, the same as the pages."""

from __future__ import annotations

import pytest

from console.roles import Role


@pytest.fixture
def call(rig):
    agent = rig.agent()
    rig.send(agent, *(agent.alert(n, at=rig.now - n, disposition="quarantined") for n in range(4)))
    rig.send(agent, agent.heartbeat(rig.now, covered=False), to="/api/v1/heartbeats")
    token = rig.token("all", *Role)

    def ask(method, path, body=None):
        answer = rig.browser().request(method, "/api/v1" + path, json=body, headers=token)
        assert answer.status_code < 300, answer.text
        return answer.json()

    return ask


def test_agents_with_their_roots(call):
    page = call("GET", "/agents?state=uncovered")
    assert [a["id"] for a in page["agents"]] == ["agent-1"] and page["counts"]["uncovered"] == 1
    whole = call("GET", "/agents/agent-1")
    assert whole["waiting"] == 4 and [r["covered"] for r in whole["roots"]] == [False, True]
    assert call("POST", "/agents/tokens", {})["token"].startswith("rwe_")
    assert call("POST", "/agents/agent-1/revoke")["revoked_at"]


def test_trends_custody_audit_and_erasure(call):
    assert call("GET", "/trends?days=7")["total"] == 4
    held = call("GET", "/custody")["entries"]
    assert [entry["review_at"] for entry in held] == [None] * 4
    assert call("POST", "/decisions", {"alerts": ["agent-1-1"], "determination": "true_positive"})
    lines = call("GET", "/audit?subject=alert:agent-1-1")["entries"]
    assert [line["action"] for line in lines] == ["alert_decided"]
    assert call("POST", "/audit/verify")["faults"] == []
    assert call("POST", "/erasures", {"days": 1}) == {"erased": 0}


def test_accounts(call):
    new = {"name": "bob", "password": "correct horse battery", "roles": ["auditor"]}
    assert call("POST", "/people", new)["roles"] == ["auditor"]
    assert call("PATCH", "/people/bob", {"disabled": True})["disabled"]
    assert {p["name"] for p in call("GET", "/people")} == {"all", "bob"}
