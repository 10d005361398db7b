"""`recordwarden explain`: the evidence on one file, as an analyst reads it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from agent.commands.examination import examination
from agent.commands.options import with_config, with_json
from agent.commands.terminal import say, say_json
from agent.commands.walk import Found, walk
from agent.commands.words import examined, reasons, sentence
from agent.errors import Mistyped
from agent.escape import escape
from config.load import load, source_of
from detectors.engine.verdict import Verdict


@click.command()
@click.argument("file", metavar="FILE")
@with_config
@with_json
def explain(file: str, config_file: Path | None, as_json: bool) -> int:
    """Show the evidence on one file: what spoke for records of people, what against, and where.

    Columns are named by position, counted from 1, and variables by the words of recordwarden's own
    lexicon: nothing that stands in the file is shown. Exit codes are those of `scan`.
    """
    if not os.path.lexists(file):
        raise Mistyped(f"{escape(file)}: there is no such file", "check the spelling of the path")
    if Path(file).is_dir():
        raise Mistyped(
            f"{escape(file)} is a folder", "explain takes one file; `recordwarden scan` takes folders"
        )
    settings = load(config_file)
    with examination(settings, source_of(config_file)) as workers:
        found = next(walk(file))
        verdict = workers.submit(found).result()
    if as_json:
        say_json({"path": file, **verdict.to_json(), "explanation": [sentence(verdict), *reasons(verdict)]})
    else:
        _show(found, verdict)
    if verdict.flagged:
        return 1
    return 0 if examined(verdict) else 3


def _show(found: Found, verdict: Verdict) -> None:
    colour = "red" if verdict.flagged else "green" if examined(verdict) else "yellow"
    say(escape(found.path), bold=True)
    say(f"  {sentence(verdict)}", fg=colour)
    for reason in reasons(verdict):
        say(f"  · {reason}")
    say()
    say(f"  {verdict.media_type}, {found.size:,} bytes, confidence {verdict.confidence:.2f}, "
        f"{verdict.elapsed_ms} ms, configuration {verdict.config_digest[:16]}", dim=True)  # fmt: skip
