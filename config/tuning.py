"""What of the configuration a fleet may be sent: how detectors judge, `[detectors.NAME]`, and nothing else.

The one list of it is `TUNABLE`. Roots, recipients, approvers, destinations, and policy (what is done about a
verdict) are each machine's own: who could send those would decide what leaves it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from config.settings import Settings

TUNABLE = ("detectors",)
ADDS = frozenset({"row_subject.words_person", "direct_identifiers.rules"})
"""Keys that can only have more found; of any other one nobody can say so without judging files."""
Stanzas = Mapping[str, Mapping[str, Any]]


class NotTuning(ValueError):
    """Text that is no tuning of detectors. The message is ours alone."""


def stanzas_of(untrusted: str) -> dict[str, dict[str, Any]]:
    """The detectors' stanzas out of TOML; raises `NotTuning`. Whether detectors take them, they say."""
    try:
        plain = tomllib.loads(untrusted)
        json.dumps(plain, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise NotTuning("the settings are not TOML with texts, numbers and lists alone") from None
    if set(plain) - set(TUNABLE):
        raise NotTuning("a tuning sets [detectors.NAME] alone: everything else is each machine's own")
    found = plain.get("detectors")
    if not isinstance(found, dict) or not found or not all(isinstance(s, dict) and s for s in found.values()):
        raise NotTuning("a tuning sets at least one key of a [detectors.NAME]")
    return found


def tuned(local: Settings, fleet: Stanzas) -> Settings:
    """Local settings with the fleet's below them: a key that is set locally keeps its local value."""
    names = [*fleet, *(name for name in local.detectors if name not in fleet)]
    merged = {name: {**fleet.get(name, {}), **local.detectors.get(name, {})} for name in names}
    return local.model_copy(update={"detectors": merged})


def keys_of(stanzas: Stanzas) -> Iterator[str]:
    """`NAME.KEY` of each key that is set."""
    yield from (f"{name}.{key}" for name, stanza in stanzas.items() for key in stanza)


def may_find_less(stanzas: Stanzas) -> list[str]:
    """The keys by which something may be found no more: all but words of people and rules about people."""
    found = []
    for name, stanza in stanzas.items():
        for key, value in stanza.items():
            harmless = f"{name}.{key}" in ADDS and not (key == "rules" and _speaks_of_others(value))
            if not harmless and (key, value) not in (("enabled", True), ("mode", "enforce")):
                found.append(f"{name}.{key}")
    return found


def _speaks_of_others(rules: object) -> bool:
    """Rules that speak of organisations or things are evidence against people."""
    listed = rules if isinstance(rules, list) else [rules]
    return any(not isinstance(r, dict) or r.get("subject", "person") != "person" for r in listed)
