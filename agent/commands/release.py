"""`recordwarden quarantine release`: one file back to one place, on the word of two people."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from agent import vault
from agent.bundle import entry_in
from agent.commands.approving import approve, read_statement, show_statement, write_statement
from agent.commands.asking import ask
from agent.commands.carrying import signed_request
from agent.commands.keys import read_identities
from agent.commands.options import with_config, with_json, with_signing
from agent.commands.terminal import say, say_json, say_table, time_text
from agent.errors import Mistyped, NotPermitted, VaultTrouble
from agent.escape import escape
from agent.giving_back import remove_notice
from agent.placing import Handed, Order, put_in_place
from agent.statements import Release, from_json
from config.load import load
from config.settings import Settings


@click.group()
def release() -> None:
    """Give a file back on the word of two people, without the secret key ever being here.

    \b
    1. here:                release request ID --holder WHO --purpose WHY --out FILE
                            quarantine export ID --to BUNDLE
    2. each approver:       release approve FILE --key KEYFILE
    3. the security team:   quarantine rewrap BUNDLE --request FILE --identity KEYFILE --out NEW
    4. here:                release complete FILE --from NEW

    All that travels is two files: they may be carried on a stick.
    """


@release.command("request")
@click.argument("entry_id", metavar="ID")
@click.option("--to", type=click.Path(path_type=Path), metavar="PATH", help="Instead of its old place.")
@click.option("--holder", required=True, help="Who will have the file.")
@click.option("--purpose", required=True, help="What for.")
@click.option(
    "--hours", type=click.FloatRange(0, 31 * 24, min_open=True), default=168, show_default=True,
    help="How long the request can be used.",
)  # fmt: skip
@click.option(
    "--hold-days", type=click.FloatRange(0, 366, min_open=True), default=30, show_default=True,
    help="How long the file is not taken again there.",
)  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="A new file.")
@with_config
@with_json
def request(
    entry_id: str,
    to: Path | None,
    holder: str,
    purpose: str,
    hours: float,
    hold_days: float,
    out: Path,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Ask for a release, and write what the approvers must sign to FILE."""
    settings = load(config_file)
    if os.path.lexists(out):
        raise Mistyped(f"{escape(out)} is there already", "name a new file")
    plain = ask(
        settings, "release_request", entry=entry_id, to=None if to is None else str(_resolved(to)),
        holder=holder, purpose=purpose, hours=hours, hold_days=hold_days,
    )  # fmt: skip
    _written(plain, out, as_json)


@release.command("approve")
@with_signing
def approve_(file: Path, key: Path, yes: bool, as_json: bool) -> None:
    """Look at a request and sign it, with your own key, on any machine."""
    approve(file, key, ("release",), yes, as_json)


@release.command("complete")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from", "handed", type=click.Path(path_type=Path, file_okay=False), metavar="BUNDLE",
    help="What `quarantine rewrap` made.",
)  # fmt: skip
@with_config
@with_json
def complete(file: Path, handed: Path | None, config_file: Path | None, as_json: bool) -> None:
    """Put the file in place, once. Type it again if it was interrupted.

    FILE is the signed request, or its id if a bundle of the console brought it.
    Never over another file, never through a link. What of owner, mode, times and attributes could not be
    given back is said.
    """
    settings = load(config_file)
    envelope = signed_request(settings, file, "release")
    signed = envelope.as_kind(Release)
    order = ask(settings, "release_begin", envelope=envelope.to_json())
    entry = _entry_here(settings, signed)
    steps = _Told(settings, order["request_id"])
    written = order["state"] == "written"
    put_in_place(
        Order(order["request_id"], signed.destination, order["detail"]["beside"], order["device"], written),
        entry,
        Handed(Path(), "") if written else _handed(handed, signed),
        [] if written else _key(Path(order["key_file"])),
        steps,
    )
    done = ask(settings, "release_placed", request=order["request_id"])
    if order["in_place"]:
        here = signed.destination.removesuffix(entry.relpath)
        remove_notice(replace(entry, root_path=here.rstrip("/") or "/"))
    lost = done["detail"].get("not_restored", [])
    if lost:
        say(f"recordwarden: warning: not restored: {', '.join(lost)}", error=True, fg="yellow")
    if as_json:
        say_json({
            "request_id": order["request_id"], "entry_id": signed.entry_id, "path": signed.destination,
            "sha256": signed.sha256, "approved_by": done["approved_by"], "not_restored": lost,
        })  # fmt: skip
        return
    by = " and ".join(escape(name) for name in done["approved_by"])
    say(f"released {escape(signed.destination)}, approved by {by}; the one-time key is gone")
    if not os.path.lexists(signed.destination):
        say("recordwarden: warning: it is not there any more: it was moved on since", error=True, fg="yellow")


