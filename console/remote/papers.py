"""`recordwarden console agreements`, `exceptions`, `tuning`, `requests`: what people sign, from afar.

Nothing here signs: `recordwarden agreements approve` and `quarantine … approve` do, with a key file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from console.remote.connection import USAGE, Remote, Trouble
from console.remote.words import asks, say_json, say_one, say_rows
from console.shown import paragraphs

_COLUMNS = ("kind", "id", "standing", "why", "approved_by", "review_overdue", "added_at")
_MOST_BYTES = 4 * 1024 * 1024
_OUT = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Into this new file, not on the screen."
)
_KIND = click.argument("kind", type=click.Choice(("release", "disposal")))
_DOCUMENT = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def agreements() -> None:
    """Data Access Agreements: list, show, document, revocation, hand-in, report, bundle."""


@click.group()
def requests() -> None:
    """Requests to release and to delete: list, show, document, hand-in."""


@click.group()
def exceptions() -> None:
    """Exceptions for false alarms: list, show, propose, document, revocation, hand-in."""


@click.group()
def tuning() -> None:
    """Tuning of the workstations' detectors: list, show, propose, document, revocation, hand-in."""


@exceptions.command("propose")
@click.argument("alert_id", metavar="ALERT")
@click.option(
    "--scope", type=click.Choice(("content", "layout")), required=True, help="What the file is told by."
)
@click.option("--every-agent", is_flag=True, help="On every workstation, not only on the alert's.")
@click.option(
    "--place", type=click.Choice(("anywhere", "folder", "device")), default="anywhere", show_default=True,
    help="Anywhere, in the folder of the alert's file, or on its device.",
)  # fmt: skip
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="How long.")
@click.option("--reason", required=True, help="Why it is a false alarm.")
@asks
def propose(
    remote: Remote, alert_id: str, scope: str, every_agent: bool, place: str, days: int, reason: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Propose one for an alert that was found a false positive. Two people sign it."""
    body = {"scope": scope, "every_agent": every_agent, "place": place, "days": days, "reason": reason}
    say_rows([remote.post("alerts", alert_id, "exception", body=body)], _COLUMNS, as_json)


@tuning.command("propose")
@click.option(
    "--settings", "file", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="TOML",
    help="[detectors.NAME] tables as in a configuration, and nothing else.",
)  # fmt: skip
@click.option("--reason", required=True, help="Why.")
@click.option("--agent", "agents", multiple=True, metavar="ID", help="On this workstation only; repeatable.")
@click.option(
    "--review-days",
    type=click.IntRange(1, 1825),
    default=365,
    show_default=True,
    help="To be looked at again.",
)
@asks
def propose_tuning(
    remote: Remote, file: Path, reason: str, agents: tuple[str, ...], review_days: int, as_json: bool
) -> None:
    """Propose how detectors judge on the workstations. Two people sign it."""
    body = {"settings": _read(file), "reason": reason, "agents": list(agents), "review_days": review_days}
    say_rows([remote.post("tuning", body=body)], _COLUMNS, as_json)


@requests.command("list")
@asks
def list_requests(remote: Remote, as_json: bool) -> None:
    """Releases, then disposals; of each what waits for a signature comes first."""
    found = [row for kind in ("release", "disposal") for row in remote.get("papers", kind=kind)]
    say_rows(found, _COLUMNS, as_json)


@requests.command("show")
@_KIND
@click.argument("number", metavar="ID")
@asks
def show_request(remote: Remote, kind: str, number: str, as_json: bool) -> None:
    """One, with what is signed."""
    say_one(remote.get("papers", kind, number)["paper"], as_json)


@requests.command("document")
@_KIND
@click.argument("number", metavar="ID")
@_OUT
@asks
def request_document(remote: Remote, kind: str, number: str, out: Path | None, as_json: bool) -> None:
    """The document with its signatures so far, for the next approver to sign."""
    _hand_out(remote.get("papers", kind, number)["document"], out)


@requests.command("hand-in")
@_DOCUMENT
@asks
def hand_in_request(remote: Remote, file: Path, as_json: bool) -> None:
    """Hand in a request, or more signatures for it."""
    _hand_in(remote, file, as_json)


@agreements.command("report")
@_OUT
@asks
def report(remote: Remote, out: Path | None, as_json: bool) -> None:
    """Every detail of every agreement, as CSV; with --json one agreement a line."""
    if as_json:
        say_rows(remote.get("papers", kind="agreement"), _COLUMNS, True)
    else:
        _write(remote.text("agreements.csv"), out)


@agreements.command("bundle")
@_OUT
@asks
def bundle(remote: Remote, out: Path | None, as_json: bool) -> None:
    """All papers for workstations without a link; `recordwarden agreements import` takes the file."""
    _write(remote.text("papers", "bundle"), out)


def _register(group: click.Group, kind: str, order: str, hands_in: str) -> None:
    """The commands that each register of one kind has."""

    @group.command("list", help=f"The register; what waits for {order} comes first.")
    @asks
    def list_(remote: Remote, as_json: bool) -> None:
        say_rows(remote.get("papers", kind=kind), _COLUMNS, as_json)

    @group.command("show")
    @click.argument("number", metavar="ID")
    @asks
    def show(remote: Remote, number: str, as_json: bool) -> None:
        """One, with what is signed."""
        say_one(remote.get("papers", kind, number)["paper"], as_json)

    @group.command("document")
    @click.argument("number", metavar="ID")
    @_OUT
    @asks
    def document(remote: Remote, number: str, out: Path | None, as_json: bool) -> None:
        """The document with its signatures so far, for the next approver to sign."""
        _hand_out(remote.get("papers", kind, number)["document"], out)

    @group.command("revocation")
    @click.argument("number", metavar="ID")
    @click.option("--reason", required=True, help="Why it ends.")
    @_OUT
    @asks
    def revocation(remote: Remote, number: str, reason: str, out: Path | None, as_json: bool) -> None:
        """The revocation, for an approver to sign; it does nothing before that."""
        _hand_out(remote.get("papers", kind, number, "revocation", reason=reason), out)

    @group.command("hand-in", help=hands_in)
    @_DOCUMENT
    @asks
    def hand_in(remote: Remote, file: Path, as_json: bool) -> None:
        _hand_in(remote, file, as_json)


def _hand_out(document: dict[str, Any], out: Path | None) -> None:
    if out is None:
        say_json(document)
    else:
        _write(json.dumps(document, indent=1) + "\n", out)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(paragraphs(text))
        return
    try:
        with out.open("x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise Trouble(f"the file of --out: {error.strerror}", USAGE) from None


def _hand_in(remote: Remote, file: Path, as_json: bool) -> None:
    told = remote.post("papers", body={"document": _read(file).strip()})
    say_rows([told], _COLUMNS, as_json)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Trouble(f"the document: {error.strerror}", USAGE) from None
    if len(content) > _MOST_BYTES:
        raise Trouble("the document is too large", USAGE)
    return content.decode("utf-8", "replace")


_register(
    agreements, "agreement", "a signature or a review",
    "Hand in an agreement, more signatures for it, or its revocation.",
)  # fmt: skip
_register(
    exceptions, "exception", "a signature", "Hand in an exception with more signatures, or its revocation."
)
_register(tuning, "tuning", "a signature", "Hand in a tuning with more signatures, or its revocation.")
