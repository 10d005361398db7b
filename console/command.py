"""`recordwarden console`: serves it; has what is done at its machine, and what its pages do from afar.

Each sub-command's module is imported when it is used: to ask a console takes none of what serving one does.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import click

from config.load import load

HERE, AFAR = "console.local", "console.remote"


class Part(NamedTuple):
    """Where a sub-command lives, and its line in `--help`."""

    module: str
    name: str
    help: str


COMMANDS: Mapping[str, Part] = {
    "user": Part(HERE, "user", "Local accounts: add, list, password."),
    "agent": Part(HERE, "agent", "Workstations: a token that lets one in."),
    "audit": Part(HERE, "audit_", "The console's audit: verify."),
    "alerts": Part(f"{AFAR}.alerts", "alerts", "Alerts: list, show, decide, note, assign, reopen."),
    "views": Part(f"{AFAR}.alerts", "views", "Saved views of the inbox: list, save, forget."),
    "agents": Part(f"{AFAR}.oversight", "agents", "Workstations: list, show, token, revoke."),
    "trends": Part(f"{AFAR}.oversight", "trends", "How many alerts, and how often detectors were wrong."),
    "custody": Part(f"{AFAR}.oversight", "custody", "What the workstations' vaults hold."),
    "agreements": Part(f"{AFAR}.papers", "agreements", "Data Access Agreements: list, hand in, report."),
    "exceptions": Part(
        f"{AFAR}.papers", "exceptions", "Exceptions for false alarms: list, propose, hand in."
    ),
    "tuning": Part(f"{AFAR}.papers", "tuning", "Tuning of detectors: list, propose, hand in."),
    "requests": Part(f"{AFAR}.papers", "requests", "Requests to release and to delete: list, hand in."),
    "audit-trail": Part(f"{AFAR}.oversight", "audit_trail", "Who looked at what and who did what."),
    "erase": Part(f"{AFAR}.oversight", "erase", "Erase old alerts."),
    "people": Part(f"{AFAR}.people", "people", "Accounts: list, add, change."),
}
"""Those of `console.local` open the database of this machine; all others ask a console by HTTP."""


class Parts(click.Group):
    """The sub-commands, each imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """By where they work."""
        for title, is_here in (("At its machine", True), ("From afar, with a personal token", False)):
            with formatter.section(title):
                told = ((name, part) for name, part in COMMANDS.items() if (part.module == HERE) == is_here)
                formatter.write_dl([(name, part.help) for name, part in told])


@click.group(cls=Parts, invoke_without_command=True)
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="The configuration."
)
@click.pass_context
def console(context: click.Context, config_file: Path | None) -> None:
    """The review console: a web application for the security team.

    Without a sub-command it serves, on 127.0.0.1:8710 unless `[console]` says otherwise. `user`, `agent` and
    `audit` work on its database, at its machine; all others ask a console, here or elsewhere, with a personal
    token, and do what its pages do.
    """
    if context.invoked_subcommand is not None and COMMANDS[context.invoked_subcommand].module != HERE:
        return
    settings = load(config_file)
    context.obj = settings.console
    if context.invoked_subcommand is None:
        from console.local import serve

        serve(settings.console, settings.approvers)
