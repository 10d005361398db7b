"""The fleet's tuning as commands know it: asked of the service, or read out of its ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.agreements import Agreements
from agent.commands import looking
from agent.commands.asking import ask
from agent.errors import Mistyped, NotRunning, Problem
from agent.escape import escape
from agent.tuning import plain_tuning, remembered
from config.load import load
from config.settings import Settings
from config.tuning import Stanzas, stanzas_of, tuned


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


def in_force(settings: Settings) -> tuple[str, Stanzas]:
    """(id, stanzas) of the tuning that the detectors have here; ("", {}) if none, or nobody may know."""
    try:
        found = next((row for row in rows_of(settings) if row["counts"]), None)
    except Problem:
        found = None
    return (found["tuning_id"], stanzas_of("\n".join(found["settings"]))) if found else ("", {})


def load_tuned(config_file: Path | None) -> Settings:
    """The settings by which the service judges here, as far as whoever asks may know them."""
    settings = load(config_file)
    _, stanzas = in_force(settings)
    return tuned(settings, stanzas)


def text_of(file: Path) -> str:
    """A file of settings, for a tuning; raises `Mistyped`."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Mistyped(f"{escape(file)} cannot be read as text", "name a file of TOML") from None
