"""What all commands to a console from afar share: their options, and how they speak."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from console.remote.connection import TOKEN_VARIABLE, UNAVAILABLE, Remote, Trouble, checked_url, token_of
from console.shown import shown

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)
_OPTIONS = (
    click.option(
        "--url", default="http://127.0.0.1:8710", envvar="RECORDWARDEN_CONSOLE_URL", show_envvar=True,
        show_default=True, help="The console's address.",
    ),
    click.option(
        "--token-file", type=_FILE, metavar="FILE", envvar="RECORDWARDEN_CONSOLE_TOKEN_FILE",
        show_envvar=True, help=f"Holds a personal token, readable by you alone; else ${TOKEN_VARIABLE}.",
    ),
    click.option(
        "--ca", type=_FILE, metavar="FILE", envvar="RECORDWARDEN_CONSOLE_CA", show_envvar=True,
        help="The authority that the console's certificate must be of, as PEM.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line."),
)  # fmt: skip


def asks(function: F) -> F:
    """The options of a command to a console; it is handed `remote` and `as_json`."""

    @functools.wraps(function)
    def asking(url: str, token_file: Path | None, ca: Path | None, **more: Any) -> Any:
        try:
            return function(Remote(checked_url(url), token_of(token_file), ca), **more)
        except Trouble as trouble:
            raise _said(trouble) from None
        except (LookupError, TypeError, AttributeError):  # an answer of another shape
            raise _said(Trouble("what answers there is no console of this version", UNAVAILABLE)) from None

    return cast(F, functools.reduce(lambda made, option: option(made), reversed(_OPTIONS), asking))


def _said(trouble: Trouble) -> click.exceptions.Exit:
    click.echo(f"recordwarden: error: {shown(str(trouble))}", err=True)
    if trouble.hint:
        click.echo(f"recordwarden: hint: {trouble.hint}", err=True)
    return click.exceptions.Exit(trouble.exit_code)


def say_json(value: Any) -> None:
    """One object on one line, in ASCII: any name in it stays exact and harmless."""
    click.echo(json.dumps(value))


def say_rows(rows: Iterable[dict[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """A line for each: as JSON whole, else these columns, parted by tabs below their names."""
    told = (json.dumps(row) if as_json else _line(row, columns) for row in rows)
    first = next(told, None)  # asked for before anything is said
    if not as_json:
        click.echo("\t".join(columns))
    for line in chain(() if first is None else (first,), told):
        click.echo(line)


def _line(row: dict[str, Any], columns: Sequence[str]) -> str:
    return "\t".join(plain(name, row.get(name)) for name in columns)


def say_one(row: dict[str, Any], as_json: bool) -> None:
    """One object: as JSON, else a line for each of its values that is not empty."""
    if as_json:
        say_json(row)
        return
    for name, value in row.items():
        if value not in ("", None, [], {}):
            click.echo(f"{name}\t{plain(name, value)}")


def plain(name: str, value: Any) -> str:
    """A value as a cell of visible characters; times of ours in UTC."""
    if name in _TIMES and isinstance(value, int | float) and 0 <= value < 253_402_300_800:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return " ".join(shown(v) for v in value)
    if isinstance(value, dict | list):
        return json.dumps(value)
    return shown("" if value is None else str(value))


_TIMES = frozenset({
    "at", "first_seen", "updated", "decided_at", "enrolled_at", "revoked_at", "seen_at", "beat_at",
    "added_at", "accepted_at", "since", "proved_at", "swept_at", "expires_at",
})  # fmt: skip
