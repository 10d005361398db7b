"""`recordwarden audit`: is the log whole, and what is in it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from agent import audit as log
from agent.commands.looking import reading
from agent.commands.options import with_config, with_json
from agent.commands.terminal import count, say, say_json
from agent.errors import Mistyped, NotFound, NotPermitted
from agent.escape import escape
from config.load import load
from config.settings import Settings


@click.group()
def audit() -> None:
    """The audit log: every judgement that led to something, and every command, chained by digests."""


@audit.command("verify")
@click.option(
    "--alerts",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Alerts that were kept elsewhere, one JSON object a line: each has the log's head of its time.",
)
@with_config
@with_json
def verify(alerts: Path | None, config_file: Path | None, as_json: bool) -> int:
    """Find lines that were changed, removed or reordered, or an end that was cut off. Exit code 1 if so.

    Somebody who can write the whole log can also make a new one that is whole. It is found out by
    alerts that have left the machine.
    """
    settings = load(config_file)
    with reading(settings) as ledger:
        head = log.stored_head(ledger)  # read first: the log may grow meanwhile, the head must not be ahead
    number, faults = log.verify(log_of(settings), head)
    if alerts is not None:
        faults += log.anchor_faults(log_of(settings), _heads(alerts))
    if as_json:
        for fault in faults:
            say_json(asdict(fault))
        say_json({"lines": number, "whole": not faults})
    else:
        for fault in faults:
            say(f"line {fault.line}: {fault.kind}: {escape(fault.detail)}", fg="red")
        say(
            f"{count(number, 'line')}, {count(len(faults), 'fault')}"
            if faults
            else f"{count(number, 'line')}, whole"
        )
    return 1 if faults else 0


def _heads(alerts: Path) -> list[tuple[int, str]]:
    found = []
    for number, line in enumerate(alerts.read_bytes().splitlines(), 1):
        try:
            head = json.loads(line).get("unmapped", {}).get("audit_head")
            if head:
                found.append((int(head["sequence"]), str(head["digest"])))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Mistyped(f"line {number} of the file is no alert") from None
    return found


@audit.command("export")
@click.option("--from", "since", type=click.DateTime(), help="The first day or moment (UTC).")
@click.option("--to", "until", type=click.DateTime(), help="The first day or moment after (UTC).")
@with_config
@with_json
def export(since: datetime | None, until: datetime | None, config_file: Path | None, as_json: bool) -> None:
    """Print the entries of a span of time with their chain: always JSON, one object a line."""
    first = since.replace(tzinfo=UTC).timestamp() if since else 0.0
    last = until.replace(tzinfo=UTC).timestamp() if until else float("inf")
    for entry in log.export(log_of(load(config_file)), first, last):
        say_json(entry)


def log_of(settings: Settings) -> Path:
    """Where the log is; raises `NotFound` or `NotPermitted`."""
    path = settings.state_dir / "audit.jsonl"
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise NotFound(
            f"there is no audit log in {escape(settings.state_dir)}", "is it the right --config?"
        ) from None
    except PermissionError:
        raise NotPermitted(f"you may not look into {escape(settings.state_dir)}", "ask as root") from None
    return path
