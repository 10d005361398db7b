"""The inbox's page: several at once, saved views, and the part that htmx fetches."""

from __future__ import annotations

import pytest

from console.roles import Role


@pytest.fixture
def ann(rig):
    agent = rig.agent()
    rig.send(agent, *(agent.alert(n) for n in range(60)))
    return rig.signed_in("ann", Role.ANALYST)


def test_several_are_decided_at_once_and_leave_the_inbox(ann):
    form = {
        "csrf": ann.csrf,
        "alert": ["agent-1-1", "agent-1-2"],
        "determination": "true_positive",
        "back": "/alerts?zone=shared",
    }
    answer = ann.post("/alerts/decide", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts?zone=shared")
    assert "58 alerts" in ann.get("/alerts").text


def test_one_assigns_to_oneself_with_one_word(ann):
    ann.post("/alerts/assign", data={"csrf": ann.csrf, "alert": "agent-1-1", "to": "@me"})
    assert "1 alert " in ann.get("/alerts?assignee=ann").text
    ann.post("/alerts/assign", data={"csrf": ann.csrf, "alert": "agent-1-1", "to": "nobody"})
    assert "Nothing fits" in ann.get("/alerts?assignee=ann").text


def test_a_view_is_kept_shown_and_forgotten(ann):
    assert (
        ann.post(
            "/views", data={"csrf": ann.csrf, "name": "sticks <b>", "query": "zone=removable&x=1"}
        ).status_code
        == 303
    )
    page = ann.get("/alerts").text
    assert "sticks &lt;b&gt;" in page and 'href="/alerts?zone=removable"' in page
    ann.post("/views/forget", data={"csrf": ann.csrf, "name": "sticks <b>"})
    assert "sticks" not in ann.get("/alerts").text


def test_htmx_gets_the_list_alone(ann):
    part = ann.get("/alerts?q=panel", headers={"HX-Request": "true"}).text
    assert "<table" in part and "<html" not in part


def test_the_way_back_stays_in_the_inbox(ann):
    for back in ("https://elsewhere.example", "/account", "/alerts\r\nx: y", "//alerts", "/alerts\\x"):
        form = {"csrf": ann.csrf, "alert": "agent-1-1", "to": "@me", "back": back}
        assert ann.post("/alerts/assign", data=form).headers["location"] == "/alerts"


def test_any_query_is_answered(ann):
    for query in (
        "state=%00",
        "days=99999999999",
        "severity=-1",
        "after=%ff",
        "q=" + "x" * 5000,
        "sha256='--",
    ):
        assert ann.get("/alerts?" + query).status_code == 200
