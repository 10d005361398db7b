"""`recordwarden console` on its own machine: serve it, and what its administrator does over its database."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar, cast

import click
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from config.console import Console
from config.load import load
from config.settings import Approver
from console import audit, enrolment, people, retention
from console.database import Database, DatabaseTrouble
from console.roles import Caller, Role
from console.shown import shown
from console.web import create

_FILE = click.Path(path_type=Path)
_UNAVAILABLE = 69
LOCAL = Caller("command line", frozenset({Role.ADMINISTRATOR, Role.AUDITOR}))
"""Whoever can open the database may do all that it holds; the audit says that it was done here."""


F = TypeVar("F", bound=Callable[..., Any])


def _with_options(function: F) -> F:
    """`--config FILE`, here or before the sub-command, and `--json`; handed on as `rules` and `as_json`."""

    def with_rules(rules: Console, /, config_file: Path | None, **more: Any) -> Any:
        return function(load(config_file).console if config_file else rules, **more)

    update_wrapper(with_rules, function)
    config = click.option("--config", "config_file", type=_FILE, metavar="FILE", help="The configuration.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
    return cast(F, config(as_json(click.pass_obj(with_rules))))


def _say(as_json: bool, plain: dict[str, Any], text: str) -> None:
    click.echo(json.dumps(plain) if as_json else text)


def serve(rules: Console, approvers: tuple[Approver, ...] = ()) -> None:
    """Until it is told to stop."""
    database = _open(rules)
    with database.transaction() as db:
        if not people.everybody(db):
            click.echo(
                "nobody can sign in yet: "
                "recordwarden console user add NAME --role administrator --role analyst",
                err=True,
            )
    click.echo(f"recordwarden console: {rules.url}", err=True)
    stop = Event()
    Thread(target=_tidy_until, args=(stop, rules, database), daemon=True).start()
    uvicorn.run(
        create(rules, database, approvers=approvers),
        host=rules.host,
        port=rules.port,
        ssl_certfile=rules.tls_certificate,
        ssl_keyfile=rules.tls_key,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    stop.set()
    database.close()


def _tidy_until(stop: Event, rules: Console, database: Database) -> None:
    """At the start and every ten minutes; a database that is away for a while is tried again."""
    while True:
        try:
            retention.tidy(database, rules, time.time())
        except SQLAlchemyError as error:
            click.echo(f"recordwarden console: tidying: {type(error).__name__}", err=True)
        if stop.wait(600):
            return


@click.group()
def user() -> None:
    """Local accounts: add, list, password."""


@user.command("add")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([r.value for r in Role]),
    help="Repeat it.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input: one line.")
@_with_options
def add(rules: Console, name: str, roles: tuple[str, ...], password_stdin: bool, as_json: bool) -> None:
    """Make an account; the password is asked for."""
    password = _password(password_stdin)
    with _refusals(), _open(rules).transaction() as db:
        people.add(db, LOCAL.name, name, password, frozenset(Role(r) for r in roles), time.time())
    _say(as_json, {"name": name, "roles": sorted(roles)}, f"{name}: {' '.join(sorted(roles))}")


@user.command("list")
@_with_options
def list_(rules: Console, as_json: bool) -> None:
    """Who has an account, and with which roles."""
    with _open(rules).transaction() as db:
        for person in people.everybody(db):
            state = "disabled" if person.disabled else "second factor" if person.totp else ""
            plain = {
                "name": person.name,
                "roles": person.roles.split(),
                "disabled": bool(person.disabled),
                "totp": bool(person.totp),
            }
            _say(as_json, plain, f"{person.name}\t{person.roles}\t{state}".rstrip())


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input: one line.")
@click.option("--forget-totp", is_flag=True, help="Remove the second factor too.")
@_with_options
def password(rules: Console, name: str, password_stdin: bool, forget_totp: bool, as_json: bool) -> None:
    """Set somebody's password anew; ends their sessions."""
    given = _password(password_stdin)
    with _refusals(), _open(rules).transaction() as db:
        people.change(db, LOCAL, name, time.time(), password=given, forget_totp=forget_totp)
    _say(as_json, {"name": name}, f"{name}: the password is set, the sessions are ended")


@click.group()
def agent() -> None:
    """Agents: let one in."""


@agent.command("token")
@click.option("--note", default="", help="For whom it is.")
@click.option("--agent", "only", metavar="ID", help="Only for this agent, which may change its key with it.")
@_with_options
def token(rules: Console, note: str, only: str | None, as_json: bool) -> None:
    """Print a token that enrols one agent, once, within 24 hours."""
    with _refusals(), _open(rules).transaction() as db:
        made = enrolment.new_token(db, LOCAL, note, only, time.time())
    _say(as_json, {"token": made, "agent": only}, made)


@click.group("audit")
def audit_() -> None:
    """The console's audit: verify."""


@audit_.command("verify")
@_with_options
def verify(rules: Console, as_json: bool) -> int:
    """Whether each entry continues the one before; exit code 1 if not."""
    with _open(rules).transaction() as db:
        count, faults = audit.verify(db)
    for fault in faults[:20]:
        told = f"entry {fault.sequence}: {fault.kind}"
        _say(as_json, {"sequence": fault.sequence, "fault": fault.kind}, told)
    _say(as_json, {"entries": count, "faults": len(faults)}, f"{count} entries, {len(faults)} faults")
    return int(bool(faults))


@contextmanager
def _refusals() -> Iterator[None]:
    """Turns what was refused into one line of the command's."""
    try:
        yield
    except LookupError as error:
        raise click.ClickException(f"there is no {shown(str(error.args[0]))}") from None
    except ValueError as error:
        raise click.ClickException(shown(str(error))) from None


def _open(rules: Console) -> Database:
    try:
        return Database.open(rules.database_url)
    except DatabaseTrouble as error:
        click.echo(f"recordwarden: error: the console's database: {shown(str(error))}", err=True)
        click.echo(
            "recordwarden: hint: see console.folder and console.database in the configuration", err=True
        )
        raise click.exceptions.Exit(_UNAVAILABLE) from None


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked
