"""The ways in: the cookie's attributes, signing in from a form, and answers that come after the commit."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from console.roles import Role


@pytest.fixture
def known(rig):
    rig.signed_in("ann", Role.ANALYST)
    return rig


def enter(rig, password="correct horse battery", headers=None, back="/"):
    return rig.browser().post(
        "/sign-in", data={"name": "ann", "password": password, "next": back}, headers=headers
    )


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(known):
    cookie = enter(known).headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie


def test_behind_tls_the_cookie_is_secure_and_bound_to_this_host(known):
    from dataclasses import replace

    house = known.app.state.house
    rules = house.rules.model_copy(update={"public_url": "https://console.example.org"})
    known.app.state.house = replace(house, rules=rules)
    cookie = enter(known).headers["set-cookie"]
    assert cookie.startswith("__Host-recordwarden=") and "secure" in cookie.lower()


def test_signing_in_goes_nowhere_else(known):
    for back in (
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/a\r\nb: c",
        "",
    ):
        assert enter(known, back=back).headers["location"] == "/"
    assert enter(known, back="/alerts/x").headers["location"] == "/alerts/x"


def test_no_other_site_signs_anybody_in(known):
    assert enter(known, headers={"Origin": "https://elsewhere.example"}).status_code == 403


def test_a_failure_is_counted_although_the_page_comes_up(known):
    for _ in range(5):
        assert enter(known, "wrong wrong wrong").status_code == 401
    assert enter(known).status_code == 401
    assert sum(entry[1] == "sign_in_failed" for entry in known.audited()) == 6


def test_signing_out_ends_the_session_on_this_side_too(rig):
    browser = rig.signed_in("bob", Role.ANALYST)
    secret = browser.cookies["recordwarden"]
    assert browser.post("/sign-out", data={"csrf": browser.csrf}).status_code == 303
    browser.cookies.set("recordwarden", secret, domain="127.0.0.1")
    assert browser.get("/account").status_code == 303


def test_what_is_answered_was_committed(rig):
    """A commit that fails is an error to the agent, never a 200."""
    agent = rig.agent()
    with rig.database.transaction() as db:
        db.execute(text("CREATE TABLE late (x REFERENCES people (name) DEFERRABLE INITIALLY DEFERRED)"))
        db.execute(
            text("CREATE TRIGGER fails AFTER INSERT ON updates BEGIN INSERT INTO late VALUES ('nobody'); END")
        )
    with pytest.raises(Exception, match="FOREIGN KEY"):
        rig.send(agent, agent.alert(1))
