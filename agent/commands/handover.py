"""`recordwarden quarantine export` and `rewrap`: bundles for whoever has the key."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import click

from agent import vault
from agent.bundle import Bundle, entries_in, entry_in
from agent.commands import looking
from agent.commands.approving import read_statement
from agent.commands.asking import ask
from agent.commands.keys import read_identities
from agent.commands.options import with_config, with_json
from agent.commands.terminal import count, say, say_json
from agent.errors import Mistyped, NotPermitted, NotRunning, Refused, VaultTrouble
from agent.escape import escape
from agent.releases import approved_by, check_approvers
from agent.statements import Release
from config.load import load
from config.settings import Settings


@click.command("export")
@click.argument("entry_ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--to", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="A new folder.",
)  # fmt: skip
@with_config
@with_json
def export(entry_ids: tuple[str, ...], to: Path, config_file: Path | None, as_json: bool) -> None:
    """Copy entries, still encrypted, with manifests and digests into a new folder, to hand them over."""
    settings = load(config_file)
    folder = settings.state_dir / "vault" / "entries"
    manifests = [
        _manifest(settings, looking.entry(settings, i)["entry_id"]) for i in dict.fromkeys(entry_ids)
    ]
    with Bundle(to, _host_id(settings)) as bundle:
        for manifest in manifests:
            bundle.copy(manifest, folder / f"{manifest.entry_id}.age")
    try:
        ask(settings, "exported", entries=[m.entry_id for m in manifests])
    except (NotRunning, NotPermitted) as problem:
        say(f"recordwarden: warning: the audit log does not know of this: {problem}", error=True, fg="yellow")
    if as_json:
        for manifest in manifests:
            say_json({"entry_id": manifest.entry_id, "file": str(to / f"{manifest.entry_id}.age")})
    else:
        exported = count(len(manifests), "entry", "entries")
        say(f"{exported} exported to {escape(to)}; `age -d -i KEYFILE` opens them")


@click.command("rewrap")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="BUNDLE")
@click.argument("entry_ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--identity", required=True, type=click.Path(path_type=Path), metavar="KEYFILE", help="The secret key."
)
@click.option(
    "--request", "request_file", type=click.Path(path_type=Path), metavar="FILE",
    help="An approved release: for its one-time key.",
)  # fmt: skip
@click.option(
    "--to", "recipients", multiple=True, metavar="RECIPIENT", help="age1… or an ssh key; repeatable."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="A new folder.",
)  # fmt: skip
@with_config
@with_json
def rewrap(
    folder: Path,
    entry_ids: tuple[str, ...],
    identity: Path,
    request_file: Path | None,
    recipients: tuple[str, ...],
    out: Path,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Encrypt entries of a bundle anew, for other keys: on the security team's machine, with the secret key.

    With --request the approvals are checked first, against [[approvers]] of the configuration: a file with
    only those will do. The plain content is never written to a disk.
    """
    if bool(request_file) == bool(recipients):
        raise Mistyped("give either --request or --to", "for a release it is --request FILE")
    if request_file is not None:
        release = _approved(request_file, load(config_file))
        entry_ids, recipients = (release.entry_id,), (release.recipient,)
        if entry_in(folder, release.entry_id)[0].sha256 != release.sha256:
            raise Refused("the entry in the bundle is not the one that was approved", "export it again")
    try:
        keys = vault.parse_recipients(recipients)
    except vault.BadRecipient as error:
        raise Mistyped(str(error), "a recipient starts with age1 or ssh-") from None
    wanted = [_of(folder, start) for start in entry_ids] or entries_in(folder)
    if not wanted:
        raise Mistyped(f"{escape(folder)} holds no entries", "give the folder that `quarantine export` made")
    identities = read_identities(identity)
    with Bundle(out, "") as bundle:
        for entry_id in wanted:
            made = bundle.rewrap(*entry_in(folder, entry_id), identities, keys)
            if as_json:
                say_json({
                    "entry_id": entry_id, "sha256": made.sha256, "file": str(out / f"{entry_id}.age"),
                    "ciphertext_sha256": made.ciphertext_sha256,
                })  # fmt: skip
    if not as_json:
        say(f"{count(len(wanted), 'entry', 'entries')} encrypted anew in {escape(out)}, content as taken")


def _approved(file: Path, settings: Settings) -> Release:
    envelope = read_statement(file, "release")
    release = envelope.as_kind(Release)
    check_approvers(settings.approvers)
    approved_by(envelope, settings.approvers)
    if time.time() >= release.expires_at:
        raise Refused("this request has expired", "make a new one")
    return release


def _of(folder: Path, start: str) -> str:
    found = [entry_id for entry_id in entries_in(folder) if entry_id.startswith(start)]
    if len(found) != 1:
        raise Mistyped(f"{len(found)} entries of the bundle have an id that starts with {escape(start)}")
    return found[0]


def _manifest(settings: Settings, entry_id: str) -> vault.Manifest:
    try:
        return vault.manifest(settings.state_dir / "vault", entry_id)
    except vault.VaultError as error:
        raise VaultTrouble(f"entry {escape(entry_id)}: {error}") from None


def _host_id(settings: Settings) -> str:
    with suppress(OSError):
        return (settings.state_dir / "host_id").read_text("ascii").strip()
    return ""
