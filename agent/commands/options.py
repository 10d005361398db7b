"""The options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def with_config(function: F) -> F:
    """`--config FILE`, handed on as `config_file`."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The configuration [default: $RECORDWARDEN_CONFIG, else /etc/recordwarden/config.toml].",
    )(function)


def with_json(function: F) -> F:
    """`--json`, handed on as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")(function)


def with_key(function: F) -> F:
    """`--key KEYFILE`, one's own, handed on as `key`."""
    return click.option(
        "--key", required=True, type=click.Path(path_type=Path), metavar="KEYFILE", help="Your signing key."
    )(function)


def with_signing(function: F) -> F:
    """`FILE --key KEYFILE [--yes] [--json]` of each command that signs."""
    yes = click.option("--yes", is_flag=True, help="You have looked at it: do not ask.")
    return click.argument("file", type=click.Path(path_type=Path))(with_key(yes(with_json(function))))
