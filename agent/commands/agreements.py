"""`recordwarden agreements`: the register of Data Access Agreements; the report of all authorised access."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from agent.agreements import Agreements, Sighting
from agent.commands import looking
from agent.commands.approving import one_of, show_statement, write_statement
from agent.commands.asking import ask
from agent.commands.authorised import report
from agent.commands.examination import examination
from agent.commands.options import with_config, with_json
from agent.commands.registered import register, show_file
from agent.commands.terminal import say, say_fields, say_json, say_table
from agent.commands.walk import walk
from agent.custodian import checked, plain_agreement
from agent.errors import Mistyped, NotRunning
from agent.escape import escape
from agent.report import iso
from agent.statements import BadStatement, Terms, seal
from config.load import load, source_of
from config.settings import Settings
from detectors.engine.verdict import Verdict

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DAY = click.DateTime(formats=["%Y-%m-%d"])
_COLOURS = {"in_force": "green", "revoked": "red", "lapsed": "red", "expired": "yellow", "pending": "yellow"}


@click.group()
def agreements() -> None:
    """Data Access Agreements: who may hold which data where. Two people sign each of them.

    \b
    1. agreements new FILE --id ID --holder WHO ...   write the terms
    2. agreements approve FILE --key KEYFILE          each approver signs (owner, officer)
    3. agreements add FILE                            hand it to each workstation that it concerns
    """


@agreements.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--id", "agreement_id", required=True, metavar="ID", help="Its number in your register.")
@click.option("--holder", required=True, help="Who may hold the data.")
@click.option("--purpose", required=True, help="What for.")
@click.option("--condition", "conditions", multiple=True, help="What they must keep to; repeatable.")
@click.option("--content", multiple=True, metavar="FILE|DIGEST", help="This very content; repeatable.")
@click.option("--layout-of", "alike", multiple=True, metavar="FILE", help="A layout like FILE's; repeatable.")
@click.option("--root", "roots", multiple=True, metavar="FOLDER", help="In this folder of a configured root.")
@click.option("--device", "devices", multiple=True, metavar="UUID", help="On the volume with this UUID.")
@click.option("--from", "valid_from", type=_DAY, help="The first day [default: today].")
@click.option("--until", "valid_until", type=_DAY, required=True, help="The last day.")
@click.option("--review", "review_by", type=_DAY, required=True, help="The day of review, within five years.")
@with_config
@with_json
def new(file: Path, config_file: Path | None, as_json: bool, **given: Any) -> None:
    """Write the terms of an agreement to FILE, for signing.

    What the options name narrows it: the data by --content or --layout-of, the place by --root or --device.
    A layout is the order of numbers, dates and texts alone: it fits every file that is built alike.
    """
    now = time.time()
    first = given["valid_from"] or datetime.fromtimestamp(now, UTC)
    try:
        envelope = seal(
            Terms(
                agreement_id=given["agreement_id"],
                holder=given["holder"],
                purpose=given["purpose"],
                conditions=given["conditions"],
                content=tuple(_digest_of(what) for what in given["content"]),
                layouts=_layouts(given["alike"], config_file),
                roots=tuple(os.path.normpath(root) for root in given["roots"]),
                devices=given["devices"],
                valid_from=first.date().isoformat(),
                valid_until=given["valid_until"].date().isoformat(),
                review_by=given["review_by"].date().isoformat(),
                made_at=int(now),
            )
        )
    except BadStatement as error:
        raise Mistyped(f"that is no agreement: {error}", "see `recordwarden agreements new --help`") from None
    write_statement(file, envelope)
    if as_json:
        say_json({"file": str(file), **envelope.to_json()})
    else:
        show_statement(envelope)


@agreements.command("list")
@with_config
@with_json
def list_(config_file: Path | None, as_json: bool) -> None:
    """List all agreements that were ever handed in, and how they stand."""
    rows = _all(load(config_file))
    if as_json:
        for row in rows:
            say_json(row)
    elif rows:
        say_table(
            ("agreement", "standing", "holder", "valid", "review", "approved by"),
            (
                (
                    r["agreement_id"],
                    r["standing"],
                    r["holder"],
                    f"{r['valid_from']} to {r['valid_until']}",
                    f"{r['review_by']} OVERDUE" if r["review_overdue"] else r["review_by"],
                    ", ".join(r["approved_by"]),
                )
                for r in rows
            ),
        )
    else:
        say("no agreement was ever handed in")


@agreements.command("show")
@click.argument("agreement", metavar="ID|FILE")
@with_config
@with_json
def show(agreement: str, config_file: Path | None, as_json: bool) -> None:
    """Show one agreement of the register, or what a file says."""
    if show_file(agreement, "agreement", as_json):
        return
    row = one_of(_all(load(config_file)), "agreement", agreement)
    if as_json:
        say_json(row)
        return
    say_fields(
        (name.replace("_", " "), _shown(name, value))
        for name, value in row.items()
        if value not in ("", None, [], False)
    )


@agreements.command("check")
@click.argument("what", metavar="FILE|DIGEST")
@with_config
@with_json
def check(what: str, config_file: Path | None, as_json: bool) -> int:
    """Say which agreements would hold for a file where it lies, or for a content. Exit code 1 if none."""
    settings = load(config_file)
    path = str(Path(what).parent.resolve() / Path(what).name) if not _DIGEST.fullmatch(what) else ""
    layout = _layout_of(what, config_file) if path else ""
    asked = {"path": path, "sha256": _digest_of(what), "layout": layout}
    try:
        rows = ask(settings, "agreement_check", **asked)
    except NotRunning:
        with looking.reading(settings) as ledger:
            known = Agreements(ledger, lambda: settings.approvers).all()
        configured = any(Path(path).is_relative_to(r.path) for r in settings.watch.roots) if path else False
        seen = Sighting(path, configured, "", asked["sha256"], layout)
        rows = [checked(a, seen) for a in known]
    for row in rows:
        if as_json:
            say_json(row)
        else:
            verdict = "holds" if row["holds"] else f"does not hold: {row['why_not']}"
            say(f"{row['agreement_id']}  {escape(row['holder'])}  {escape(verdict)}")
    if not rows and not as_json:
        say("no agreement was ever handed in")
    return 0 if any(row["holds"] for row in rows) else 1


agreements.add_command(report)


def _all(settings: Settings) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = ask(settings, "agreements")
    except NotRunning:
        with looking.reading(settings) as ledger:
            rows = [plain_agreement(a) for a in Agreements(ledger, lambda: settings.approvers).all()]
    return rows


register(
    agreements,
    "agreement",
    _all,
    approves="Look at an agreement and sign it, with your own key, on any machine.",
    adds="Hand an agreement, more signatures for it, or a signed revocation to the service.",
    ends="End an agreement. One approver is enough. What rested on it is judged again.",
    written_for="other workstations",
    colours=_COLOURS,
)


def _layouts(files: Sequence[str], config_file: Path | None) -> tuple[str, ...]:
    found = tuple(_layout_of(file, config_file) for file in files)
    if not all(found):
        raise Mistyped(
            "no layout: not a table of records with enough variables", "see `recordwarden explain`"
        )
    return found


def _layout_of(file: str, config_file: Path | None) -> str:
    """What a worker says of a file's layout; "" if that is nothing."""
    settings = load(config_file)
    with examination(settings, source_of(config_file)) as workers:
        verdict: Verdict = workers.submit(next(walk(file))).result()
    return verdict.layout


def _digest_of(what: str) -> str:
    """A digest as it is, or that of a file's content."""
    if _DIGEST.fullmatch(what):
        return what
    try:
        with open(what, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Mistyped(
            f"{escape(what)}: {error.strerror}", "give a file, or a SHA-256 digest in hex"
        ) from None


def _shown(name: str, value: Any) -> object:
    if name.endswith("_at"):
        return iso(value)
    return "; ".join(value) if isinstance(value, list) else value
