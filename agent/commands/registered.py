"""What the groups of agreements, exceptions and tunings have alike: approve, add, revoke, import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from agent.commands.approving import approve, hand_in, one_of, read_statement, revoke_with, show_statement
from agent.commands.carrying import import_
from agent.commands.options import with_config, with_json, with_key, with_signing
from agent.commands.terminal import say_json
from config.load import load
from config.settings import Settings

RowsOf = Callable[[Settings], list[dict[str, Any]]]
"""All of one kind in the register, as the service tells them or its ledger."""


def register(
    group: click.Group,
    kind: str,
    rows_of: RowsOf,
    *,
    approves: str,
    adds: str,
    ends: str,
    written_for: str = "the console and others",
    colours: Mapping[str, str] | None = None,
) -> None:
    """Give a group these commands; `approves`, `adds` and `ends` are what each says of itself."""
    kinds = (kind, "revocation")

    @group.command("approve", help=approves)
    @with_signing
    def approve_(file: Path, key: Path, yes: bool, as_json: bool) -> None:
        approve(file, key, kinds, yes, as_json)

    @group.command("add", help=adds)
    @click.argument("file", type=click.Path(path_type=Path))
    @with_config
    @with_json
    def add(file: Path, config_file: Path | None, as_json: bool) -> None:
        hand_in(read_statement(file, *kinds), load(config_file), as_json, colours)

    @group.command("revoke", help=ends)
    @click.argument("number", metavar="ID")
    @with_key
    @click.option("--reason", required=True, help="Why.")
    @click.option(
        "--out", type=click.Path(path_type=Path), metavar="FILE", help=f"Write it for {written_for}."
    )
    @with_config
    @with_json
    def revoke(
        number: str, key: Path, reason: str, out: Path | None, config_file: Path | None, as_json: bool
    ) -> None:
        settings = load(config_file)
        revoke_with(settings, one_of(rows_of(settings), kind, number), kind, key, reason, out, as_json)

    group.add_command(import_)


def show_file(what: str, kind: str, as_json: bool) -> bool:
    """Show what a file says, if `what` is one."""
    if not Path(what).is_file():
        return False
    envelope = read_statement(Path(what), kind, "revocation")
    say_json(envelope.to_json()) if as_json else show_statement(envelope)
    return True
