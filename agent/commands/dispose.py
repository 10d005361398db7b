"""`recordwarden quarantine dispose`: deleting an entry for good, on the word of two people."""

from __future__ import annotations

import os
from pathlib import Path

import click

from agent.commands.approving import approve, show_statement, write_statement
from agent.commands.asking import ask
from agent.commands.carrying import signed_request
from agent.commands.options import with_config, with_json, with_signing
from agent.commands.terminal import say, say_json
from agent.errors import Mistyped
from agent.escape import escape
from agent.statements import from_json
from config.load import load


@click.group()
def dispose() -> None:
    """Delete an entry from the vault, for good. Two approvers sign; nothing is ever deleted by itself.

    \b
    1. here:           dispose request ID --reason WHY --out FILE
    2. each approver:  dispose approve FILE --key KEYFILE
    3. here:           dispose complete FILE
    """


@dispose.command("request")
@click.argument("entry_id", metavar="ID")
@click.option("--reason", required=True, help="Why it need not be kept.")
@click.option(
    "--hours", type=click.FloatRange(0, 31 * 24, min_open=True), default=168, show_default=True,
    help="How long the request can be used.",
)  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="A new file.")
@with_config
@with_json
def request(
    entry_id: str, reason: str, hours: float, out: Path, config_file: Path | None, as_json: bool
) -> None:
    """Ask for a disposal, and write what the approvers must sign to FILE."""
    if os.path.lexists(out):
        raise Mistyped(f"{escape(out)} is there already", "name a new file")
    plain = ask(load(config_file), "disposal_request", entry=entry_id, reason=reason, hours=hours)
    envelope = from_json(plain)
    write_statement(out, envelope)
    if as_json:
        say_json({"file": str(out), **plain})
    else:
        show_statement(envelope)
        say(f"written to {escape(out)}: two approvers sign it with `... approve {escape(out)} --key KEYFILE`")


@dispose.command("approve")
@with_signing
def approve_(file: Path, key: Path, yes: bool, as_json: bool) -> None:
    """Look at a request and sign it, with your own key, on any machine."""
    approve(file, key, ("disposal",), yes, as_json)


@dispose.command("complete")
@click.argument("file", type=click.Path(path_type=Path))
@with_config
@with_json
def complete(file: Path, config_file: Path | None, as_json: bool) -> None:
    """Delete the entry that two people have signed for.

    FILE is the signed request, or its id if a bundle of the console brought it.
    """
    settings = load(config_file)
    envelope = signed_request(settings, file, "disposal")
    row = ask(settings, "dispose", envelope=envelope.to_json())
    if as_json:
        say_json(row)
    else:
        by = " and ".join(escape(name) for name in row["approved_by"])
        say(f"disposed of {row['entry_id']}, approved by {by}")
        say("copies that were exported or lie in vault.copy_to, and backups, are not touched by this")
