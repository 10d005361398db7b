"""`recordwarden keys`: the key pair of the security team."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click
import pyrage

from agent.commands.options import with_json
from agent.commands.terminal import say, say_json
from agent.errors import Mistyped, NotPermitted
from agent.escape import escape


@click.group()
def keys() -> None:
    """Keys of the security team."""


@keys.command("new")
@click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False), default=Path("recordwarden-identity.txt")
)
@with_json
def new(file: Path, as_json: bool) -> None:
    """Make an age identity in FILE [recordwarden-identity.txt] and print its recipient.

    The recipient goes into the configuration of the workstations. FILE opens everything that they
    take into custody: keep it off them, and keep a second copy in a safe.
    """
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


def write_identity(file: Path) -> str:
    """Create `file`, readable by its owner alone, with a new age identity; gives back the recipient."""
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
        identity = pyrage.x25519.Identity.generate()
        recipient = str(identity.to_public())
        now = datetime.now(UTC).isoformat(timespec="seconds")
        written.write(f"# created: {now}\n# public key: {recipient}\n{identity}\n")
        written.flush()
        os.fsync(descriptor)
    return recipient


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
