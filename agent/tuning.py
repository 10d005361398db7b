"""The fleet's tuning of detectors: which signed paper counts here, and what of it the detectors refuse.

Of those in force (`agent.agreements`) that are for this workstation, the newest counts that the detectors
take, whole; it lies below this machine's own `[detectors]` stanzas, key by key (`config.tuning`). One that
they refuse is told and passed over, so that the last good one stays. If there is none, the machine's own
configuration is all there is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.agreements import Agreements, RegisteredTuning
from agent.errors import Misconfigured, Problem
from agent.ledger import Ledger
from config.settings import Settings
from config.tuning import keys_of, may_find_less, tuned

RETRY_SECONDS = 3600.0
"""After so long one with which the detectors did not start, for whatever reason, is tried again."""
_META = "tuning"


@dataclass(frozen=True)
class _Choice:
    """What was found when it was last looked: the papers, the one that counts, the others' faults."""

    papers: tuple[str, ...] = ()
    counts: RegisteredTuning | None = None
    refused: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    at: float = 0.0


class FleetTuning:
    """One for the service. `local` is the configuration of this very machine, without any tuning."""

    def __init__(
        self, ledger: Ledger, host_id: str, local: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self._ledger, self._host_id, self._clock = ledger, host_id, clock
        self.local = local
        self._choice = _Choice()
        self._running: Settings | None = None

    def adopt(self, local: Settings, start: Callable[[Settings], object]) -> Settings:
        """Start the detectors with what counts over shipped values; the settings that they then have.

        `start` raises a `Problem` for settings that do not do, and is not asked for what runs already by the
        same `local`. Raises what it raises for `local` alone, and then nothing has changed.
        """
        agreements = Agreements(self._ledger, lambda: local.approvers, self._clock)
        papers = self._for_here(agreements.tunings_in_force())
        refused: dict[str, str] = {}
        why: dict[str, str] = {}
        for paper in papers:
            settings = tuned(local, paper.terms.stanzas)
            try:
                self._start(local, settings, start)
            except Problem as fault:
                wrong = isinstance(fault, Misconfigured)
                refused[paper.terms.tuning_id] = "wrong_settings" if wrong else "not_loaded"
                why[paper.terms.tuning_id] = str(fault)
                continue
            break
        else:
            settings, paper = local, None
            self._start(local, settings, start)
        self.local, self._running = local, settings
        self._choice = _Choice(_named(papers), paper, refused, why, self._clock())
        self._remember()
        return settings

    def is_news(self, in_force: Sequence[RegisteredTuning]) -> bool:
        """Whether others are in force for this workstation than were looked at, or one is due again."""
        again = "not_loaded" in self._choice.refused.values()
        if again and not 0 <= self._clock() - self._choice.at < RETRY_SECONDS:
            return True
        return _named(self._for_here(in_force)) != self._choice.papers

    def _start(self, local: Settings, settings: Settings, start: Callable[[Settings], object]) -> None:
        if local is not self.local or settings != self._running:
            start(settings)

    def to_json(self) -> dict[str, Any]:
        """For `status` and the heartbeat: `id` is "" where none counts; `kept_here` are keys that it sets
        and this machine's own configuration sets otherwise; `refused`: id to code, `why`: id to words."""
        choice = self._choice
        plain: dict[str, Any] = {"id": "", "refused": choice.refused, "why": choice.why}
        if choice.counts is None:
            return plain
        terms, own = choice.counts.terms, set(keys_of(self.local.detectors))
        return plain | {
            "id": terms.tuning_id, "reason": terms.reason, "made_at": terms.made_at,
            "review_by": terms.review_by, "review_overdue": choice.counts.is_overdue(self._clock()),
            "approved_by": list(choice.counts.approved_by), "sha256": choice.counts.envelope.digest,
            "keys": list(keys_of(terms.stanzas)), "may_find_less": may_find_less(terms.stanzas),
            "kept_here": [key for key in keys_of(terms.stanzas) if key in own],
        }  # fmt: skip

    def _for_here(self, found: Sequence[RegisteredTuning]) -> list[RegisteredTuning]:
        return [each for each in found if not each.terms.agents or self._host_id in each.terms.agents]

    def _remember(self) -> None:
        """Tell the audit log what has changed since it was last told, over restarts too."""
        before = remembered(self._ledger)
        now = self.to_json()
        events: list[dict[str, Any]] = [
            {"event": "tuning_refused", "tuning": number, "code": code, "why": self._choice.why[number]}
            for number, code in now["refused"].items()
            if before["refused"].get(number) != code
        ]
        if before["id"] != now["id"]:
            told = {
                key: now[key] for key in ("sha256", "approved_by", "may_find_less", "kept_here") if now["id"]
            }
            events.append({"event": "tuning_adopted", "tuning": now["id"], "before": before["id"], **told})
        kept = {"id": now["id"], "refused": now["refused"]}
        if kept != {key: before[key] for key in kept}:
            self._ledger.set_meta(_META, json.dumps(kept), events)


def remembered(ledger: Ledger) -> dict[str, Any]:
    """Which tuning the service had when it last looked, and which were refused: `id`, `refused`, `why`."""
    found: dict[str, Any] = json.loads(ledger.meta(_META) or '{"id": "", "refused": {}}')
    return found | {"why": {}}


def plain_tuning(found: RegisteredTuning, host_id: str, in_use: Mapping[str, Any]) -> dict[str, Any]:
    """A tuning as JSON values; `counts`: the detectors have it here, `refused`: why they would not."""
    agents, number = found.terms.agents, found.terms.tuning_id
    return found.to_json() | {
        "review_overdue": found.is_overdue(time.time()), "here": not agents or host_id in agents,
        "counts": in_use["id"] == number, "refused": in_use["refused"].get(number, ""),
        "why": found.why or in_use["why"].get(number, ""),
        "may_find_less": may_find_less(found.terms.stanzas),
    }  # fmt: skip


def _named(papers: Sequence[RegisteredTuning]) -> tuple[str, ...]:
    return tuple(f"{paper.terms.tuning_id} {paper.envelope.digest}" for paper in papers)
