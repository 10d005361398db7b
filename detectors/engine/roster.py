"""Which detectors there are: every module of the package `detectors`, found by walking it.

A detector module's name is its id, its configuration stanza and the name of its test. It has `Options`, and
either `FEATURES` with `measure(view)`, whose numbers the record model weighs, or a `find` of its own.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import detectors
from detectors.engine.stanza import StanzaError, options_from
from detectors.engine.view import TableView

MODES = ("audit", "enforce")
_ROUND = frozenset({-1.0, 0.0, 1.0})
"""What most measures are."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One detector with its options; `measures` is empty if the record model does not weigh it."""

    id: str
    options: Any
    measures: tuple[str, ...]
    measure: Callable[[TableView], dict[str, float]] | None
    runbook: str
    audited: bool = False
    """What rests on its evidence is told and never acted upon."""

    @property
    def factor(self) -> float:
        """By how much its evidence counts; 0 when switched off."""
        return float(self.options.weight) if self.options.enabled else 0.0


def roster(stanzas: Mapping[str, Mapping[str, Any]]) -> dict[str, Detector]:
    """All detectors by id with checked options; an unknown or wrong stanza raises `StanzaError`."""
    found: dict[str, Detector] = {}
    for info in pkgutil.iter_modules(detectors.__path__):
        if info.ispkg:
            continue
        module = importlib.import_module(f"detectors.{info.name}")
        stanza = stanzas.get(info.name, {})
        audited = _audited(info.name, stanza)
        if isinstance(stanza, Mapping):
            stanza = {key: value for key, value in stanza.items() if key != "mode"}
        options = options_from(module.Options, f"detectors.{info.name}", stanza)
        if not 0 <= options.weight <= 10:
            raise StanzaError(f"detectors.{info.name}.weight", "must be between 0 and 10")
        runbook = " ".join((module.__doc__ or "").split("Runbook:")[-1].split())
        found[info.name] = Detector(
            info.name,
            options,
            getattr(module, "FEATURES", ()),
            getattr(module, "measure", None),
            runbook,
            audited,
        )
    for name in stanzas:
        if name not in found:
            raise StanzaError(f"detectors.{name}", "no such detector", "known: " + ", ".join(sorted(found)))
    return found


def _audited(name: str, stanza: Mapping[str, Any]) -> bool:
    """Whether a stanza says `mode = "audit"`; any detector may, whatever its own options are."""
    mode = stanza.get("mode", "enforce") if isinstance(stanza, Mapping) else "enforce"
    if mode not in MODES:
        raise StanzaError(f"detectors.{name}.mode", f"must be one of: {', '.join(MODES)}")
    return bool(mode == "audit")


def measured(t: TableView, detectors_: Mapping[str, Detector]) -> dict[str, float]:
    """All measures of one sample, rounded so that they are the same wherever they are computed."""
    out: dict[str, float] = {}
    for d in detectors_.values():
        if d.measure is not None:
            for name, value in d.measure(t).items():
                out[name] = value if type(value) is float and value in _ROUND else round(value, 6)
    return out
