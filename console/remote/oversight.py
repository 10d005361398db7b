"""`recordwarden console agents`, `trends`, `custody`, `audit-trail` and `erase`: these pages, from afar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from console.remote.connection import Remote
from console.remote.words import asks, say_one, say_rows

_STATES = ("all", "silent", "uncovered", "behind", "revoked")
_AGENT = (
    "id",
    "hostname",
    "version",
    "seen_at",
    "roots",
    "uncovered",
    "bundle",
    "papers_refused",
    "revoked_at",
)
_ROOT = ("path", "zone", "mode", "covered", "coverage", "fault")
_HELD = ("entry", "agent", "hostname", "updated", "review_at", "disposition", "determination", "id")
_ENTRY = ("sequence", "at", "actor", "action", "subject", "detail")


@click.group()
def agents() -> None:
    """Workstations: list, show; for administrators token and revoke."""


@agents.command("list")
@click.option("--state", type=click.Choice(_STATES), default="all", show_default=True, help="Only these.")
@asks
def list_(remote: Remote, state: str, as_json: bool) -> None:
    """All of them, by id, with how much they see."""
    say_rows(_following(remote, "agents", "agents", state=state), _AGENT, as_json)


@agents.command("show")
@click.argument("agent_id", metavar="ID")
@asks
def show(remote: Remote, agent_id: str, as_json: bool) -> None:
    """One, with what it says of each place that it watches."""
    told = remote.get("agents", agent_id)
    if as_json:
        say_one(told, True)
        return
    say_one({**told["agent"], "waiting": told["waiting"], "papers_fault": told["papers_fault"]}, False)
    click.echo("")
    say_rows(told["roots"], _ROOT, False)


@agents.command("token")
@click.option("--note", default="", help="For whom it is.")
@click.option("--agent", metavar="ID", help="Only for this one, which may change its key with it.")
@asks
def token(remote: Remote, note: str, agent: str | None, as_json: bool) -> None:
    """A token that enrols one workstation, once, within 24 hours; shown this once."""
    say_one(remote.post("agents", "tokens", body={"note": note, "agent": agent}), as_json)


@agents.command("revoke")
@click.argument("agent_id", metavar="ID")
@asks
def revoke(remote: Remote, agent_id: str, as_json: bool) -> None:
    """Take nothing more from one, until it is enrolled anew."""
    say_rows([remote.post("agents", agent_id, "revoke")], _AGENT, as_json)


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 3650), default=30, show_default=True, help="Seen first within."
)
@asks
def trends(remote: Remote, days: int, as_json: bool) -> None:
    """How many alerts of which kind, and how often each detector was wrong."""
    told = remote.get("trends", days=days)
    if as_json:
        say_one(told, True)
        return
    click.echo(f"alerts\t{told['total']}")
    for group in ("zones", "tiers", "dispositions", "determinations"):
        click.echo("")
        say_rows(({group: b["label"], "alerts": sum(b["numbers"])} for b in told[group]),
                 (group, "alerts"), False)  # fmt: skip
    click.echo("")
    say_rows(told["detectors"], ("name", "alerts", "decided", "false", "rate"), False)


@click.command()
@asks
def custody(remote: Remote, as_json: bool) -> None:
    """What the workstations' vaults hold, as far as they told: the newest first."""
    say_rows(_following(remote, "custody", "entries"), _HELD, as_json)


@click.group("audit-trail")
def audit_trail() -> None:
    """Who looked at what and who did what: list, verify."""


@audit_trail.command("list")
@click.option("--actor", default="", metavar="NAME", help="Of one person.")
@click.option("--subject", default="", help="About one thing, such as alert:ID.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@asks
def list_entries(remote: Remote, actor: str, subject: str, limit: int, as_json: bool) -> None:
    """The newest first. That you looked is an entry too."""
    found: list[dict[str, Any]] = []
    before = 0
    while len(found) < limit:
        told = remote.get("audit", actor=actor, subject=subject, before=before)
        found += told["entries"]
        before = told["following"]
        if not before:
            break
    say_rows(found[:limit], _ENTRY, as_json)


@audit_trail.command("verify")
@asks
def verify(remote: Remote, as_json: bool) -> int:
    """Whether each entry continues the one before; exit code 1 if not."""
    told = remote.post("audit", "verify")
    say_one(told, as_json)
    return int(bool(told["faults"]))


@click.command()
@click.option("--days", type=click.IntRange(1, 36500), required=True, help="Last changed before so many.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@asks
def erase(remote: Remote, days: int, yes: bool, as_json: bool) -> None:
    """Erase alerts that were decided or closed, and are old; for data protection officers."""
    if not yes:
        click.confirm(f"Erase what was last changed more than {days} days ago?", abort=True, err=True)
    say_one(remote.post("erasures", body={"days": days}), as_json)


def _following(remote: Remote, page: str, key: str, **query: Any) -> Iterator[dict[str, Any]]:
    """The rows of all pages."""
    after = ""
    while True:
        told = remote.get(page, **query, after=after)
        yield from told[key]
        after = told["following"]
        if not after:
            return
