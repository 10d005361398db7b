"""`recordwarden exceptions`: what is let be because its alert was found a false alarm, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from agent.agreements import Agreements
from agent.commands import looking
from agent.commands.asking import ask
from agent.commands.options import with_config, with_json
from agent.commands.registered import register
from agent.commands.terminal import say, say_json, say_table
from agent.custodian import plain_exception
from agent.errors import NotRunning
from agent.escape import escape
from agent.validity import ENDING_DAYS
from config.load import load
from config.settings import Settings


@click.group()
def exceptions() -> None:
    """Exceptions for false alarms: what is like a file is let be, in one scope, until a day.

    The console's page of an alert proposes one; two people sign it, as they do an agreement.
    """


@exceptions.command("list")
@with_config
@with_json
def list_(config_file: Path | None, as_json: bool) -> None:
    """List all exceptions that were ever handed in: whose, why, what, until when, and what rests on them."""
    rows = _all(load(config_file))
    if as_json:
        for row in rows:
            say_json(row)
    elif rows:
        say_table(
            ("exception", "standing", "scope", "until", "files", "determined by", "approved by", "reason"),
            (
                (
                    row["exception_id"],
                    row["standing"] if row["here"] else f"{row['standing']}, elsewhere",
                    _scope(row),
                    _until(row),
                    row["files"],
                    escape(row["decided_by"]),
                    ", ".join(row["approved_by"]),
                    escape(row["reason"]),
                )
                for row in rows
            ),
        )
    else:
        say("no exception was ever handed in")


def _all(settings: Settings) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = ask(settings, "exceptions")
    except NotRunning:
        with looking.reading(settings) as ledger:
            files = ledger.exempted_by("exception")
            found = Agreements(ledger, lambda: settings.approvers).exceptions()
            host = looking.host_id(settings)
            rows = [plain_exception(e, host, files.get(e.terms.exception_id, 0)) for e in found]
    return rows


register(
    exceptions,
    "exception",
    _all,
    approves="Look at an exception and sign it, with your own key, on any machine.",
    adds="Hand a signed exception, or its revocation, to the service.",
    ends="End an exception. One approver is enough. What rested on it is judged again.",
)


def _scope(row: dict[str, Any]) -> str:
    what = "this content" if row["content"] else "files of this layout"
    places = [
        f"{name}: {escape(', '.join(row[name]))}" for name in ("agents", "roots", "devices") if row[name]
    ]
    return "; ".join([what, *places])


def _until(row: dict[str, Any]) -> str:
    soon = row["standing"] == "in_force" and row["days_left"] <= ENDING_DAYS
    return f"{row['valid_until']} ENDS SOON" if soon else str(row["valid_until"])
