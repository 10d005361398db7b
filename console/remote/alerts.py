"""`recordwarden console alerts` and `views`: the inbox and an alert's page, from afar."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import click

from console.remote.connection import Remote
from console.remote.words import asks, say_json, say_one, say_rows

_STATES = ("open", "decided", "closed", "all")
_DETERMINATIONS = ("true_positive", "false_positive", "authorised", "inconclusive")
_WORDS = ("q", "zone", "tier", "disposition", "outcome", "agent", "determination", "person", "volume",
          "sha256", "assignee")  # fmt: skip
_COLUMNS = ("id", "updated", "severity", "zone", "tier", "disposition", "determination", "assignee", "path")
_AT_ONCE = 500
_STEPS = ("at", "who", "what", "detail")


@click.group()
def alerts() -> None:
    """Alerts: list, show, decide, note, assign, reopen. An ID of - reads them from standard input."""


def _filters(function: Any) -> Any:
    for name in reversed(_WORDS):
        option = {"q": "--search"}.get(name, f"--{name}")
        function = click.option(option, name, default="", help=_HELP.get(name, ""))(function)
    days = click.option("--days", type=click.IntRange(1, 36500), default=None, help="Changed within so many.")
    severity = click.option("--severity", type=click.IntRange(0, 6), default=0, help="At least this.")
    state = click.option("--state", type=click.Choice(_STATES), default=None, help="Open, unless said.")
    return state(severity(days(function)))


_HELP = {
    "q": "A part of the path, the workstation or the id.", "assignee": "A name, or nobody.",
    "person": "The user id that wrote it.", "volume": "The serial number of a device.",
    "agent": "A workstation's id.", "sha256": "The content's digest.",
}  # fmt: skip


@alerts.command("list")
@click.option("--view", default="", metavar="NAME", help="Begin with a view that you saved.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option("--all", "everything", is_flag=True, help="Without a limit.")
@_filters
@asks
def list_(remote: Remote, view: str, limit: int, everything: bool, as_json: bool, **filters: Any) -> None:
    """What needs a decision first: the gravest first, then the newest."""
    chosen = _view(remote, view) if view else {}
    chosen |= {key: value for key, value in filters.items() if value}
    say_rows(_pages(remote, chosen, None if everything else limit), _COLUMNS, as_json)


def _pages(remote: Remote, chosen: dict[str, Any], left: int | None) -> Iterator[dict[str, Any]]:
    """Page by page, so that the first rows are there while the last are not read yet."""
    while left is None or left > 0:
        size = _AT_ONCE if left is None else min(left, _AT_ONCE)
        told = remote.get("alerts", **{**chosen, "size": size})
        yield from told["alerts"]
        if not told["following"]:
            return
        left = None if left is None else left - len(told["alerts"])
        chosen = dict(parse_qsl(told["following"]))


@alerts.command("show")
@click.argument("alert_id", metavar="ID")
@asks
def show(remote: Remote, alert_id: str, as_json: bool) -> None:
    """All that is known of one; the look is told to the audit. With --json its OCSF record too."""
    told = remote.get("alerts", alert_id)
    if as_json:
        say_json(told)
        return
    info = told["record"].get("finding_info", {})
    say_one({**told["alert"], "what": info.get("desc") if isinstance(info, dict) else ""}, False)
    click.echo("")
    say_rows(told["timeline"], _STEPS, False)
    if told["related"]:
        click.echo("")
        say_rows(({"related": i, "shares": why} for i, why in told["related"].items()),
                 ("related", "shares"), False)  # fmt: skip


@alerts.command("decide")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.argument("determination", type=click.Choice(_DETERMINATIONS))
@click.option("--note", default="", help="Why. `authorised` needs one: by whom, and by which agreement.")
@asks
def decide(remote: Remote, ids: Sequence[str], determination: str, note: str, as_json: bool) -> None:
    """Record a determination about some alerts: about each 500 of them, all or none."""
    _each(remote, "decisions", ids, {"determination": determination, "note": note}, as_json)


@alerts.command("note")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--note", required=True, help="What the next one is to know; it stays in the timeline.")
@asks
def note_(remote: Remote, ids: Sequence[str], note: str, as_json: bool) -> None:
    """Write a note without deciding."""
    _each(remote, "notes", ids, {"note": note}, as_json)


@alerts.command("assign")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--to", required=True, metavar="NAME", help="An analyst's name, `me`, or `nobody`.")
@asks
def assign(remote: Remote, ids: Sequence[str], to: str, as_json: bool) -> None:
    """Say who is on them."""
    _each(remote, "assignments", ids, {"to": {"me": "@me", "nobody": ""}.get(to, to)}, as_json)


@alerts.command("reopen")
@click.argument("alert_id", metavar="ID")
@asks
def reopen(remote: Remote, alert_id: str, as_json: bool) -> None:
    """Take a determination back."""
    say_rows([remote.post("alerts", alert_id, "reopen")], _COLUMNS, as_json)


def _each(remote: Remote, deed: str, ids: Sequence[str], body: dict[str, Any], as_json: bool) -> None:
    wanted = [i for given in ids for i in (_typed() if given == "-" else (given,))]
    for first in range(0, len(wanted), _AT_ONCE):
        told = remote.post(deed, body={"alerts": wanted[first : first + _AT_ONCE], **body})
        say_rows(told, _COLUMNS, as_json)


def _typed() -> list[str]:
    return [line.strip() for line in sys.stdin if line.strip()]


@click.group()
def views() -> None:
    """Saved views of the inbox, your own: list, save, forget. `alerts list --view NAME` uses one."""


@views.command("list")
@asks
def list_views(remote: Remote, as_json: bool) -> None:
    """By name, with what they filter."""
    say_rows(remote.get("views"), ("name", "query"), as_json)


@views.command("save")
@click.argument("name")
@_filters
@asks
def save(remote: Remote, name: str, as_json: bool, **filters: Any) -> None:
    """Keep these filters under a name; a view of that name is replaced."""
    query = urlencode({key: value for key, value in filters.items() if value})
    say_one(remote.post("views", body={"name": name, "query": query}), as_json)


@views.command("forget")
@click.argument("name")
@asks
def forget(remote: Remote, name: str, as_json: bool) -> None:
    """Delete one."""
    say_one(remote.post("views", "forget", body={"name": name}), as_json)


def _view(remote: Remote, name: str) -> dict[str, Any]:
    for found in remote.get("views"):
        if found["name"] == name:
            return dict(parse_qsl(found["query"]))
    raise click.UsageError("you have no view of that name: see `recordwarden console views list`")
