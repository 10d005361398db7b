"""The fleet's tuning as commands know it: asked of the service, or read out of its ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.agreements import Agreements
from agent.commands import looking
from agent.commands.asking import ask
from agent.errors import NotRunning, Problem
from agent.tuning import plain_tuning, remembered
from config.load import load
from config.settings import Settings
from config.tuning import stanzas_of, tuned


def rows_of(settings: Settings) -> list[dict[str, Any]]:
    """All tunings that were ever handed in here, the newest first; raises a `Problem` if nobody may know."""
    try:
        rows: list[dict[str, Any]] = ask(settings, "tunings")
    except NotRunning:
        with looking.reading(settings) as ledger:
            in_use, host = remembered(ledger), looking.host_id(settings)
            found = Agreements(ledger, lambda: settings.approvers).tunings()
            rows = [plain_tuning(each, host, in_use) for each in found]
    return rows


def in_force(settings: Settings) -> dict[str, Any] | None:
    """The tuning that the detectors have here; None too if nobody may know."""
    try:
        return next((row for row in rows_of(settings) if row["counts"]), None)
    except Problem:
        return None


def load_tuned(config_file: Path | None) -> Settings:
    """The settings by which the service judges here, as far as whoever asks may know them."""
    settings = load(config_file)
    found = in_force(settings)
    return settings if found is None else tuned(settings, stanzas_of("\n".join(found["settings"])))
