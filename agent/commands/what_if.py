"""`recordwarden what-if`: which verdicts and actions another configuration would change; changes nothing."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from agent.commands.examination import Examination, examination
from agent.commands.options import with_json
from agent.commands.progress import Progress, progress
from agent.commands.terminal import count, say, say_json
from agent.commands.tuned import load_tuned, text_of
from agent.commands.walk import Found, walk
from agent.commands.words import examined, sentence
from agent.errors import Mistyped
from agent.escape import escape
from agent.policy import Disposition, RootFacts, decide
from agent.volume_facts import VolumeFacts
from config.load import load, source_of
from config.settings import Handling, Settings, Zone
from config.tuning import NotTuning, stanzas_of, tuned
from detectors.engine.verdict import Verdict

SAME, CHANGES, NOT_EXAMINED = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What one configuration says of one file, and would do."""

    verdict: Verdict
    disposition: Disposition

    def verdict_json(self) -> dict[str, Any]:
        """All of a verdict but its evidence and what differs from run to run."""
        plain = self.verdict.to_json()
        return {k: v for k, v in plain.items() if k not in ("findings", "config_digest", "elapsed_ms")}

    def action_json(self) -> dict[str, Any]:
        return {"disposition": self.disposition.kind.value, "reason": self.disposition.reason,
                "action": self.disposition.act.value}  # fmt: skip

    def action(self) -> str:
        reason = f" ({self.disposition.reason})" if self.disposition.reason else ""
        return f"{self.disposition.act.value}{reason}"


def answer(settings: Settings, verdict: Verdict, path: str, zone: Zone) -> Answer:
    """What `settings` would do about a verdict on `path`; without a root of its own it lies in `zone`.

    As if the volume were not encrypted, no agreement covered the file and the breaker were closed.
    """
    where = Path(path).resolve()
    roots = [root for root in settings.watch.roots if where.is_relative_to(root.path.resolve())]
    root = max(roots, key=lambda r: len(r.path.parts), default=None)
    mode = settings.policy.mode
    facts = RootFacts(zone, Handling.UNRESTRICTED, mode)
    if root is not None:
        facts = RootFacts(root.zone, root.handling, root.mode or mode)
    return Answer(verdict, decide(verdict, facts, VolumeFacts(), None, settings.policy, False))


@click.command("what-if")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="NEW",
    help="The configuration to try.",
)  # fmt: skip
@click.option(
    "--tuning", "tuning_file", type=click.Path(path_type=Path), metavar="TOML",
    help="Or settings of detectors to try as the fleet's tuning, before anybody signs them.",
)  # fmt: skip
@click.option(
    "--against", "old", type=click.Path(path_type=Path), metavar="FILE",
    help="The one to compare it with [default: $RECORDWARDEN_CONFIG, else /etc/recordwarden/config.toml].",
)  # fmt: skip
@click.option(
    "--zone", type=click.Choice([z.value for z in Zone]), default=Zone.SHARED.value, show_default=True,
    help="The kind of place that files under none of the configured roots lie in.",
)  # fmt: skip
@with_json
@click.option("--all", "show_all", is_flag=True, help="Print a line for what would stay as it is, too.")
def what_if(
    paths: tuple[str, ...], config_file: Path | None, tuning_file: Path | None, old: Path | None, zone: str,
    as_json: bool, show_all: bool,
) -> int:  # fmt: skip
    """Judge files under two configurations and show which verdicts or actions would change.

    Changes nothing. Each file is judged as if its volume were not encrypted and no agreement covered it.
    Exit code: 0 nothing would change, 1 something would, 3 nothing would but something could not be
    examined under one of them, 2 wrong usage, 78 a wrong configuration.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise Mistyped(
                f"{escape(path)}: there is no such file or folder", "check the spelling of the path"
            )
    before, after, source = _both(config_file, tuning_file, old)
    files = changed = unseen = 0
    moves: Counter[str] = Counter()
    with ExitStack() as stack:
        first = stack.enter_context(examination(before, source_of(old)))
        second = None
        if (before.detectors, before.limits) != (after.detectors, after.limits):
            second = stack.enter_context(examination(after, source))
        seen = stack.enter_context(progress(paths))
        for found, was, would in _judge(paths, first, second, seen):
            one = answer(before, was, found.path, Zone(zone))
            other = answer(after, would, found.path, Zone(zone))
            files += 1
            what = _changed(one, other)
            unseen += not (examined(was) and examined(would))
            if what:
                changed += 1
                if "action" in what:
                    moves[f"{one.action()} -> {other.action()}"] += 1
            if what or show_all:
                _tell(found.path, one, other, what, as_json, seen)
            seen.done(found.size)
    _summarise(files, changed, unseen, moves, as_json)
    return CHANGES if changed else NOT_EXAMINED if unseen else SAME


def _both(new: Path | None, tuning: Path | None, old: Path | None) -> tuple[Settings, Settings, str]:
    """(what is in force, what is to be tried, its file); the fleet's tuning lies below both."""
    if (new is None) == (tuning is None):
        raise Mistyped("give --config NEW or --tuning TOML", "one of them says what to try")
    before = load_tuned(old)
    if tuning is None:
        return before, load_tuned(new), source_of(new)
    text = text_of(tuning)
    try:
        return before, tuned(load(old), stanzas_of(text)), str(tuning)
    except NotTuning as error:
        raise Mistyped(
            f"{escape(tuning)}: {error}", "[detectors.NAME] tables, as in a configuration"
        ) from None


