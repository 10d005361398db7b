"""`recordwarden quarantine`: what is in custody, and giving it back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from agent import vault
from agent.commands import looking
from agent.commands.asking import ask
from agent.commands.dispose import dispose
from agent.commands.handover import export, rewrap
from agent.commands.keys import read_identities
from agent.commands.options import with_config, with_json
from agent.commands.progress import bytes_done
from agent.commands.release import release
from agent.commands.terminal import bytes_text, count, say, say_fields, say_json, say_table, time_text
from agent.errors import NotPermitted, NotRunning, Refused, VaultTrouble
from agent.escape import escape
from agent.giving_back import give_back, remove_notice
from config.load import load
from config.settings import Handling, Mode, Settings

IN_CUSTODY = ["vaulted", "quarantined", "not_removed", "put_back", "restored"]


@click.group()
def quarantine() -> None:
    """The vault: what was taken, and giving it back.

    An ID may be cut short as long as it stays unambiguous. Entries are ordinary age files: with the key,
    `age -d -i KEYFILE STATE_DIR/vault/entries/ID.age` opens one without recordwarden.
    """


@quarantine.command("list")
@click.option("--due", is_flag=True, help="Only what is due for review.")
@with_config
@with_json
def list_(due: bool, config_file: Path | None, as_json: bool) -> None:
    """List what is in custody, the newest first."""
    settings = load(config_file)
    entries = looking.entries(settings, IN_CUSTODY)
    if due:
        entries = [e for e in entries if e["review_at"] is not None and e["review_at"] < time.time()]
    if as_json:
        for entry in entries:
            say_json(entry)
        return
    rows = [
        (e["entry_id"], time_text(e["vaulted_at"]), e["state"], bytes_text(e["size"]), e["path"])
        for e in entries
    ]
    if rows:
        say_table(("entry", "taken", "state", "size", "path"), rows)
    else:
        say("nothing is due for review" if due else "nothing is in custody")


@quarantine.command("show")
@click.argument("entry_id", metavar="ID")
@with_config
@with_json
def show(entry_id: str, config_file: Path | None, as_json: bool) -> None:
    """Show one entry: where it came from, why it was taken, what became of it."""
    settings = load(config_file)
    entry = looking.entry(settings, entry_id)
    if as_json:
        say_json(entry)
        return
    verdict = entry.get("verdict") or {}
    say_fields(
        (name.replace("_", " "), value)
        for name, value in (
            ("entry", entry["entry_id"]),
            ("path", entry["path"]),
            ("state", entry["state"]),
            ("reason", entry.get("reason")),
            ("taken", time_text(entry["vaulted_at"])),
            ("review", time_text(entry.get("review_at"))),
            ("size", bytes_text(entry["size"])),
            ("sha256", entry["sha256"]),
            ("outcome", " ".join(filter(None, (verdict.get("tier"), verdict.get("outcome"))))),
            ("records", verdict.get("records_estimated")),
            ("alert", entry.get("alert_id")),
            ("ciphertext", _vault(settings) / "entries" / f"{entry['entry_id']}.age"),
        )
        if value not in (None, "")
    )


@quarantine.command("verify")
@click.argument("entry_ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--identity",
    type=click.Path(path_type=Path),
    metavar="KEYFILE",
    help="Decrypt too, and check the content.",
)
@with_config
@with_json
def verify(entry_ids: tuple[str, ...], identity: Path | None, config_file: Path | None, as_json: bool) -> int:
    """Check that entries are whole; all of them if none is named. Exit code 1 if one is not."""
    settings = load(config_file)
    entries = [looking.entry(settings, i) for i in entry_ids] or looking.entries(settings, IN_CUSTODY)
    identities = read_identities(identity) if identity else []
    damaged = 0
    with bytes_done(sum(entry["ciphertext_size"] for entry in entries)) as done:
        for entry in entries:
            fault = _fault(settings, entry, identities, done)
            damaged += fault is not None
            if as_json:
                say_json({"entry_id": entry["entry_id"], "whole": fault is None, "fault": fault})
            else:
                say(f"{entry['entry_id']}  {fault or 'whole'}", fg="red" if fault else None)
    if not as_json:
        say(f"{count(len(entries), 'entry', 'entries')} checked, {damaged} damaged")
    return 1 if damaged else 0


@quarantine.command("review")
@click.argument("entry_id", metavar="ID")
@click.option(
    "--until", required=True, type=click.DateTime(formats=["%Y-%m-%d"]), help="The day of the next review."
)
@click.option("--note", required=True, help="Why it is kept; goes into the audit log.")
@with_config
@with_json
def review(entry_id: str, until: datetime, note: str, config_file: Path | None, as_json: bool) -> None:
    """Record that somebody looked at an entry and it is kept until the next review.

    To have it deleted instead see `quarantine dispose`; to give it back, `release` or `restore`.
    """
    day = until.replace(tzinfo=UTC).timestamp()
    done = ask(load(config_file), "review", entry=entry_id, until=day, note=note)
    say_json(done) if as_json else say(f"{done['entry_id']}: to be reviewed on {until.date().isoformat()}")


@quarantine.command("restore")
@click.argument("entry_id", metavar="ID")
@click.option(
    "--identity", required=True, type=click.Path(path_type=Path), metavar="KEYFILE", help="The secret key."
)
@click.option(
    "--to", type=click.Path(path_type=Path), metavar="PATH", help="Where to put it instead of its old place."
)
@with_config
@with_json
def restore(entry_id: str, identity: Path, to: Path | None, config_file: Path | None, as_json: bool) -> None:
    """Give a file back, with the secret key at hand.

    Never over another file. Not into a watched root unless policy allows it there: a restricted root, an
    encrypted volume, an agreement in force, or an alert that was decided to be a false positive.
    """
    settings = load(config_file)
    entry = looking.entry(settings, entry_id)
    manifest = _manifest(settings, entry["entry_id"])
    identities = read_identities(identity)
    folder, relpath = _place(manifest, to)
    target = folder / relpath
    _check_policy(settings, entry, target)
    lost = give_back(_vault(settings), manifest, identities, folder, relpath)
    if to is None:
        remove_notice(manifest)
    try:
        ask(settings, "restored", entry=manifest.entry_id, path=str(target))
    except (NotRunning, NotPermitted) as problem:
        say(
            f"recordwarden: warning: the ledger does not know of this yet: {problem}", error=True, fg="yellow"
        )
    if lost:
        say(f"recordwarden: warning: not restored: {', '.join(lost)}", error=True, fg="yellow")
    if as_json:
        say_json(
            {
                "entry_id": manifest.entry_id,
                "path": str(target),
                "sha256": manifest.sha256,
                "not_restored": lost,
            }
        )
    else:
        say(f"restored {escape(target)}: {bytes_text(manifest.size)}, sha256 as taken")


quarantine.add_command(release)
quarantine.add_command(dispose)
quarantine.add_command(export)
quarantine.add_command(rewrap)


def _vault(settings: Settings) -> Path:
    return settings.state_dir / "vault"


def _manifest(settings: Settings, entry_id: str) -> vault.Manifest:
    try:
        return vault.manifest(_vault(settings), entry_id)
    except vault.VaultError as error:
        raise VaultTrouble(f"entry {escape(entry_id)}: {error}") from None


def _fault(
    settings: Settings, entry: dict[str, Any], identities: list[object], done: Callable[[int], None]
) -> str | None:
    try:
        vault.verify(_vault(settings), entry["entry_id"], entry["ciphertext_sha256"] or None, done)
        if identities:
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            try:
                vault.decrypt_to(_vault(settings), entry["entry_id"], identities, nowhere)
            finally:
                os.close(nowhere)
    except vault.VaultError as error:
        return str(error)
    return None


def _place(manifest: vault.Manifest, to: Path | None) -> tuple[Path, str]:
    """(folder without links in its path, path below it). A folder given with --to keeps the name."""
    if to is None:
        return Path(manifest.root_path), manifest.relpath
    name = manifest.relpath.rpartition("/")[2]
    if to.is_dir():
        return to.resolve(), name
    return to.parent.resolve(), to.name


def _check_policy(settings: Settings, entry: dict[str, Any], target: Path) -> None:
    """Refuse a watched place where policy does not allow the file; say so of one that nobody watches."""
    try:
        told = ask(settings, "permission", entry=entry["entry_id"], path=str(target))
    except (NotRunning, NotPermitted):
        root = _taking_root(settings, target)
        told = {"allowed": root is None, "root": root}
    if told["allowed"]:
        return
    if not told["root"]:
        say(
            f"recordwarden: warning: {escape(target)} is neither encrypted for certain nor watched",
            error=True,
            fg="yellow",
        )
        return
    hint = (
        f"`recordwarden alerts decide {entry.get('alert_id')} false_positive` if it is no microdata, or have"
        " an agreement signed; or give a place outside of it with --to PATH"
    )
    raise Refused(f"policy does not allow it in {escape(told['root'])}, which would take it again", hint)


def _taking_root(settings: Settings, target: Path) -> Path | None:
    """The enforcing, unrestricted root that `target` lies in, if any."""
    try:
        live = ask(settings, "status")["roots"]
        roots = [(Path(r["path"]), r["mode"], r["handling"]) for r in live]
    except (NotRunning, NotPermitted):
        roots = [(r.path, r.mode or settings.policy.mode, r.handling) for r in settings.watch.roots]
    around = [root for root in roots if target.is_relative_to(root[0])]
    if not around:
        return None
    path, mode, handling = max(around, key=lambda root: len(root[0].parts))
    return path if mode == Mode.ENFORCE and handling != Handling.RESTRICTED else None
