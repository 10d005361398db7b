"""Agreements and requests by personal token."""

from __future__ import annotations

from agent.statements import as_text
from console.roles import Role


def test_programs_hand_in_and_read(desk, agreed, draft):
    token = desk.token("prog", Role.DATA_PROTECTION_OFFICER)
    browser = desk.browser()
    made = browser.post("/api/v1/papers", json={"document": as_text(agreed.both(draft))}, headers=token)
    assert made.status_code == 201 and made.json()["standing"] == "in_force"
    (line,) = browser.get("/api/v1/papers", headers=token).json()
    assert line["statement"]["holder"] == "University of Somewhere" and line["accepted_at"] == desk.now
    whole = browser.get("/api/v1/papers/agreement/DAA-made-up-1", headers=token).json()
    assert whole["document"] == agreed.both(draft).to_json()
    assert browser.get("/api/v1/papers/release/none", headers=token).status_code == 404
