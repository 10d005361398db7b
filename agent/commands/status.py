"""`recordwarden status` and `coverage`: what the running service sees, and what it does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from agent.commands.asking import ask
from agent.commands.options import with_config, with_json
from agent.commands.terminal import count, say, say_json, say_table, time_text
from agent.commands.words import REASONS
from agent.escape import escape
from agent.footprint import footprints
from agent.hold import HELD, HOLDING
from agent.paper_bundle import REFUSALS
from config.load import load
from detectors.engine.verdict import Reason

_WATCHED = ("native", "polling")
"""States in which a root is watched as it should be; `polling` is slower to notice."""
_STATES = {
    "degraded": "parts send no events (watches are used up, or a path is too long); it is swept instead",
    "no_access": "the folder cannot be reached or read",
}
_UNPROVEN = {
    "missed": "the watch did not tell of a canary file; it is set anew, and the root is swept",
    "unwritable": "no canary can be written here, so that it is watched is not proven",
}


@click.command()
@with_config
@with_json
def status(config_file: Path | None, as_json: bool) -> int:
    """What is watched, how well protected the service is, what is in custody and still to be told.

    Exit code 1 if something needs a person: a root that is not watched, a missing entry, dead letters.
    """
    found = ask(load(config_file), "status")
    found["processes"] = [asdict(f) for f in footprints(found["pid"])]
    calls = list(concerns(found))
    if as_json:
        say_json(found)
        return 1 if calls else 0
    say(
        f"service    running since {time_text(found['started_at'])}, pid {found['pid']}, {found['mode']} mode"
    )
    if processes := found["processes"]:
        memory = sum(p["memory_bytes"] for p in processes) / 1e6
        say(f"cost       {memory:.0f} MB in {len(processes)} processes")
    say(f"state      {escape(found['state_dir'])}")
    if (governor := found.get("governor", {})).get("paused"):
        since = _span(time.time() - governor["since"])
        say(
            f"sweeps     paused for {since} ({governor['why']}); fresh files and drives do not wait",
            fg="yellow",
        )
    for own in found.get("own_disk", ()):
        proof = own["encryption_proof"]
        told = f"encrypted: {escape(proof)}" if proof else "not provably encrypted"
        say(f"own disk   {escape(own['mount_point'])}: {told}", fg=None if proof else "yellow")
    present, missing = found["protections"]["present"], found["protections"]["missing"]
    say(f"protected  by {', '.join(present) or 'nothing'}")
    for name, why in sorted(missing.items()):
        say(f"missing    {name}: {escape(str(why))}", fg="yellow")
    custody = ", ".join(f"{number:,} {state}" for state, number in sorted(found["custody"].items()) if number)
    say(f"custody    {custody or 'nothing was ever taken'}")
    verified = found["vault"].get("verified") or {}
    if verified.get("ended"):
        say(f"verified   {count(verified['checked'], 'entry', 'entries')}, {time_text(verified['ended'])}")
    elif verified:
        say(f"verified   under way: {count(verified['checked'], 'entry', 'entries')} so far")
    if copies := found["vault"].get("copies"):
        say(f"copies     {copies['copied']:,} in {escape(copies['to'])}, {copies['waiting']:,} waiting")
    for name, sink in sorted(found["sinks"].items()):
        told = f"{sink.get('delivered', 0):,} delivered, {sink.get('pending', 0):,} waiting"
        error = f"; {escape(str(sink['error']))}" if sink.get("error") else ""
        say(f"alerts     {name}: {told}{error}")
    if (papers := _papers(found))["has_key"]:
        last = (
            f"bundle {papers['serial']} of {time_text(papers['made_at'])}" if papers["serial"] else "none yet"
        )
        fault = f"; {escape(papers['fault'])}" if papers["fault"] else ""
        say(f"papers     from the console: {last}{fault}")
    elif "console" in found["sinks"] and "papers" in found:
        say("papers     none come from the console: enrol this machine again, for its key", fg="yellow")
    _say_exceptions(found)
    _say_tuning(found)
    if not found["sinks"]:
        say("alerts     no destination: they wait in the ledger", fg="yellow")
    say()
    _say_roots(found["roots"])
    for concern in calls:
        say(f"! {concern}", fg="red")
    return 1 if calls else 0


def _say_tuning(found: dict[str, Any]) -> None:
    tuning = _tuning(found)
    if not tuning["id"]:
        return
    told = f"{escape(tuning['id'])}: {count(len(tuning['keys']), 'key')} of detectors"
    if less := tuning["may_find_less"]:
        told += f"; may find less by {escape(', '.join(less))}"
    if own := tuning["kept_here"]:
        told += f"; set otherwise here: {escape(', '.join(own))}"
    say(f"tuning     {told}", fg="yellow" if less else None)


def _tuning(found: dict[str, Any]) -> dict[str, Any]:
    """Of a service of this version or before."""
    return found.get("tuning") or {"id": "", "refused": {}, "why": {}}


def _say_exceptions(found: dict[str, Any]) -> None:
    known = found.get("exceptions") or {"in_force": []}
    if not known["in_force"]:
        return
    ending = f"; end soon: {', '.join(known['ending'])}" if known["ending"] else ""
    told = f"{count(known['files'], 'file')} let be by {count(len(known['in_force']), 'exception')}{ending}"
    say(f"excepted   {told}", fg="yellow" if ending else None)


@click.command()
@with_config
@with_json
def coverage(config_file: Path | None, as_json: bool) -> int:
    """What was not seen and not examined, root by root, and why. Exit code 1 if a root is not watched."""
    roots = ask(load(config_file), "status")["roots"]
    uncovered = sum(root["state"] not in _WATCHED for root in roots)
    for root in roots:
        if as_json:
            say_json(_coverage(root))
        else:
            _say_coverage(root)
    if not roots and not as_json:
        say("no root is watched: see [[watch.roots]] and [watch.volumes] in the configuration", fg="yellow")
    return 1 if uncovered else 0


def _say_roots(roots: list[dict[str, Any]]) -> None:
    if not roots:
        say("no root is watched: see [[watch.roots]] and [watch.volumes] in the configuration", fg="yellow")
        return
    say_table(
        ("root", "zone", "mode", "handling", "state", "last full pass", "waiting", "not examined"),
        (
            (
                r["path"], r["zone"], r["mode"], r["handling"], r["state"], _pass(r), r["backlog"],
                sum(r["not_examined"].values()),
            )
            for r in roots
        ),
    )  # fmt: skip


def concerns(found: dict[str, Any]) -> Iterator[str]:
    """What a person should look at."""
    for root in found["roots"]:
        shown = escape(root["path"])
        if root["state"] not in _WATCHED:
            why = root["fault"] or _UNPROVEN.get(root["proof"]) or _STATES.get(root["state"], "see the log")
            yield f"{shown} is {root['state']}: {escape(str(why))}"
        if root["hold"] not in HOLDING:
            yield f"{shown}: files can be opened before they are judged: {escape(root['hold'])}"
        if root["breaker_open"]:
            yield f"{shown}: the circuit breaker is open; files there are only alerted"
        if root["abandoned"]:
            yield f"{shown}: {count(len(root['abandoned']), 'keeper hangs', 'keepers hang')} with the medium"
    if fault := found["vault"].get("fault"):
        yield f"the vault takes nothing ({fault}): files of records stay where they are"
    if damaged := (found["vault"].get("verified") or {}).get("damaged"):
        told = count(len(damaged), "entry", "entries")
        yield f"{told} of the vault are damaged: see `recordwarden quarantine verify`"
    if fault := (found["vault"].get("copies") or {}).get("fault"):
        yield f"the vault is not copied to the security team's folder: {escape(fault)}"
    if lost := found["vault"]["lost"]:
        yield f"{count(len(lost), 'entry', 'entries')} should be in the vault and not there"
    yield from _overdue(found)
    for name, sink in found["sinks"].items():
        if dead := sink.get("dead"):
            yield f"{name}: {count(dead, 'alert')} could not be delivered and wait for you"


def _papers(found: dict[str, Any]) -> dict[str, Any]:
    """Of the console's bundle; a service that an upgrade has not restarted yet tells nothing of it."""
    return found.get("papers") or {"has_key": False, "refused": {}}


