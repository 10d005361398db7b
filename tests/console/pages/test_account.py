"""One's own account (console.pages.account), and where one comes in (console.pages.entry)."""

from __future__ import annotations

import re

import pytest

from console import totp
from console.roles import Role


@pytest.fixture
def ann(rig):
    return rig.signed_in("ann", Role.ANALYST)


def test_a_password_is_changed_with_the_old_one_only(rig, ann):
    new = {"csrf": ann.csrf, "new": "another horse battery", "again": "another horse battery"}
    assert ann.post("/account/password", data={**new, "old": "wrong"}).status_code == 422
    assert (
        ann.post("/account/password", data={**new, "old": "correct horse battery", "again": "x"}).status_code
        == 422
    )
    assert ann.post("/account/password", data={**new, "old": "correct horse battery"}).status_code == 200
    entered = rig.browser().post("/sign-in", data={"name": "ann", "password": "another horse battery"})
    assert entered.status_code == 303


def test_a_second_factor_is_set_up_with_the_code_of_the_secret_that_was_shown(rig, ann):
    secret = re.search(r'class="secret">([A-Z2-7]{32})<', ann.get("/account").text)[1]
    assert ann.post("/account/totp", data={"csrf": ann.csrf, "code": "000000"}).status_code == 422
    code = totp.code(secret, int(rig.now // 30))
    assert ann.post("/account/totp", data={"csrf": ann.csrf, "code": code}).status_code == 200
    assert secret not in ann.get("/account").text
    assert (
        rig.browser().post("/sign-in", data={"name": "ann", "password": "correct horse battery"}).status_code
        == 401
    )


def test_a_token_is_shown_once_works_and_ends(rig, ann):
    made = ann.post("/account/tokens", data={"csrf": ann.csrf, "note": "report", "days": "x"}).text
    token = re.search(r"rwp_[\w-]{43}", made)[0]
    assert token not in ann.get("/account").text
    headers = {"Authorization": f"Bearer {token}"}
    assert rig.browser().get("/api/v1/alerts", headers=headers).status_code == 200
    short = re.search(r'name="token" value="(\w{12})"', made)[1]
    assert ann.post("/account/tokens/revoke", data={"csrf": ann.csrf, "token": short}).status_code == 303
    assert rig.browser().get("/api/v1/alerts", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("role", "home"),
    [(Role.ANALYST, "/alerts"), (Role.AUDITOR, "/alerts"), (Role.ADMINISTRATOR, "/agents")],
)
def test_everybody_starts_where_they_may_be(rig, role, home):
    assert rig.signed_in("x", role).get("/").headers["location"] == home
