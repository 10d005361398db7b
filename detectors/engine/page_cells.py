"""Cells of a page's tables while they are parsed, and what was filled into its forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_TYPED = frozenset("text number date email tel search month time datetime-local".split())  # noqa: SIM905
_CHOSEN = frozenset({"radio", "checkbox"})


@dataclass(slots=True)
class OpenCell:
    """A cell that is being parsed: how many columns and rows it takes, and its text so far."""

    is_header: bool
    columns: int = 1
    rows: int = 1
    parts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class OpenTable:
    """A table that is being parsed: the row under way, and cells that reach down into later rows."""

    number: int
    row: list[tuple[str, bool]] | None = None
    cell: OpenCell | None = None
    reaching: dict[int, tuple[int, str, bool]] = field(default_factory=dict)


def span(stated: str | None, most: int) -> int:
    """The number of columns or rows that a cell takes by its attribute: 1 to `most`."""
    return min(int(stated), most) or 1 if stated and stated.isascii() and stated.isdigit() else 1


def typed(attributes: Mapping[str, str]) -> str:
    """What was typed into, or chosen with, an `input` of these attributes; "" if nothing was."""
    kind = (attributes.get("type") or "text").lower()
    is_filled = "checked" in attributes if kind in _CHOSEN else kind in _TYPED
    return (attributes.get("value") or "").strip() if is_filled else ""
