"""`recordwarden breaker`: the circuit breaker of each root."""

from __future__ import annotations

from pathlib import Path

import click

from agent.commands.asking import ask
from agent.commands.options import with_config, with_json
from agent.commands.terminal import count, say, say_json
from config.load import load


@click.group()
def breaker() -> None:
    """Past its limits the service takes nothing more from a root and only tells. `recordwarden status`
    shows where; look first whether what was taken is truly microdata.
    """


@breaker.command("reset")
@click.argument("root", required=False)
@with_config
@with_json
def reset(root: str | None, config_file: Path | None, as_json: bool) -> None:
    """Let the service act again, in one root (id or path) or all. What was refused is judged again."""
    named = {} if root is None else {"root": root}
    told = ask(load(config_file), "breaker_reset", **named)
    if as_json:
        say_json(told)
    elif told["roots"]:
        say(f"reset: {count(len(told['roots']), 'root')}; what was refused there is judged again now")
    else:
        say("no breaker is tripped")