@release.command("cancel")
@click.argument("request_id", metavar="REQUEST")
@with_config
@with_json
def cancel(request_id: str, config_file: Path | None, as_json: bool) -> None:
    """Give a request up before its file is in place. REQUEST is its id, or its file."""
    if Path(request_id).is_file():
        request_id = read_statement(Path(request_id), "release").as_kind(Release).request_id
    row = ask(load(config_file), "release_cancel", request=request_id)
    say_json(row) if as_json else say(f"cancelled {row['request_id']}")


@release.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@with_json
def show(file: Path, as_json: bool) -> None:
    """Show what a request says."""
    envelope = read_statement(file, "release")
    if as_json:
        say_json(envelope.to_json() | {"statement": envelope.statement()})
    else:
        show_statement(envelope)


@release.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@with_config
@with_json
def list_(every: bool, config_file: Path | None, as_json: bool) -> None:
    """List releases and disposals that are under way, the newest first."""
    rows = ask(load(config_file), "requests", all=every)
    if as_json:
        for row in rows:
            say_json(row)
    elif rows:
        say_table(
            ("request", "act", "state", "made", "expires", "entry", "approved by"),
            (
                (
                    r["request_id"],
                    r["act"],
                    "signed, ready to complete" if r["ready"] and r["state"] == "requested" else r["state"],
                    time_text(r["made_at"]),
                    time_text(r["expires_at"]),
                    r["entry_id"][:8],
                    ", ".join(r["approved_by"]),
                )
                for r in rows
            ),
        )
    else:
        say("nothing is under way")


class _Told:
    """Tells the service of each step."""

    def __init__(self, settings: Settings, request_id: str) -> None:
        self._settings, self._request_id = settings, request_id

    def written(self, lost: Sequence[str]) -> None:
        ask(self._settings, "release_written", request=self._request_id, lost=list(lost))

    def unwritten(self) -> None:
        ask(self._settings, "release_unwritten", request=self._request_id)


def _written(plain: dict[str, Any], out: Path, as_json: bool) -> None:
    envelope = from_json(plain)
    write_statement(out, envelope)
    if as_json:
        statement = envelope.statement()
        say_json({"file": str(out), "request_id": getattr(statement, "request_id", None), **plain})
    else:
        show_statement(envelope)
        say(f"written to {escape(out)}: two approvers sign it with `... approve {escape(out)} --key KEYFILE`")


def _resolved(to: Path) -> Path:
    """Without links on the way."""
    if to.is_dir():
        raise Mistyped(f"{escape(to)} is a folder", "name the file that it shall become")
    return to.parent.resolve() / to.name


def _entry_here(settings: Settings, signed: Release) -> vault.Manifest:
    try:
        found = vault.manifest(settings.state_dir / "vault", signed.entry_id)
    except vault.VaultError as error:
        if not os.access(settings.state_dir / "vault", os.R_OK):
            raise NotPermitted("you may not look into the vault", "ask as root") from None
        raise VaultTrouble(f"entry {signed.entry_id}: {error}") from None
    if found.sha256 != signed.sha256:
        raise VaultTrouble(f"entry {signed.entry_id}: the manifest is of another content")
    return found


def _handed(folder: Path | None, signed: Release) -> Handed:
    if folder is None:
        raise Mistyped("--from is missing", "give the folder that `recordwarden quarantine rewrap` made")
    manifest, ciphertext = entry_in(folder, signed.entry_id)
    return Handed(ciphertext, manifest.sealed_xattrs)


def _key(path: Path) -> list[object]:
    if not os.access(path, os.R_OK):
        raise NotPermitted("you may not read the one-time key", "ask as root")
    return read_identities(path)
