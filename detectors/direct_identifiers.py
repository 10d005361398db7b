"""Columns of direct identifiers, by the rules of `detectors/rules/*.toml` and an administrator's own.

Runbook: `term` names the rule, `column` the place, `value` the share of distinct values that pass. A rule
that fires wrongly is switched off by `disabled = ["id"]`; a missing one is added under `rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from detectors.engine.rules import Hit, RuleBook
from detectors.engine.stanza import Bounds
from detectors.engine.view import TableView

BONUS = {"conclusive": 4.0, "strong": 2.5, "supporting": 1.0, "other": -1.5}


@dataclass(frozen=True)
class Options:
    """Tuning of this detector. `rules` adds rules; `disabled` switches shipped ones off by id."""

    enabled: bool = True
    weight: float = 1.0
    min_share: float = field(default=0.8, metadata={"bounds": Bounds(0.5, 1.0)})
    rules: tuple[Mapping[str, Any], ...] = field(default=(), metadata={"tables": True})
    disabled: tuple[str, ...] = ()


def find(t: TableView, book: RuleBook, options: Options) -> list[Hit]:
    """The columns that hold identifiers; at most one rule a column."""
    return [hit for c in t.used if (hit := book.column(c, options.min_share)) is not None]
