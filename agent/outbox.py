"""The outbox: what is still to be delivered, when, and what became of it.

The ledger holds the truth; this holds what is under way and how long each sink wants to be left in
peace. Delivery is at least once: what was under way when the courier died is sent again, and
every destination tells duplicates by `finding_info.uid` and `metadata.uid`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent import alerts
from agent.ledger import Ledger

UNDER_WAY_MOST = 16


@dataclass(slots=True)
class _Line:
    """One sink's line."""

    under_way: set[tuple[str, int]] = field(default_factory=set)
    failures: int = 0
    quiet_until: float = 0.0
    error: str = ""


class Outbox:
    """Feeds one courier. `send` hands it one order and may raise `OSError` when it is gone."""

    def __init__(
        self,
        ledger: Ledger,
        sinks: Sequence[str],
        retry_seconds: float,
        retry_max_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._retry_seconds = retry_seconds
        self._retry_max_seconds = retry_max_seconds
        self._clock = clock
        self._lines = {sink: _Line() for sink in sinks}
        ledger.adopt(sinks)

    @property
    def sinks(self) -> tuple[str, ...]:
        return tuple(self._lines)

    def orders(self) -> list[dict[str, Any]]:
        """What the courier shall deliver now; each counts as under way from here on."""
        orders = []
        now = self._clock()
        for sink, line in self._lines.items():
            if now < line.quiet_until:
                continue
            # after a failure one letter alone tries the door
            room = (1 if line.failures else UNDER_WAY_MOST) - len(line.under_way)
            if room <= 0:
                continue
            for letter in self._ledger.due(sink, now, UNDER_WAY_MOST):
                key = (letter.alert_id, letter.revision)
                if room <= 0 or any(alert_id == letter.alert_id for alert_id, _ in line.under_way):
                    continue
                line.under_way.add(key)
                room -= 1
                record = alerts.with_activity(letter.record, letter.first)
                orders.append(
                    {"do": "deliver", "sink": sink, "id": letter.alert_id,
                     "revision": letter.revision, "record": record}
                )  # fmt: skip
        return orders

    def answered(self, answer: dict[str, Any]) -> None:
        """The courier says what became of one order."""
        sink, alert_id, revision = answer["sink"], answer["id"], answer["revision"]
        line = self._lines.get(sink)
        if line is None or (alert_id, revision) not in line.under_way:
            return
        line.under_way.discard((alert_id, revision))
        if answer["ok"]:
            line.failures, line.quiet_until, line.error = 0, 0.0, ""
            self._ledger.delivered(alert_id, sink, revision)
            return
        line.error = str(answer["code"])
        permanent = bool(answer["permanent"])
        next_at = self._clock()
        if not permanent:
            next_at += self.delay(line.failures)
            line.failures += 1
            line.quiet_until = max(line.quiet_until, next_at)
        self._ledger.undelivered(alert_id, sink, error=line.error, next_at=next_at, permanent=permanent)

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row: doubled each time, spread by a half."""
        longest = min(self._retry_max_seconds, self._retry_seconds * 2.0 ** min(failures, 30))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing

    def not_sent(self, order: dict[str, Any]) -> None:
        """The courier had no room for an order: it is due again."""
        self._lines[order["sink"]].under_way.discard((order["id"], order["revision"]))

    @property
    def is_idle(self) -> bool:
        """Nothing is under way."""
        return not any(line.under_way for line in self._lines.values())

    def courier_lost(self) -> None:
        """Whatever was under way may or may not have arrived: it is sent again."""
        for line in self._lines.values():
            line.under_way.clear()

    def hurry(self) -> None:
        """Try every sink at once, whatever failed before."""
        for line in self._lines.values():
            line.quiet_until = 0.0

    def status(self) -> dict[str, Any]:
        """For each sink: how many wait, are delivered or dead, and the last complaint."""
        counts = self._ledger.delivery_counts()
        return {
            sink: {"pending": 0, "delivered": 0, "dead": 0, **counts.get(sink, {}), "error": line.error}
            for sink, line in self._lines.items()
        }
