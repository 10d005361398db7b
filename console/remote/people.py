"""`recordwarden console people`: accounts, from afar, for administrators."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from console.remote.connection import Remote
from console.remote.words import asks, say_rows

F = TypeVar("F", bound=Callable[..., Any])
_COLUMNS = ("name", "roles", "second_factor", "disabled")
_ROLES = ("analyst", "information_asset_owner", "data_protection_officer", "administrator", "auditor")
_PASSWORD = click.option("--password-stdin", is_flag=True, help="Read it from standard input: one line.")


def _role(required: bool) -> Callable[[F], F]:
    return click.option(
        "--role", "roles", multiple=True, required=required, type=click.Choice(_ROLES), help="Repeat it."
    )


@click.group()
def people() -> None:
    """Accounts: list, add, change."""


@people.command("list")
@asks
def list_(remote: Remote, as_json: bool) -> None:
    """Who has an account, and with which roles."""
    say_rows(remote.get("people"), _COLUMNS, as_json)


@people.command("add")
@click.argument("name")
@_role(True)
@_PASSWORD
@asks
def add(remote: Remote, name: str, roles: tuple[str, ...], password_stdin: bool, as_json: bool) -> None:
    """Make an account; the password is asked for."""
    body = {"name": name, "password": _password(password_stdin), "roles": list(roles)}
    say_rows([remote.post("people", body=body)], _COLUMNS, as_json)


@people.command("change")
@click.argument("name")
@_role(False)
@click.option("--disable/--enable", "disabled", default=None, help="Shut somebody out; let them in again.")
@click.option("--password", "wants_password", is_flag=True, help="Set it anew; it is asked for.")
@_PASSWORD
@click.option("--forget-totp", is_flag=True, help="Remove the second factor.")
@asks
def change(
    remote: Remote,
    name: str,
    roles: tuple[str, ...],
    disabled: bool | None,
    wants_password: bool,
    password_stdin: bool,
    forget_totp: bool,
    as_json: bool,
) -> None:
    """Change an account; whoever is changed is signed out. What is not named stays."""
    password = _password(password_stdin) if wants_password or password_stdin else None
    body = {
        "roles": list(roles) or None, "disabled": disabled, "password": password, "forget_totp": forget_totp
    }  # fmt: skip
    say_rows([remote.patch("people", name, body=body)], _COLUMNS, as_json)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return asked
