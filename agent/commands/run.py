"""`recordwarden run`: the service, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from agent.commands.options import with_config
from agent.errors import Misconfigured
from agent.service import serve
from config.load import ConfigError, source_of


@click.command()
@with_config
def run(config_file: Path | None) -> int:
    """Run the service in the foreground, until it is told to end (SIGTERM, SIGINT).

    SIGHUP reads the configuration again; a wrong one is refused and the last good one kept. Without
    root it runs too, and says which protections are missing.
    """
    try:
        return serve(config_file)
    except Misconfigured as error:
        raise ConfigError.about(source_of(config_file), error.key, str(error), error.hint) from None
