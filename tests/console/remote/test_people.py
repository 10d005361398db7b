"""Accounts from afar."""

from __future__ import annotations

from console.roles import Role

PASSWORD = "correct horse battery\n"


def test_accounts_are_made_changed_and_shut_out(as_):
    run = as_("adam", Role.ADMINISTRATOR)
    words = ("people", "add", "bea", "--role", "analyst", "--role", "auditor", "--password-stdin", "--json")
    assert run(*words, given=PASSWORD).lines[0]["roles"] == ["analyst", "auditor"]
    assert run(*words, given=PASSWORD).code == 1
    changed = run("people", "change", "bea", "--role", "auditor", "--disable", "--json").lines[0]
    assert (changed["roles"], changed["disabled"]) == (["auditor"], True)
    assert run("people", "change", "bea", "--enable", "--password-stdin", given=PASSWORD).code == 0
    assert run("people", "change", "bea", "--password-stdin", given="short\n").code == 2
    assert run("people", "list").out.splitlines()[1:] == ["adam\tadministrator\tFalse\tFalse",
                                                          "bea\tauditor\tFalse\tFalse"]  # fmt: skip
    assert run("people", "change", "adam", "--role", "analyst").code == 1  # the last administrator
