"""`recordwarden keys`: the key pair of the security team, and approvers' own keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click
import pyrage

from agent.commands.options import with_json
from agent.commands.terminal import say, say_json
from agent.errors import Mistyped, NotPermitted
from agent.escape import escape
from agent.signing import new_key


@click.group()
def keys() -> None:
    """Keys: of the security team (they open the vault), and of approvers (they sign)."""


@keys.command("new")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--signing", is_flag=True, help="A key that signs, for an approver.")
@click.option("--protect", is_flag=True, help="Ask for a passphrase for it (signing keys).")
@with_json
def new(file: Path | None, signing: bool, protect: bool, as_json: bool) -> None:
    """Make an age identity in FILE [recordwarden-identity.txt] and print its recipient.

    The recipient goes into the configuration of the workstations. FILE opens everything that they
    take into custody: keep it off them, and keep a second copy in a safe.

    With --signing make an Ed25519 key in FILE [recordwarden-signing.pem] and print its public half, which
    goes into [[approvers]]. Each approver makes their own, and gives FILE to nobody.
    """
    if protect and not signing:
        raise Mistyped("--protect is for signing keys", "an age identity is protected by where it is kept")
    if signing:
        _new_signing(file or Path("recordwarden-signing.pem"), protect, as_json)
        return
    file = file or Path("recordwarden-identity.txt")
    recipient = write_identity(file)
    if as_json:
        say_json({"recipient": recipient, "identity_file": str(file)})
    else:
        say(recipient)
    shown = escape(file)
    say(f"recordwarden: the secret key is in {shown}, readable by you alone", error=True)
    say(
        "recordwarden: warning: keep it off every workstation, and a second copy in a safe:",
        error=True,
        fg="yellow",
    )
    say(
        "recordwarden: warning: whoever has it opens the vault, and without it nobody does",
        error=True,
        fg="yellow",
    )


def _new_signing(file: Path, protect: bool, as_json: bool) -> None:
    passphrase = click.prompt("passphrase", hide_input=True, confirmation_prompt=True) if protect else ""
    public = write_signing_key(file, passphrase)
    if as_json:
        say_json({"public_key": public, "key_file": str(file)})
    else:
        say(public)
    say(f"recordwarden: the signing key is in {escape(file)}, readable by you alone", error=True)
    say(
        "recordwarden: warning: whoever has it approves in your name: give it to nobody",
        error=True,
        fg="yellow",
    )


def write_signing_key(file: Path, passphrase: str = "") -> str:
    """Create `file`, readable by its owner alone, with a new signing key; gives back its public half."""
    pem, public = new_key(passphrase)
    with _created(file) as written:
        written.write(pem.decode("ascii"))
    return public


def write_identity(file: Path) -> str:
    """Create `file`, readable by its owner alone, with a new age identity; gives back the recipient."""
    with _created(file) as written:
        identity = pyrage.x25519.Identity.generate()
        recipient = str(identity.to_public())
        now = datetime.now(UTC).isoformat(timespec="seconds")
        written.write(f"# created: {now}\n# public key: {recipient}\n{identity}\n")
    return recipient


@contextmanager
def _created(file: Path) -> Iterator[TextIO]:
    """A new file for its owner alone, durable afterwards."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Mistyped(
            f"{escape(file)} is there already", "name a new file: a key is never overwritten"
        ) from None
    except OSError as error:
        raise NotPermitted(f"{escape(file)}: {error.strerror}", "name a file in a folder of yours") from None
    with os.fdopen(descriptor, "w") as written:
        os.fchmod(descriptor, 0o600)
        yield written
        written.flush()
        os.fsync(descriptor)


def read_identities(file: Path) -> list[object]:
    """The age identities in a key file, one a line. Raises `Mistyped`, which never repeats a line."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise Mistyped(
            f"{escape(file)} cannot be read", "give the file that `recordwarden keys new` made"
        ) from None
    if any("BEGIN OPENSSH PRIVATE KEY" in line for line in lines[:3]):
        return [pyrage.ssh.Identity.from_buffer(file.read_bytes())]
    found: list[object] = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(pyrage.x25519.Identity.from_str(line.strip()))
            except pyrage.IdentityError:
                hint = "it holds lines that start with AGE-SECRET-KEY-1"
                raise Mistyped(f"{escape(file)}: line {number} is no age identity", hint) from None
    if not found:
        raise Mistyped(f"{escape(file)} holds no identity", "give the file that `recordwarden keys new` made")
    return found
