"""`recordwarden agreements report`: full details of all authorised access."""

from __future__ import annotations

import csv
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from agent import audit
from agent.agreements import Agreements
from agent.commands import looking
from agent.commands.audit import log_of
from agent.commands.options import with_config, with_json
from agent.commands.terminal import count, say, say_fields, say_json
from agent.escape import escape
from agent.report import COLUMNS, Span, authorised_access, for_spreadsheet, iso
from config.load import load

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("report")
@click.option("--from", "since", type=_DAY, help="The first day (UTC) [default: the beginning].")
@click.option("--to", "until", type=_DAY, help="The first day after (UTC) [default: now].")
@click.option("--holder", default="", help="Only what this holder was authorised to.")
@click.option(
    "--format", "form", type=click.Choice(["text", "csv", "json"]), default="text", show_default=True
)
@with_config
@with_json
def report(
    since: datetime | None,
    until: datetime | None,
    holder: str,
    form: str,
    config_file: Path | None,
    as_json: bool,
) -> int:
    """Full details of all authorised access: agreements, exemptions, what was given back, and by whose word.

    Made from the register and the audit log. Exit code 1 if that log is not whole: then something may lack.
    """
    settings = load(config_file)
    first = since.replace(tzinfo=UTC).timestamp() if since else 0.0
    last = until.replace(tzinfo=UTC).timestamp() if until else time.time() + 1
    log = log_of(settings)
    with looking.reading(settings) as ledger:
        head, waiting = audit.stored_head(ledger), ledger.audit_waiting()
        known = Agreements(ledger, lambda: settings.approvers).all()
        alerts = {a.alert_id: a.record for a in ledger.alerts(recorded=True)}
    events = list(audit.export(log, first, last))
    written = {event["number"] for event in events}
    events += [event for number, event in waiting if number not in written]
    rows = list(
        authorised_access(known, events, alerts, Span(first, last, holder), looking.host_id(settings))
    )
    faults = audit.verify(log, head)[1]
    if as_json or form == "json":
        span = {"report": "authorised access", "from": iso(first), "to": iso(last), "holder": holder or None}
        say_json({**span, "rows": len(rows), "audit_log_whole": not faults})
        for row in rows:
            say_json(row)
    elif form == "csv":
        table = csv.writer(sys.stdout)
        table.writerow(COLUMNS)
        table.writerows([[for_spreadsheet(escape(row[name])) for name in COLUMNS] for row in rows])
    else:
        _say_report(rows, first, last, holder)
    if faults:
        say(
            f"recordwarden: warning: the audit log has {count(len(faults), 'fault')}: see `recordwarden audit"
            " verify`",
            error=True,
            fg="red",
        )
    return 1 if faults else 0


def _say_report(rows: list[dict[str, str]], first: float, last: float, holder: str) -> None:
    whose = f" of {escape(holder)}" if holder else ""
    say(f"Authorised access{whose}, {iso(first)} to {iso(last)}: {count(len(rows), 'record')}", bold=True)
    for row in rows:
        say()
        say_fields((name.replace("_", " "), value) for name, value in row.items() if value)
