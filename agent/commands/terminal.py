"""How commands speak: plain lines and columns, JSON, and on a terminal colour and progress.

Every cell and every line that may hold untrusted text goes through `agent.escape` in here.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

import click

from agent.escape import escape


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether a person looks at `stream` (standard output if None) and lines on it can be written anew."""
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def can_ask() -> bool:
    """Whether a person can answer; a dumb terminal does for that."""
    return sys.stdin.isatty()


def say(text: str = "", *, error: bool = False, **style: Any) -> None:
    """One line of our own words. Colour shows on terminals only, and never with NO_COLOR."""
    if os.environ.get("NO_COLOR"):
        style = {}
    click.secho(text, err=error, **style)


def say_json(value: Any) -> None:
    """One JSON object on one line, in ASCII: any name in it stays exact and harmless."""
    print(json.dumps(value, separators=(", ", ": "), default=str), flush=True)


def say_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns: wrapped and coloured on a terminal, elsewhere aligned by spaces. Cells are escaped."""
    cells = [[escape("" if cell is None else str(cell)) for cell in row] for row in rows]
    if is_terminal():
        _rich_table(headings, cells)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in (headings, *cells):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def say_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Names and values below each other. Values are escaped."""
    pairs = [(name, escape("" if value is None else str(value))) for name, value in fields]
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        say(f"{name.ljust(width)}  {value}")


def _rich_table(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))  # Text: no markup is read out of a cell
    Console(no_color=bool(os.environ.get("NO_COLOR"))).print(table)


def count(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2,000 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def bytes_text(number: float) -> str:
    """A number of bytes for people, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number) < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def time_text(seconds: float | None) -> str:
    """A moment (seconds since 1970) as ISO 8601 in UTC, to the second; empty for None."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
