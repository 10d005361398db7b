"""`recordwarden doctor`: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from agent.checkup import Check, checks, worst
from agent.commands.asking import ask
from agent.commands.options import with_config, with_json
from agent.commands.status import concerns
from agent.commands.terminal import count, say, say_json
from agent.escape import escape
from config.load import load, source_of
from config.settings import Settings

_MARKS = {"ok": ("ok", "green"), "warning": ("look", "yellow"), "fault": ("mend", "red")}


@click.command()
@with_config
@with_json
def doctor(config_file: Path | None, as_json: bool) -> int:
    """Look at every precondition, and say how to mend what is wrong. Changes nothing.

    Exit code 0 if nothing has to be mended (there may be things to look at), else 1.
    """
    found = look(config_file, as_json)
    return 1 if worst(found) == "fault" else 0


def look(config_file: Path | None, as_json: bool) -> list[Check]:
    """Say each check as it is made, and in the end how many there were; gives them back."""
    status: dict[str, Any] = {}

    def ask_status(settings: Settings) -> dict[str, Any]:
        status.update(ask(settings, "status"))
        return status

    found: list[Check] = []
    for check in _all(checks(lambda: load(config_file), ask_status, source_of(config_file)), status):
        found.append(check)
        if as_json:
            say_json(asdict(check))
        else:
            _say(check)
    if not as_json:
        mend, heed = (sum(c.level == level for c in found) for level in ("fault", "warning"))
        say()
        say(
            f"{count(mend, 'thing')} to mend, {count(heed, 'thing')} to look at, {len(found)} checks",
            fg=_MARKS[worst(found)][1],
            bold=True,
        )
    return found


def _all(preconditions: Iterator[Check], status: dict[str, Any]) -> Iterator[Check]:
    """The preconditions, then what `status` would call a person for."""
    yield from preconditions
    if status:
        for concern in concerns(status):
            yield Check("status", "fault", concern, "see `recordwarden status` and `recordwarden coverage`")


def _say(check: Check) -> None:
    word, colour = _MARKS[check.level]
    say(f"{word:<5} {check.check:<13} {escape(check.says)}", fg=None if check.level == "ok" else colour)
    if check.fix:
        say(f"{'':<19} {escape(check.fix)}")
