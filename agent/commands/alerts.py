"""`recordwarden alerts`: what was told to the security team, and what an analyst decided."""

from __future__ import annotations

from pathlib import Path

import click

from agent.commands import looking
from agent.commands.asking import ask
from agent.commands.options import with_config, with_json
from agent.commands.terminal import say, say_fields, say_json, say_table, time_text
from agent.escape import escape
from config.load import load

_DETERMINATIONS = ("true_positive", "false_positive", "authorised", "inconclusive")


@click.group()
def alerts() -> None:
    """Alerts: list, show, decide, send again. An ID may be cut short as long as it stays unambiguous."""


@alerts.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@click.option("--recorded", is_flag=True, help="Also what was allowed and only written down.")
@with_config
@with_json
def list_(limit: int, recorded: bool, config_file: Path | None, as_json: bool) -> None:
    """List alerts, the newest first."""
    found = looking.alerts(load(config_file), limit, recorded)
    if as_json:
        for alert in found:
            say_json(alert)
    elif found:
        say_table(
            ("alert", "time", "disposition", "determination", "path"),
            (
                (a["alert_id"], time_text(a["updated_at"]), _disposition(a), a["determination"], a["path"])
                for a in found
            ),
        )
    else:
        say("no alerts")


@alerts.command("show")
@click.argument("alert_id", metavar="ID")
@with_config
@with_json
def show(alert_id: str, config_file: Path | None, as_json: bool) -> None:
    """Show one alert; with --json its OCSF record, as it goes to the sinks."""
    alert = looking.alert(load(config_file), alert_id)
    if as_json:
        say_json(alert["record"])
        return
    record = alert["record"]
    say_fields(
        (name, value)
        for name, value in (
            ("alert", alert["alert_id"]),
            ("path", alert["path"]),
            ("what", record.get("message")),
            ("disposition", _disposition(alert)),
            ("severity", record.get("severity")),
            ("state", alert["state"]),
            ("first seen", time_text(alert["created_at"])),
            ("changed", time_text(alert["updated_at"])),
            ("entry", alert["entry_id"]),
            ("determination", alert["determination"]),
            ("decided by", alert["decided_by"]),
            ("note", alert["note"]),
        )
        if value not in (None, "")
    )


@alerts.command("decide")
@click.argument("alert_id", metavar="ID")
@click.argument("determination", type=click.Choice(_DETERMINATIONS))
@click.option("--note", default="", help="Why; kept in the audit log.")
@with_config
@with_json
def decide(alert_id: str, determination: str, note: str, config_file: Path | None, as_json: bool) -> None:
    """Record what an analyst decided.

    After false_positive the same bytes are left alone in that root from now on. `authorised` is a note for
    the record: what lets a file be is an agreement, which two people sign (`recordwarden agreements`).
    """
    alert = ask(load(config_file), "decide", alert=alert_id, determination=determination, note=note)
    if as_json:
        say_json(alert)
    else:
        say(f"{alert['alert_id']}: {alert['determination']} ({escape(alert['path'])})")


@alerts.command("undelivered")
@with_config
@with_json
def undelivered(config_file: Path | None, as_json: bool) -> None:
    """List what has not arrived at a destination: dead letters first, then what waits.

    A dead letter was refused for good; the code says why. Mend that, then `alerts resend`.
    """
    found = ask(load(config_file), "undelivered")
    if as_json:
        for letter in found:
            say_json(letter)
    elif found:
        say_table(
            ("alert", "destination", "state", "attempts", "why", "path"),
            ((d["alert_id"], d["sink"], d["state"], d["attempts"], d["error"], d["path"]) for d in found),
        )
    else:
        say("everything has arrived")


@alerts.command("resend")
@click.argument("alert_id", metavar="[ID]", required=False)
@click.option("--to", "sink", metavar="NAME", help="Only to this destination, such as mail.")
@with_config
@with_json
def resend(alert_id: str | None, sink: str | None, config_file: Path | None, as_json: bool) -> None:
    """Send dead letters again, all or those of one alert; what waits is tried at once."""
    named = {"alert": alert_id, "sink": sink}
    done = ask(load(config_file), "resend", **{k: v for k, v in named.items() if v is not None})
    if as_json:
        say_json(done)
    else:
        say(f"{done['count']} dead letters are sent again")


def _disposition(alert: dict[str, object]) -> str:
    reason = f" ({alert['reason']})" if alert.get("reason") else ""
    return f"{alert['disposition']}{reason}"
