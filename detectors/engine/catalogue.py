"""What there is to detect with, for people: run as `python -I -m detectors.engine.catalogue`.

Reads the detectors' stanzas as one JSON object from standard input and prints one: either
`{"detectors": [...], "rules": [...]}` or, for a wrong stanza, `{"refused": {key, message, hint}}`.
A process of its own, because the command line imports no detector.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from typing import Any

from detectors.engine.judge import Judge
from detectors.engine.roster import Detector
from detectors.engine.rules import CompiledRule
from detectors.engine.stanza import StanzaError


def catalogue(stanzas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All detectors with their options, and all rules with how many of their examples hold."""
    bench = Judge(stanzas).bench
    return {
        "detectors": [_detector(d) for d in bench.detectors.values()],
        "rules": [_rule(compiled) for compiled in bench.book.rules],
    }


def _detector(detector: Detector) -> dict[str, Any]:
    says = import_module(f"detectors.{detector.id}").__doc__ or ""
    return {
        "id": detector.id,
        "description": says.split("\n")[0],
        "runbook": detector.runbook,
        "measures": list(detector.measures),
        "options": asdict(detector.options),
        "mode": "audit" if detector.audited else "enforce",
    }


def _rule(compiled: CompiledRule) -> dict[str, Any]:
    rule = compiled.rule
    missed = [n for n, example in enumerate(rule.match) if not compiled.passes(example)]
    taken = [n for n, example in enumerate(rule.no_match) if compiled.passes(example)]
    return {
        "id": rule.id,
        "description": rule.description,
        "strength": rule.strength,
        "subject": rule.subject,
        "match": len(rule.match),
        "no_match": len(rule.no_match),
        "missed": missed,
        "taken": taken,
    }


def main() -> None:
    """Answer one request."""
    try:
        answer = catalogue(json.load(sys.stdin))
    except StanzaError as error:
        answer = {"refused": {"key": error.key, "message": error.message, "hint": error.hint}}
    json.dump(answer, sys.stdout, default=str)


if __name__ == "__main__":
    main()
