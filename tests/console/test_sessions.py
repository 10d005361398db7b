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


def test_an_idle_session_ends(begun):
    rig, secret = begun
    rig.now += 61 * 60
    assert who(rig, secret) is None
    rig.now -= 61 * 60
    assert who(rig, secret) is None


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


def test_a_token_ends_with_its_days(begun):
    rig, _ = begun
    with rig.database.transaction() as db:
        token = sessions.new_token(db, Caller("ann", ANALYST), "", 1, rig.now)
        assert sessions.caller_of_token(db, token, rig.now + 86399).name == "ann"
        assert sessions.caller_of_token(db, token, rig.now + 86400) is None
        assert sessions.caller_of_token(db, token[:-1], rig.now) is None


def test_nobody_revokes_a_token_of_somebody_else(begun):
    rig, _ = begun
    with rig.database.transaction() as db:
        token = sessions.new_token(db, Caller("ann", ANALYST), "", 1, rig.now)
        with pytest.raises(LookupError):
            sessions.revoke_token(db, Caller("bob", ANALYST), sessions.digest_of(token)[:12], rig.now)
        sessions.revoke_token(db, Caller("ann", ANALYST), sessions.digest_of(token)[:12], rig.now)
        assert sessions.caller_of_token(db, token, rig.now) is None
