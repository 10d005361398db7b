"""`recordwarden enrol`: makes this machine known to the review console, once, with a one-time token."""

from __future__ import annotations

import json
import os
import socket
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from agent.carried import pin
from agent.commands.keys import write_signing_key
from agent.commands.options import with_config, with_json
from agent.commands.terminal import say, say_json
from agent.destinations import read_file
from agent.errors import Misconfigured, Mistyped, NotPermitted, Refused
from agent.escape import escape
from agent.paper_bundle import key_bytes
from agent.service import host_id
from agent.signing import NoSigningKey, public_of
from agent.sinks.sink import DeliveryError
from agent.sinks.web import Web
from config.destinations import ConsoleSink
from config.load import load
from config.settings import Settings

_REFUSALS = {
    "token_refused": "the token is unknown, used or older than a day",
    "already_enrolled": "this machine is enrolled with another key: have a token made for it by name",
}


@click.command("enrol")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Holds the token; else it is asked for.",
)
@with_config
@with_json
def enrol(token_file: Path | None, config_file: Path | None, as_json: bool) -> None:
    """Make this machine known to the console of [alerts.console].

    Makes the key in its key_file, which never leaves this machine, unless it is there already; so a try whose
    answer was lost can be repeated with the same token. From then on papers (agreements, requests) are taken
    from that console only, by the key that it names now. Start or reload the service afterwards.
    """
    settings = load(config_file)
    console = settings.alerts.console
    if console is None:
        hint = "set url and key_file there, then enrol"
        raise Misconfigured("alerts.console", "there is no console to enrol at", hint)
    token = _token(token_file)
    key = _key(console.key_file)
    agent = _agent(settings)
    body = {
        "token": token, "agent": agent, "hostname": socket.gethostname()[:253],
        "public_key": key, "version": version("recordwarden"),
    }  # fmt: skip
    bundle_key = _ask(console, body)
    _pin(settings, bundle_key)
    if as_json:
        say_json({"agent": agent, "public_key": key, "bundle_key": bundle_key})
    else:
        say(f"enrolled as {agent}")


def _token(file: Path | None) -> str:
    if file is None:
        return str(click.prompt("token", hide_input=True)).strip()
    try:
        return read_file(file, private=False).strip()
    except (OSError, ValueError):
        raise Mistyped(f"{escape(file)} cannot be read", "put the token into it, one line") from None


def _key(file: Path) -> str:
    """The public half of this agent's key, which is made if there is none."""
    if not os.path.lexists(file):
        return write_signing_key(file)
    try:
        return public_of(read_file(file, private=True).encode())
    except (OSError, ValueError, NoSigningKey) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Refused(f"{escape(file)}: {why}", "move it away, and enrol with a new token") from None


def _agent(settings: Settings) -> str:
    try:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return host_id(settings.state_dir)
    except OSError as error:
        raise NotPermitted(f"{escape(settings.state_dir)}: {error.strerror}", "enrol as root") from None


def _pin(settings: Settings, bundle_key: str) -> None:
    """From now on papers come from that console only; one of an older version names no key."""
    if not bundle_key:
        return
    try:
        key_bytes(bundle_key)
        pin(settings.state_dir, bundle_key)
    except ValueError as error:
        raise Refused(f"enrolled, but the console's key for papers is {error}") from None
    except OSError as error:
        raise NotPermitted(f"{escape(settings.state_dir)}: {error.strerror}", "enrol as root") from None


def _ask(console: ConsoleSink, body: dict[str, Any]) -> str:
    """The key by which the console signs its bundles of papers; raises `Refused`."""
    ca = read_file(console.ca_file, private=False) if console.ca_file else ""
    url = console.url or read_file(console.url_file or Path(), private=True).strip()
    web = Web(url.rstrip("/") + "/api/v1/enrol", ca, console.timeout_seconds)
    try:
        status, answer = web.post(json.dumps(body).encode(), {"Content-Type": "application/json"})
    except DeliveryError as error:
        raise Refused(
            f"the console does not answer: {error.code}", "see alerts.console, and try again"
        ) from None
    try:
        plain = json.loads(answer)
    except (ValueError, RecursionError):
        plain = {}
    plain = plain if isinstance(plain, dict) else {}
    if status in (200, 201):
        return str(plain.get("bundle_key", ""))
    code = str(plain.get("error", ""))
    raise Refused(f"not enrolled: {_REFUSALS.get(code, f'http_{status:d}')}", "ask for a new token")
