"""`recordwarden baseline`: the files that were in a share or local root before it was ever watched."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from agent.commands.asking import ask
from agent.commands.options import with_config, with_json
from agent.commands.terminal import count, say, say_json, say_table, time_text
from config.load import load


@click.group()
def baseline() -> None:
    """Files that were there before their place was watched. They are reported and not taken, until you
    have them enforced. New and changed files are always enforced.

    \b
    recordwarden alerts list --recorded      names them one by one (first_contact)
    recordwarden baseline enforce            all of them, as fast as the circuit breaker lets
    recordwarden baseline enforce /srv/returns --since 2024-01-01
    """


@baseline.command("list")
@click.argument("root", required=False)
@with_config
@with_json
def list_(root: str | None, config_file: Path | None, as_json: bool) -> None:
    """How many old files wait for a decision, root by root."""
    found = ask(load(config_file), "baseline", **_named(root))
    if as_json:
        for row in found:
            say_json(row)
        return
    say_table(
        ("root", "waiting", "first contact"),
        ((r["path"], sum(r["held"].values()), _contact(r)) for r in found),
    )


def _contact(row: dict[str, Any]) -> str:
    contact = row["contact"]
    if not row["applies"]:
        return "enforced from the first file"
    if "ended" not in contact:
        return "first sweep under way"
    told = f"until {time_text(contact['ended'])}"
    if contact.get("enforced"):
        told += "; enforced"
    if contact.get("accepted_by"):
        told += f"; accepted by {contact['accepted_by']}"
    return told


def _decision(do: str, help_text: str) -> click.Command:
    @baseline.command(do, help=help_text)
    @click.argument("root", required=False)
    @click.option("--since", type=click.DateTime(), help="Only those last modified then (UTC) or later.")
    @click.option("--before", type=click.DateTime(), help="Only those last modified before (UTC).")
    @click.option("--note", default="", help="Why; kept in the audit log.")
    @with_config
    @with_json
    def command(
        root: str | None,
        since: datetime | None,
        before: datetime | None,
        note: str,
        config_file: Path | None,
        as_json: bool,
    ) -> None:
        told = ask(
            load(config_file), "baseline_decide", do=do, note=note, since=_seconds(since),
            before=_seconds(before), **_named(root),
        )  # fmt: skip
        if as_json:
            say_json(told)
        else:
            say(f"{do}: {count(told['files'], 'file')}; they are judged again now")

    return command


accept = _decision(
    "accept", "Old files wait no longer: they stay, and stay on record, with your name. Exempts nothing."
)
enforce = _decision("enforce", "Old files are taken like new ones, as fast as the circuit breaker lets.")


def _seconds(moment: datetime | None) -> float | None:
    return moment.replace(tzinfo=UTC).timestamp() if moment else None


def _named(root: str | None) -> dict[str, str]:
    return {} if root is None else {"root": root}
