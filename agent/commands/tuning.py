"""`recordwarden tuning`: how the detectors of a fleet are set, as a paper that two people sign."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from agent.commands.approving import one_of, show_statement, write_statement
from agent.commands.examination import check_detectors
from agent.commands.options import with_config, with_json
from agent.commands.registered import register, show_file
from agent.commands.terminal import say, say_fields, say_json, say_table
from agent.commands.tuned import rows_of, text_of
from agent.errors import Mistyped
from agent.escape import escape
from agent.statements import BadStatement, Tuning, seal
from config.load import load
from config.settings import Settings
from config.tuning import tuned


@click.group()
def tuning() -> None:
    """Tuning of detectors for a whole fleet. Two people sign each; the newest in force counts.

    \b
    1. tuning new FILE --settings TOML --reason WHY   write it; `what-if --tuning TOML` shows what it changes
    2. tuning approve FILE --key KEYFILE              each approver signs (owner, officer)
    3. tuning add FILE                                hand it to a workstation, or to the console for all
    """


@tuning.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--settings", "toml", type=click.Path(path_type=Path), required=True, metavar="TOML",
    help="[detectors.NAME] tables as in a configuration, and nothing else.",
)  # fmt: skip
@click.option("--reason", required=True, help="Why.")
@click.option("--agent", "agents", multiple=True, metavar="ID", help="On this workstation only; repeatable.")
@click.option(
    "--review", type=click.DateTime(formats=["%Y-%m-%d"]), help="The day of review [default: in a year]."
)
@click.option("--id", "number", default="", metavar="ID", help="Its number [default: by its day].")
@with_json
def new(
    file: Path, toml: Path, reason: str, agents: tuple[str, ...], review: datetime | None, number: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Write a tuning to FILE, for signing, if the detectors of this version take it."""
    now = time.time()
    review = review or datetime.fromtimestamp(now + 365 * 86400, UTC)
    wanted = Tuning.made(text_of(toml), reason, agents, review.date().isoformat(), now, number)
    try:
        envelope = seal(wanted)
    except BadStatement as error:
        raise Mistyped(f"{escape(toml)}: {error}", "see `recordwarden tuning new --help`") from None
    check_detectors(tuned(Settings(), wanted.stanzas), str(toml))
    write_statement(file, envelope)
    if as_json:
        say_json({"file": str(file), **envelope.to_json()})
    else:
        show_statement(envelope)


@tuning.command("list")
@with_config
@with_json
def list_(config_file: Path | None, as_json: bool) -> None:
    """List all tunings that were ever handed in, the newest first, and which of them counts."""
    rows = rows_of(load(config_file))
    if as_json:
        for row in rows:
            say_json(row)
    elif rows:
        say_table(
            ("tuning", "standing", "here", "review", "approved by", "reason"),
            (
                (
                    row["tuning_id"],
                    row["standing"],
                    _here(row),
                    f"{row['review_by']} OVERDUE" if row["review_overdue"] else row["review_by"],
                    ", ".join(row["approved_by"]),
                    escape(row["reason"]),
                )
                for row in rows
            ),
        )
    else:
        say("no tuning was ever handed in")


@tuning.command("show")
@click.argument("what", metavar="ID|FILE")
@with_config
@with_json
def show(what: str, config_file: Path | None, as_json: bool) -> None:
    """Show one tuning of the register, or what a file says."""
    if show_file(what, "tuning", as_json):
        return
    row = one_of(rows_of(load(config_file)), "tuning", what)
    if as_json:
        say_json(row)
        return
    lists = ("agents", "approved_by", "may_find_less")
    say_fields(
        (name.replace("_", " "), "; ".join(row[name]) if name in lists else row[name])
        for name in ("tuning_id", "standing", "why", "reason", *lists, "review_by", "terms_sha256")
        if row[name]
    )
    say_fields([("here", _here(row))])
    for line in row["settings"]:
        say(f"  {escape(line)}")


register(
    tuning,
    "tuning",
    rows_of,
    approves="Look at a tuning and sign it, with your own key, on any machine.",
    adds="Hand a tuning, more signatures for it, or its signed revocation to the service.",
    ends="End a tuning. One approver is enough. The one before it counts again, or else none.",
)


def _here(row: dict[str, Any]) -> str:
    if row["counts"]:
        return "COUNTS"
    if row["refused"]:
        return f"refused: {row['refused']}"
    return "no" if row["here"] else "for others"
