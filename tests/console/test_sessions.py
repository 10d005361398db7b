"""Sessions and tokens end when they should, and the database holds nothing that lets anybody in."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from console import people, sessions
from console.roles import Caller, Role

ANALYST = frozenset({Role.ANALYST})


@pytest.fixture
def begun(rig):
    """(the rig, the secret in ann's cookie)"""
    with rig.database.transaction() as db:
        person = people.add(db, "setup", "ann", "correct horse battery", ANALYST, rig.now)
        return rig, sessions.begin(db, person, rig.now)


def who(rig, secret):
    with rig.database.transaction() as db:
        found = sessions.caller_of_cookie(db, rig.rules, secret, rig.now)
        return found.name if found else None


def test_a_session_lasts_while_it_is_used_and_not_beyond_its_hours(begun):
    rig, secret = begun
    for _ in range(23):
        rig.now += 30 * 60
        assert who(rig, secret) == "ann"
    rig.now += 31 * 60
    assert who(rig, secret) is None


def test_an_idle_session_ends_for_good(rig):
    browser = rig.signed_in("ann", *ANALYST)
    rig.now += 61 * 60
    assert browser.get("/alerts").status_code == 303
    rig.now -= 61 * 60
    assert browser.get("/alerts").status_code == 303


@pytest.mark.parametrize("forged", ["", "x", "rwp_x"])
def test_a_forged_cookie_is_nobodys(begun, forged):
    assert who(begun[0], forged) is None


def test_neither_cookie_nor_token_is_in_the_database(begun):
    rig, secret = begun
    with rig.database.transaction() as db:
        token = sessions.new_token(db, Caller("ann", ANALYST), "", 1, rig.now)
        held = str(db.execute(text("SELECT * FROM sessions")).all())
        held += str(db.execute(text("SELECT * FROM api_tokens")).all())
    assert secret not in held and token not in held and sessions.digest_of(token) in held


def whose(rig, token):
    with rig.database.transaction() as db:
        return sessions.caller_of_token(db, token, rig.now)


@pytest.fixture
def token(begun):
    rig, _ = begun
    with rig.database.transaction() as db:
        return sessions.new_token(db, Caller("ann", ANALYST), "", 1, rig.now)


def test_a_token_ends_with_its_days(begun, token):
    rig, _ = begun
    assert whose(rig, token).name == "ann" and whose(rig, token[:-1]) is None
    rig.now += 86399
    assert whose(rig, token).name == "ann"
    rig.now += 1
    assert whose(rig, token) is None


def test_nobody_revokes_a_token_of_somebody_else(begun, token):
    rig, _ = begun
    short = sessions.digest_of(token)[:12]
    with rig.database.transaction() as db, pytest.raises(LookupError):
        sessions.revoke_token(db, Caller("bob", ANALYST), short, rig.now)
    assert whose(rig, token)
    with rig.database.transaction() as db:
        sessions.revoke_token(db, Caller("ann", ANALYST), short, rig.now)
    assert whose(rig, token) is None


def test_a_token_carries_at_most_what_its_person_is(begun):
    rig, _ = begun
    wanted = frozenset({Role.ANALYST, Role.ADMINISTRATOR})
    with rig.database.transaction() as db:
        token = sessions.new_token(db, Caller("ann", ANALYST), "", 1, rig.now, wanted)
        other = sessions.new_token(db, Caller("ann", ANALYST), "", 1, rig.now, frozenset({Role.AUDITOR}))
    assert whose(rig, token).roles == ANALYST and whose(rig, other).roles == frozenset()


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": "another horse battery"}])
def test_tokens_end_with_the_account_and_when_an_administrator_sets_the_password(begun, token, change):
    rig, _ = begun
    with rig.database.transaction() as db:
        people.add(db, "setup", "adam", "correct horse battery", frozenset({Role.ADMINISTRATOR}), rig.now)
        people.change(db, rig.everything, "ann", rig.now, **change)
    assert whose(rig, token) is None