def _overdue(found: dict[str, Any]) -> Iterator[str]:
    """What somebody should have looked at by now, or has begun and not ended."""
    reviews = found["reviews"]
    if reviews["policy"]:
        yield f"the policy was due for review on {escape(reviews['policy'])}"
    if overdue := reviews["agreements"]:
        number = count(len(overdue), "agreement is", "agreements are")
        yield f"{number} overdue for review: {', '.join(overdue)}"
    if due := reviews["entries"]:
        yield f"{count(due, 'entry is', 'entries are')} due for review: `recordwarden quarantine list --due`"
    papers = _papers(found)
    if papers["has_key"] and papers["fault"] in REFUSALS:
        yield f"the console's bundle of papers is refused ({papers['fault']}): the last good one stays"
    for name, code in sorted(papers["refused"].items()):
        yield f"a paper of the console's bundle is refused: {escape(name)} ({code})"
    tuning = _tuning(found)
    for number, code in tuning["refused"].items():
        why = f"{code}: {tuning['why'][number]}"
        yield f"the tuning {escape(number)} is refused ({escape(why)}): {tuning['id'] or 'none'} counts"
    if tuning["id"] and tuning["review_overdue"]:
        yield f"the tuning {escape(tuning['id'])} is overdue for review"
    for row in found["releases"]:
        if row["state"] in ("placing", "written"):
            yield f"a release to {escape(row['destination'])} was begun and not ended: complete it again"


