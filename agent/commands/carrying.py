"""Papers that the console carries: taking its bundle from a file, and the signed request that came in one."""

from __future__ import annotations

import uuid
from pathlib import Path

import click

from agent.carried import pin
from agent.commands.approving import read_statement
from agent.commands.asking import ask
from agent.commands.options import with_config, with_json
from agent.commands.terminal import say, say_json, time_text
from agent.errors import Mistyped, NotPermitted
from agent.escape import escape
from agent.paper_bundle import MOST_BYTES, key_bytes
from agent.statements import Envelope, from_json
from config.load import load
from config.settings import Settings


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trust", metavar="KEY",
    help="From now on take bundles by this key of a console: where there is no link to enrol by.",
)  # fmt: skip
@with_config
@with_json
def import_(file: Path, trust: str | None, config_file: Path | None, as_json: bool) -> int:
    """Take the bundle of papers that the console's page Agreements gives. Exit code 1 if one is refused.

    Each paper counts by the signatures of the approvers in this machine's configuration.
    """
    settings = load(config_file)
    if trust is not None:
        _trust(settings, trust)
    found = ask(settings, "papers_import", bundle=_text(file))
    if as_json:
        say_json(found)
    elif found["busy"]:
        say("it holds many papers, which are being taken up: see `recordwarden status`")
    else:
        say(f"bundle {found['serial']} of {time_text(found['made_at'])} is taken")
        for name, code in sorted(found["refused"].items()):
            say(f"refused: {escape(name)}: {code}", fg="yellow")
    return 1 if found["refused"] else 0


def signed_request(settings: Settings, what: Path, kind: str) -> Envelope:
    """A signed request out of its file, or, by its id, as a bundle brought it."""
    if what.exists() or not _is_id(what.name):
        return read_statement(what, kind)
    envelope = from_json(ask(settings, "paper", request=what.name))
    if envelope.kind != kind:
        raise Mistyped(f"this is a statement of the kind {envelope.kind}, not {kind}")
    return envelope


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _trust(settings: Settings, key: str) -> None:
    try:
        key_bytes(key)
        pin(settings.state_dir, key)
    except ValueError as error:
        raise Mistyped(f"--trust: {error}", "the console's page Agents shows it") from None
    except OSError as error:
        raise NotPermitted(f"{escape(settings.state_dir)}: {error.strerror}", "ask as root") from None


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        return content.decode("ascii")
    except OSError as error:
        raise Mistyped(f"{escape(file)}: {error.strerror}", "name the file of the bundle") from None
    except UnicodeDecodeError:
        raise Mistyped(f"{escape(file)} is not a bundle of papers", "name the file of the bundle") from None
