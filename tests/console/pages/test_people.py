"""Accounts by an administrator: on the page (console.pages.people), and what agents' and oversight's pages do
(console.pages.agents, console.pages.oversight)."""

from __future__ import annotations

import re

import pytest

from console.roles import Role


@pytest.fixture
def root(rig):
    return rig.signed_in("root", Role.ADMINISTRATOR)


def test_somebody_new_gets_in_and_is_shut_out_again(rig, root):
    new = {
        "csrf": root.csrf,
        "name": "bob",
        "password": "correct horse battery",
        "role": ["analyst", "auditor"],
    }
    assert root.post("/people", data=new).status_code == 303
    entry = {"name": "bob", "password": "correct horse battery"}
    assert rig.browser().post("/sign-in", data=entry).status_code == 303
    assert root.post("/people/bob", data={"csrf": root.csrf, "what": "disable"}).status_code == 303
    assert rig.browser().post("/sign-in", data=entry).status_code == 401


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/people", {"name": "x y", "password": "correct horse battery", "role": "analyst"}, 422),
        ("/people", {"name": "x", "password": "correct horse battery", "role": "king"}, 422),
        ("/people/nobody", {"what": "disable"}, 404),
        ("/people/root", {"what": "disable"}, 422),
        ("/people/root", {"what": "else"}, 422),
    ],
)
def test_what_cannot_be_is_said_on_a_page(root, path, form, status):
    answer = root.post(path, data={"csrf": root.csrf, **form})
    assert answer.status_code == status and 'role="alert"' in answer.text


def test_a_token_made_on_the_page_enrols_an_agent(rig, root):
    from made_up_agents import MadeUpAgent

    shown = root.post("/agents/token", data={"csrf": root.csrf, "note": "pc-7"}).text
    token = re.search(r"rwe_[\w-]{43}", shown)[0]
    assert token not in root.get("/agents").text
    agent = MadeUpAgent("agent-7")
    assert rig.browser().post("/api/v1/enrol", json=agent.enrolment(token)).status_code == 201
    assert "agent-7" in root.get("/agents").text
    assert root.post("/agents/agent-7/revoke", data={"csrf": root.csrf}).status_code == 303
    assert "agent-7" in root.get("/agents?state=revoked").text


def test_where_a_second_factor_is_the_rule_nothing_else_comes_first(rig, root):
    from dataclasses import replace

    house = rig.app.state.house
    rig.app.state.house = replace(house, rules=house.rules.model_copy(update={"require_totp": True}))
    for path in ("/people", "/agents", "/"):
        assert root.get(path).headers["location"] == "/account"
    assert root.post("/account/tokens", data={"csrf": root.csrf}).headers["location"] == "/account"
    assert root.get("/account").status_code == 200
