"""`recordwarden run`: the service, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from agent.commands.options import with_config


@click.command()
@with_config
def run(config_file: Path | None) -> int:
    """Run the service in the foreground, until it is told to end (SIGTERM, SIGINT).

    SIGHUP reads the configuration again; a wrong one is refused and the last good one kept. Without
    root it runs too, and says which protections are missing.
    """
    from agent.service import serve

    return serve(config_file)
