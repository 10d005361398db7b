"""`recordwarden detectors`: what there is to detect with, and whether its examples hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from agent.commands.options import with_config, with_json
from agent.commands.terminal import count, say, say_json, say_table
from agent.commands.tuned import load_tuned
from agent.errors import WorkerUnavailable
from config.load import ConfigError, source_of

_SECONDS = 60.0


@click.group()
def detectors() -> None:
    """Detectors and the rules for identifiers: list them, test their examples."""


@detectors.command("list")
@with_config
@with_json
def list_(config_file: Path | None, as_json: bool) -> None:
    """List all detectors and rules, as configured."""
    found = _catalogue(config_file)
    if as_json:
        for kind in ("detectors", "rules"):
            for row in found[kind]:
                say_json({"kind": kind.removesuffix("s"), **row})
        return
    say_table(
        ("detector", "on", "weight", "what it asks"),
        ((d["id"], _state(d), d["options"]["weight"], d["description"]) for d in found["detectors"]),
    )
    say()
    say_table(
        ("rule", "speaks of", "strength", "what it finds"),
        ((r["id"], r["subject"], r["strength"], r["description"]) for r in found["rules"]),
    )


def _state(detector: dict[str, Any]) -> str:
    if not detector["options"]["enabled"]:
        return "no"
    return "audit" if detector["mode"] == "audit" else "yes"


@detectors.command("test")
@with_config
@with_json
def test(config_file: Path | None, as_json: bool) -> int:
    """Hold every rule against its own examples and counter-examples. Exit code 1 if one fails."""
    failed = 0
    rules = _catalogue(config_file)["rules"]
    for rule in rules:
        holds = not rule["missed"] and not rule["taken"]
        failed += not holds
        if as_json:
            say_json({"rule": rule["id"], "holds": holds, **{k: rule[k] for k in ("match", "no_match")}})
        elif not holds:
            faults = count(len(rule["missed"]) + len(rule["taken"]), "example")
            say(f"{rule['id']}: {faults} wrong", fg="red")
    if not as_json:
        examples = sum(rule["match"] + rule["no_match"] for rule in rules)
        say(f"{count(len(rules), 'rule')}, {count(examples, 'example')}: {failed or 'none'} wrong")
    return 1 if failed else 0


def _catalogue(config_file: Path | None) -> dict[str, Any]:
    """Asked of a process of its own: this one imports no detector."""
    stanzas = json.dumps(load_tuned(config_file).detectors)
    done = subprocess.run(
        [sys.executable, "-I", "-m", "detectors.engine.catalogue"],
        input=stanzas, capture_output=True, text=True, timeout=_SECONDS, check=False,
    )  # fmt: skip
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise WorkerUnavailable("the detectors cannot be loaded", "see `recordwarden config check`") from None
    if refused := answer.get("refused"):
        raise ConfigError.about(source_of(config_file), **refused)
    return answer
