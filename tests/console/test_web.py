"""The application as a whole: what its answers carry, and that its pages come up."""

from __future__ import annotations

import pytest

from console.roles import Role


def test_the_first_way_through(rig):
    """Enrol, send, sign in, find, look, decide: the console's reason to be."""
    agent = rig.agent()
    assert rig.send(agent, agent.alert(1), agent.alert(2)) == {"accepted": 2, "known": 0, "refused": []}
    ann = rig.signed_in("ann", Role.ANALYST)
    inbox = ann.get("/alerts")
    assert inbox.status_code == 200 and "agent-1-1" in inbox.text
    shown = ann.get("/alerts/agent-1-1")
    assert shown.status_code == 200 and "one per row" in shown.text
    decided = ann.post(
        "/alerts/decide",
        data={"csrf": ann.csrf, "alert": "agent-1-1", "determination": "true_positive", "note": "seen"},
    )
    assert decided.status_code == 303
    assert "agent-1-1" not in ann.get("/alerts").text
    assert "true positive" in ann.get("/alerts/agent-1-1").text


@pytest.mark.parametrize("path", ["/sign-in", "/static/console.css", "/api/openapi.json", "/nowhere"])
def test_every_answer_forbids_scripts_of_others_and_framing(rig, path):
    answer = rig.browser().get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "://" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
