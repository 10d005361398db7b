"""`recordwarden request`: the owner of a file that was taken asks for it back."""

from __future__ import annotations

from pathlib import Path

import click

from agent.commands.asking import ask_at
from agent.commands.options import with_config, with_json
from agent.commands.terminal import say, say_json
from agent.errors import Misconfigured
from config.load import load


@click.command("request")
@click.argument("reference", metavar="REFERENCE")
@click.option("--reason", required=True, help="What you need it for; your security team reads it.")
@with_config
@with_json
def request(reference: str, reason: str, config_file: Path | None, as_json: bool) -> None:
    """Ask for a file of yours that was taken; REFERENCE stands in the notice in its place.

    Your security team is told, with your reason. The file comes back when two people have approved it.
    """
    socket = load(config_file).notice.request_socket
    if socket is None:
        hint = "ask whom the notice names, with its reference"
        raise Misconfigured("notice.request_socket", "requests are not taken on this machine", hint)
    ask_at(socket, "request", id=reference, reason=reason)
    if as_json:
        say_json({"reference": reference, "told": True})
    else:
        say("your security team has been told")
