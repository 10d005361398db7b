"""Accounts: who gets in, who does not, and what a failure costs."""

from __future__ import annotations

import pytest

from console import people, totp
from console.roles import Role

PASSWORD = "correct horse battery"
ANALYST = frozenset({Role.ANALYST})


def add(rig, name="ann", roles=ANALYST):
    with rig.database.transaction() as db:
        people.add(db, "setup", name, PASSWORD, roles, rig.now)


def enter(rig, name="ann", password=PASSWORD, code=""):
    with rig.database.transaction() as db:
        found = people.sign_in(db, rig.rules, name, password, code, rig.now)
        return found.name if found else None


def test_the_right_password_lets_in_and_a_wrong_one_does_not(rig):
    add(rig)
    assert enter(rig) == "ann"
    assert enter(rig, password=PASSWORD + "!") is None
    assert enter(rig, name="bob") is None


def test_five_failures_lock_even_the_right_password_out_for_a_while(rig):
    add(rig)
    for _ in range(5):
        assert enter(rig, password="wrong wrong wrong") is None
    assert enter(rig) is None
    rig.now += 15 * 60 + 1
    assert enter(rig) == "ann"


def test_a_success_in_between_forgives_failures(rig):
    add(rig)
    for _ in range(3):
        for _ in range(4):
            enter(rig, password="wrong wrong wrong")
        assert enter(rig) == "ann"


def test_with_a_second_factor_the_password_alone_does_not_do_and_no_code_twice(rig):
    add(rig)
    secret = totp.new_secret()
    with rig.database.transaction() as db:
        step = int(rig.now // 30)
        assert people.confirm_totp(db, caller("ann"), secret, totp.code(secret, step), rig.now)
    assert enter(rig) is None
    assert enter(rig, code=totp.code(secret, step)) is None
    rig.now += 30
    assert enter(rig, code=totp.code(secret, step + 1)) == "ann"
    assert enter(rig, code=totp.code(secret, step + 1)) is None


def test_guessing_codes_locks_the_account_too(rig):
    add(rig)
    secret = totp.new_secret()
    with rig.database.transaction() as db:
        people.confirm_totp(db, caller("ann"), secret, totp.code(secret, int(rig.now // 30)), rig.now)
    rig.now += 60
    for _ in range(5):
        enter(rig, code="000000")
    assert enter(rig, code=totp.code(secret, int(rig.now // 30))) is None


def test_a_disabled_account_lets_nobody_in(rig):
    add(rig)
    add(rig, "root", frozenset({Role.ADMINISTRATOR}))
    with rig.database.transaction() as db:
        people.change(db, rig.everything, "ann", rig.now, disabled=True)
    assert enter(rig) is None


@pytest.mark.parametrize("changes", [{"disabled": True}, {"roles": ANALYST}])
def test_the_last_administrator_stays(rig, changes):
    add(rig, "root", frozenset({Role.ADMINISTRATOR}))
    with pytest.raises(people.Unfit, match="administrator"), rig.database.transaction() as db:
        people.change(db, rig.everything, "root", rig.now, **changes)
    assert enter(rig, "root") == "root"


@pytest.mark.parametrize("name", ["", "a b", "-x", "é", "a\n", "x" * 64])
def test_names_are_plain(rig, name):
    with pytest.raises(people.Unfit):
        add(rig, name)


def test_no_password_is_kept_as_it_is(rig):
    add(rig)
    with rig.database.transaction() as db:
        kept = people.everybody(db)[0].password
    assert kept.startswith("$argon2id$") and PASSWORD not in kept


def caller(name):
    from console.roles import Caller

    return Caller(name, ANALYST)