def _pass(root: dict[str, Any]) -> str:
    return time_text(root["swept"]["finished_at"]) if root["swept"] else "not yet"


def _coverage(root: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "root_id", "path", "state", "coverage", "since", "fault", "hold", "proof", "proved_at", "backlog",
        "swept", "not_examined", "held", "unfinished",
    )  # fmt: skip
    return {"covered": root["state"] in _WATCHED, **{key: root[key] for key in kept}}


def _say_coverage(root: dict[str, Any]) -> None:
    covered = root["state"] in _WATCHED
    since = f" for {_span(time.time() - root['since'])}" if root["since"] else ""
    say(escape(root["path"]), bold=True)
    word = root["coverage"] if root["coverage"] == root["state"] else f"{root['coverage']} ({root['state']})"
    say(f"  {word}{since}", fg="green" if covered else "red")
    if root["proof"] == "seen":
        say(f"  proved by a canary {_span(time.time() - root['proved_at'])} ago")
    elif root["proof"] in _UNPROVEN:
        say(f"  {_UNPROVEN[root['proof']]}", fg="yellow")
    if root["hold"] == HELD:
        say("  nobody opens a file there before it is judged")
    if root["fault"]:
        say(f"  {escape(str(root['fault']))}", fg="red")
    if swept := root["swept"]:
        met = f"{count(swept['files'], 'file')}, {count(swept['folders'], 'folder')}"
        say(f"  last full pass {_pass(root)}: {met}{'' if swept['complete'] else ', not complete'}")
    else:
        say("  no full pass yet", fg="yellow")
    if root["held"]:
        say(f"  {count(root['held'], 'file')} older than the watch: see `recordwarden baseline list`")
    if root["backlog"]:
        say(f"  {count(root['backlog'], 'file')} waiting to be judged")
    for reason, number in sorted(root["not_examined"].items(), key=lambda pair: -pair[1]):
        words = REASONS[Reason(reason)] if reason in set(Reason) else reason
        say(f"  {number:>8,}  not examined: {escape(words)} ({escape(reason)})")


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
