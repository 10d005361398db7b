"""Statements on the command line: the files that carry them, how they are shown, how one is signed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from agent.commands.asking import ask
from agent.commands.terminal import can_ask, say, say_fields, say_json, time_text
from agent.errors import Mistyped, NotFound, NotPermitted, Refused
from agent.escape import escape
from agent.signing import NoSigningKey, is_locked, sign
from agent.statements import (
    GROUPS,
    MAX_ENVELOPE_BYTES,
    BadStatement,
    Envelope,
    Release,
    Revocation,
    ScopedException,
    Statement,
    Terms,
    Tuning,
    as_text,
    read,
    seal,
)
from config.settings import Settings
from config.tuning import may_find_less

_TIMES = ("made_at", "expires_at", "holds_until")
_WHAT = {
    "release": "gives one file back",
    "disposal": "deletes one entry from the vault, for good",
    "agreement": "authorises somebody to hold data",
    "exception": "lets be what is like a file that was a false alarm",
    "tuning": "sets how detectors judge, on a whole fleet",
    "revocation": "ends an agreement, an exception or a tuning",
}


def read_statement(file: Path, *kinds: str) -> Envelope:
    """The statement in a file, of one of these kinds (any if none is named); raises `Mistyped`."""
    try:
        with file.open("rb") as opened:
            envelope = read(opened.read(MAX_ENVELOPE_BYTES + 1))
    except OSError as error:
        raise Mistyped(f"{escape(file)}: {error.strerror}", "name the file of the statement") from None
    except BadStatement as error:
        raise Mistyped(f"{escape(file)}: {error}", "name the file that was written for signing") from None
    if kinds and envelope.kind not in kinds:
        raise Mistyped(f"{escape(file)} is a statement of the kind {envelope.kind}, not {kinds[0]}")
    return envelope


def write_statement(file: Path, envelope: Envelope) -> None:
    """A new file with a statement, for its owner alone; raises `Mistyped` if there is one already."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(file, flags, 0o600), "w") as written:
            written.write(as_text(envelope))
            written.flush()
            os.fsync(written.fileno())
    except FileExistsError:
        raise Mistyped(f"{escape(file)} is there already", "name a new file") from None
    except OSError as error:
        raise NotPermitted(f"{escape(file)}: {error.strerror}", "name a file in a folder of yours") from None


def _rewrite(file: Path, envelope: Envelope) -> None:
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        write_statement(beside, envelope)
        beside.replace(file)
    except OSError as error:
        raise NotPermitted(f"{escape(file)}: {error.strerror}", "copy it to a folder of yours") from None
    finally:
        with suppress(OSError):
            beside.unlink()


def show_statement(envelope: Envelope) -> None:
    """All that it says, for people."""
    say(f"{envelope.kind}: {_WHAT[envelope.kind]}", bold=True)
    statement = envelope.statement()
    say_fields(_fields(statement))
    if isinstance(statement, Tuning):
        for line in statement.settings:
            say(f"  {escape(line)}")
    say_fields([("signatures", len(envelope.signatures)), ("digest", envelope.digest)])


def _fields(statement: Statement) -> Iterator[tuple[str, object]]:
    for name, value in asdict(statement).items():
        if name == "settings":
            continue
        if name in _TIMES:
            value = time_text(value)
        if isinstance(value, tuple | list):
            value = "; ".join(value)
        if value not in ("", None):
            yield name.replace("_", " "), value
    if isinstance(statement, Release):
        yield "note", "the file goes there once, over nobody's file; until then it stays in the vault"
    if isinstance(statement, Tuning):
        less = ", ".join(may_find_less(statement.stanzas))
        yield "may find less", f"by {less}" if less else "no: it only adds words or rules"
    if isinstance(statement, Terms | ScopedException | Tuning):
        yield "note", "in force once an information asset owner and a data protection officer have signed"


def approve(file: Path, key: Path, kinds: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Show what is signed, ask, and add a signature to the file."""
    envelope = read_statement(file, *kinds)
    if not as_json:
        show_statement(envelope)
    if not yes:
        if not can_ask():
            raise Refused("nobody is there to say yes", "look at what you sign, then give --yes")
        click.confirm("Do you approve this, in your own name?", abort=True, err=True)
    signed, public = sign_with(envelope, key)
    _rewrite(file, signed)
    if as_json:
        say_json(
            {
                "file": str(file),
                "kind": signed.kind,
                "signed_with": public,
                "signatures": len(signed.signatures),
            }
        )
    else:
        say(f"signed with {public}; {escape(file)} holds {len(signed.signatures)} signature(s)")


def sign_with(envelope: Envelope, key: Path) -> tuple[Envelope, str]:
    """(the envelope with a signature made with this key file, its public key); raises `Mistyped`."""
    try:
        pem = key.read_bytes()
        passphrase = click.prompt("passphrase", hide_input=True, err=True) if is_locked(pem) else ""
        return sign(envelope, pem, passphrase)
    except OSError as error:
        raise Mistyped(f"{escape(key)}: {error.strerror}", "give the file of your signing key") from None
    except NoSigningKey as error:
        hint = "give the file that `recordwarden keys new --signing` made"
        raise Mistyped(f"{escape(key)}: {error}", hint) from None


def hand_in(
    envelope: Envelope, settings: Settings, as_json: bool, colours: Mapping[str, str] | None = None
) -> None:
    """Hand a paper or a revocation to the service, and say how it stands then."""
    found = ask(settings, "agreement_add", envelope=envelope.to_json())
    if as_json:
        say_json(found or {"revoked": True})
    elif found is None:
        say("revoked; what rested on it is judged again")
    else:
        why = f": {escape(found['why'])}" if found["why"] else ""
        number, colour = found[f"{envelope.kind}_id"], (colours or {}).get(found["standing"])
        say(f"{number} is {found['standing']}{why}", fg=colour)


def revoke_with(
    settings: Settings,
    row: Mapping[str, Any],
    kind: str,
    key: Path,
    reason: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Sign the end of one in the register, hand it to the service and say so; keep it for others in `out`."""
    number = row[f"{kind}_id"]
    try:
        said = seal(Revocation(number, row["terms_sha256"], reason, int(time.time())))
    except BadStatement as error:
        raise Mistyped(f"that is no revocation: {error}") from None
    signed, _ = sign_with(said, key)
    if out is not None:
        write_statement(out, signed)
    ask(settings, "agreement_add", envelope=signed.to_json())
    if as_json:
        say_json({f"{kind}_id": number, "revoked": True, "file": str(out) if out else None})
    else:
        say(f"{number} is revoked; what rested on it is judged again")


def one_of(rows: Iterable[dict[str, Any]], kind: str, number: str) -> dict[str, Any]:
    """That of the register with this id; raises `NotFound`."""
    for row in rows:
        if row[f"{kind}_id"] == number:
            return row
    raise NotFound(f"no {kind} has the id {escape(number)}", f"see `recordwarden {GROUPS[kind]} list`")
