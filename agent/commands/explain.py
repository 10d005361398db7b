"""`recordwarden explain`: the evidence on one file, as an analyst reads it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from agent.commands.examination import examination
from agent.commands.options import with_config, with_json
from agent.commands.terminal import say, say_json, say_table
from agent.commands.tuned import load_tuned
from agent.commands.walk import Found, walk
from agent.commands.words import examined, sentence
from agent.errors import Mistyped
from agent.escape import escape
from config.load import source_of
from detectors.engine import explain as telling
from detectors.engine.verdict import Finding, Verdict


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
    settings = load_tuned(config_file)
    with examination(settings, source_of(config_file)) as workers:
        found = next(walk(file))
        verdict = workers.submit(found).result()
    if as_json:
        say_json({"path": file, **verdict.to_json(), "explanation": telling.explain(verdict)})
    else:
        _show(found, verdict)
    if verdict.flagged:
        return 1
    return 0 if examined(verdict) else 3


def _show(found: Found, verdict: Verdict) -> None:
    colour = "red" if verdict.flagged else "green" if examined(verdict) else "yellow"
    say(escape(found.path), bold=True)
    say(sentence(verdict), fg=colour)
    say(telling.explain(verdict))
    if verdict.findings:
        say()
        say_table(
            ("weight", "speaks", "evidence", "where", "value", "rows", "by"),
            (_row(f) for f in sorted(verdict.findings, key=lambda f: -abs(f.weight))),
        )
    say()
    facts = f"{verdict.media_type}, {found.size:,} bytes, confidence {verdict.confidence:.2f}"
    say(f"{facts}, {verdict.elapsed_ms} ms, configuration {verdict.config_digest[:16]}", dim=True)


def _row(finding: Finding) -> tuple[str, ...]:
    """One piece of evidence as cells. Tables and columns are counted from 1 for people."""
    where = []
    if finding.table:
        where.append(f"table {finding.table + 1}")
    if finding.column is not None:
        where.append(f"column {finding.column + 1}")
    value = "" if finding.value is None else f"{finding.value:.4g}"
    if value and finding.threshold is not None:
        value += f" (against {finding.threshold:.4g})"
    rows = ""
    if finding.records_matched is not None:
        rows = f"{finding.records_matched:,}"
    if finding.records_seen is not None:
        rows = f"{rows or '?'} of {finding.records_seen:,}"
    said = finding.measure if finding.term is None else f"{finding.measure}: {finding.term}"
    weight, speaks = f"{finding.weight:+.2f}", f"{finding.polarity.value} records"
    return weight, speaks, said.replace("_", " "), ", ".join(where), value, rows, finding.detector
