"""`recordwarden scan`: judge files and folders, change nothing."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path

import click

from agent.commands.examination import Examination, examination
from agent.commands.options import with_config, with_json
from agent.commands.progress import Progress, progress
from agent.commands.terminal import count, say, say_json
from agent.commands.tuned import load_tuned
from agent.commands.walk import Found, walk
from agent.commands.words import REASONS, examined, sentence, why_not_examined
from agent.errors import Mistyped
from agent.escape import escape
from config.load import source_of
from detectors.engine.verdict import Outcome, Reason, Verdict

NOTHING, FLAGGED, NOT_EXAMINED = 0, 1, 3


class Tally:
    """What a scan has come across so far."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.files = self.flagged = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.not_examined: Counter[Reason] = Counter()

    def add(self, verdict: Verdict) -> None:
        self.files += 1
        self.flagged += verdict.flagged
        if examined(verdict):
            self.outcomes[verdict.outcome] += 1
        else:
            self.not_examined[why_not_examined(verdict)] += 1

    @property
    def exit_code(self) -> int:
        if self.flagged:
            return FLAGGED
        return NOT_EXAMINED if self.not_examined else NOTHING


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@with_config
@with_json
@click.option(
    "--all", "show_all", is_flag=True, help="Print a line for every file, not only for those that matter."
)
def scan(paths: tuple[str, ...], config_file: Path | None, as_json: bool, show_all: bool) -> int:
    """Judge files and folders; change nothing.

    Prints the files that hold microdata about people and those that could not be examined. Links are not
    followed. Exit code: 0 all examined and nothing flagged, 1 something flagged, 3 nothing flagged but
    something not examined, 2 wrong usage.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise Mistyped(
                f"{escape(path)}: there is no such file or folder", "check the spelling of the path"
            )
    settings = load_tuned(config_file)
    tally = Tally()
    with examination(settings, source_of(config_file)) as workers, progress(paths) as seen:
        for found, verdict in _judge(_files(paths), workers, seen):
            tally.add(verdict)
            if show_all or verdict.flagged or not examined(verdict):
                _tell(found.path, verdict, as_json, seen)
            seen.done(found.size)
    _summarise(tally, as_json)
    return tally.exit_code


def _files(paths: Iterable[str]) -> Iterator[Found]:
    for path in paths:
        yield from walk(path)


def _judge(files: Iterator[Found], workers: Examination, seen: Progress) -> Iterator[tuple[Found, Verdict]]:
    """Verdicts in the order of the walk, a few files under way at a time."""
    under_way: deque[tuple[Found, Future[Verdict]]] = deque()
    for found in files:
        under_way.append((found, workers.submit(found)))
        if len(under_way) >= workers.in_flight:
            yield _next(under_way, seen)
    while under_way:
        yield _next(under_way, seen)


def _next(under_way: deque[tuple[Found, Future[Verdict]]], seen: Progress) -> tuple[Found, Verdict]:
    found, future = under_way.popleft()
    seen.at(found.path)
    return found, future.result()


def _tell(path: str, verdict: Verdict, as_json: bool, seen: Progress) -> None:
    if as_json:
        plain = verdict.to_json()
        del plain["layout"]  # `explain` tells it
        say_json({"path": path, **plain})
        return
    colour = "red" if verdict.flagged else None if examined(verdict) else "yellow"
    seen.say(f"{'! ' if verdict.flagged else '  '}{escape(path)}: {sentence(verdict)}", colour)


def _summarise(tally: Tally, as_json: bool) -> None:
    """The closing lines; beside `--json` they go to standard error."""
    seconds = max(time.monotonic() - tally.started, 0.001)
    rate = f"{seconds:.1f} s, {tally.files / seconds:,.0f} files/s"
    say(f"\n{count(tally.files, 'file')} judged in {rate}; {tally.flagged:,} flagged", error=as_json)
    for outcome, number in tally.outcomes.most_common():
        say(f"  {number:>8,}  {_OUTCOMES[outcome]}", error=as_json)
    if tally.not_examined:
        say(f"{count(sum(tally.not_examined.values()), 'file')} not examined:", error=as_json)
        for reason, number in tally.not_examined.most_common():
            say(f"  {number:>8,}  {REASONS[reason]} ({reason.value})", error=as_json)


_OUTCOMES = {
    Outcome.MICRODATA: "microdata about people",
    Outcome.BUSINESS_RECORDS: "records of organisations",
    Outcome.OTHER_RECORDS: "records of other things",
    Outcome.AGGREGATE: "statistics: totals, no records",
    Outcome.NO_RECORDS: "without records",
    Outcome.ENCRYPTED: "strongly encrypted",
    Outcome.UNREADABLE: "not examined",
}
