"""Looking at what the service knows: by asking it, and when it is down by reading its ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from agent.commands.asking import ask
from agent.errors import LedgerTrouble, NotFound, NotPermitted, NotRunning
from agent.escape import escape
from agent.ledger import Ledger, LedgerError
from agent.register import review_date
from agent.schema import EntryState
from config.settings import Settings

Row = dict[str, Any]


def entries(settings: Settings, states: list[str]) -> list[Row]:
    """Entries in any of these states, the newest first."""
    try:
        rows: list[Row] = ask(settings, "entries", states=states)
    except NotRunning:
        with reading(settings) as ledger:
            dates, after = ledger.review_dates(), settings.vault.review_days
            rows = [
                asdict(e) | {"review_at": review_date(e, dates, after)}
                for e in ledger.entries(states=[EntryState(s) for s in states])
            ]
    return rows


def entry(settings: Settings, entry_id: str) -> Row:
    """One entry by its id or the start of it; raises `NotFound`."""
    try:
        row: Row = ask(settings, "entry", id=entry_id)
        return row
    except NotRunning:
        with reading(settings) as ledger:
            return _one([asdict(e) for e in ledger.entries()], "entry_id", entry_id, "quarantine")


def alerts(settings: Settings, limit: int, recorded: bool) -> list[Row]:
    """Alerts, the newest first; with `recorded` also what was only written down."""
    try:
        rows: list[Row] = ask(settings, "alerts", limit=limit, recorded=recorded)
    except NotRunning:
        with reading(settings) as ledger:
            rows = [asdict(a) for a in ledger.alerts(recorded=recorded, limit=limit)]
    return rows


def alert(settings: Settings, alert_id: str) -> Row:
    """One alert by its id or the start of it; raises `NotFound`."""
    try:
        row: Row = ask(settings, "alert", id=alert_id)
        return row
    except NotRunning:
        with reading(settings) as ledger:
            return _one([asdict(a) for a in ledger.alerts(recorded=True)], "alert_id", alert_id, "alerts")


@contextmanager
def reading(settings: Settings) -> Iterator[Ledger]:
    """The ledger of a service that does not run, for reading."""
    path = settings.state_dir / "ledger.db"
    shown = escape(settings.state_dir)
    try:
        path.stat()
    except FileNotFoundError:
        raise NotFound(
            f"there is no ledger in {shown}", "is it the right --config? has the service run yet?"
        ) from None
    except PermissionError:
        raise NotPermitted(f"you may not look into {shown}", "ask as root") from None
    if not os.access(path, os.R_OK):
        raise NotPermitted(f"you may not look into {shown}", "ask as root")
    try:
        ledger = Ledger.read_only(path)
        try:
            yield ledger
        finally:
            ledger.close()
    except LedgerError as error:
        raise LedgerTrouble(escape(str(error)), "see `recordwarden status`") from None


def _one(rows: list[Row], key: str, wanted: str, command: str) -> Row:
    fitting = [row for row in rows if row[key].startswith(wanted)]
    exact = [row for row in fitting if row[key] == wanted]
    if len(fitting) == 1 or exact:
        return (exact or fitting)[0]
    fault = "more than one" if fitting else "nothing"
    raise NotFound(
        f"{fault} has an id that starts with {escape(wanted)}", f"see `recordwarden {command} list`"
    )


def host_id(settings: Settings) -> str:
    """Which workstation this is; "" before the service ever ran."""
    try:
        return (settings.state_dir / "host_id").read_text("ascii").strip()
    except OSError:
        return ""