def _changed(one: Answer, other: Answer) -> list[str]:
    what = []
    if one.verdict_json() != other.verdict_json():
        what.append("verdict")
    if one.action_json() != other.action_json():
        what.append("action")
    return what


def _judge(
    paths: tuple[str, ...], first: Examination, second: Examination | None, seen: Progress
) -> Iterator[tuple[Found, Verdict, Verdict]]:
    """Each file with its two verdicts, in the order of the walk, a few under way at a time."""
    under_way: deque[tuple[Found, Future[Verdict], Future[Verdict] | None]] = deque()

    def finished() -> tuple[Found, Verdict, Verdict]:
        found, one, other = under_way.popleft()
        seen.at(found.path)
        was = one.result()
        return found, was, was if other is None else other.result()

    for path in paths:
        for found in walk(path):
            other = None
            if second is not None:
                # Workers read by position, so that one descriptor may serve both.
                twin = os.dup(found.descriptor) if found.descriptor >= 0 else -1
                other = second.submit(replace(found, descriptor=twin))
            under_way.append((found, first.submit(found), other))
            if len(under_way) >= first.in_flight:
                yield finished()
    while under_way:
        yield finished()


def _tell(path: str, one: Answer, other: Answer, what: list[str], as_json: bool, seen: Progress) -> None:
    if as_json:
        before, after = ({"verdict": a.verdict_json(), **a.action_json()} for a in (one, other))
        say_json({"path": path, "changed": what, "before": before, "after": after})
        return
    was, would = sentence(one.verdict), sentence(other.verdict)
    if not what:
        seen.say(f"  {escape(path)}: {was}; {one.action()}")
        return
    seen.say(f"~ {escape(path)}", "yellow")
    seen.say(f"    now:   {was}; {one.action()}")
    seen.say(f"    would: {would}; {other.action()}")


def _summarise(files: int, changed: int, unseen: int, moves: Counter[str], as_json: bool) -> None:
    """The closing lines; beside `--json` they go to standard error."""
    say(f"\n{count(files, 'file')} judged under both; {changed or 'nothing'} would change", error=as_json)
    for move, number in moves.most_common():
        say(f"  {number:>8,}  {move}", error=as_json)
    if unseen:
        say(f"{count(unseen, 'file')} not examined under one of them", error=as_json)
