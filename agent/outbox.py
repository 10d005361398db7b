"""The outbox: what is still to be delivered, when, and what became of it.

The ledger holds the truth; this holds what is under way and how long each sink wants to be left in
peace. Delivery is at least once: what was under way when the courier died is sent again, and
every destination tells duplicates by `finding_info.uid` and `metadata.uid`.

A destination that people read has a pace: what has gathered since its last message goes in one, so that a
storm of alerts is one digest after another and not a thousand messages.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent import alerts
from agent.ledger import Ledger

UNDER_WAY_MOST = 16
DIGEST_MOST = 500


@dataclass(slots=True)
class _Line:
    """One sink's line."""

    under_way: set[tuple[str, int]] = field(default_factory=set)
    failures: int = 0
    quiet_until: float = 0.0
    error: str = ""
    pace_seconds: float | None = None


class Outbox:
    """Feeds one courier. `send` hands it one order and may raise `OSError` when it is gone."""

    def __init__(
        self,
        ledger: Ledger,
        sinks: Sequence[str],
        retry_seconds: float,
        retry_max_seconds: float,
        clock: Callable[[], float] = time.time,
        paces: Mapping[str, float] | None = None,
    ) -> None:
        """`paces`: the least seconds from one message to the next, of sinks that people read."""
        self._ledger = ledger
        self._retry_seconds = retry_seconds
        self._retry_max_seconds = retry_max_seconds
        self._clock = clock
        self._lines = {sink: _Line(pace_seconds=(paces or {}).get(sink)) for sink in sinks}
        ledger.adopt(sinks)

    @property
    def sinks(self) -> tuple[str, ...]:
        return tuple(self._lines)

    @property
    def heartbeat_sinks(self) -> tuple[str, ...]:
        """Those that machines read: people are not told every hour that nothing is the matter."""
        return tuple(sink for sink, line in self._lines.items() if line.pace_seconds is None)

    def orders(self) -> list[dict[str, Any]]:
        """What the courier shall deliver now; each counts as under way from here on."""
        now = self._clock()
        return [order for sink, line in self._lines.items() for order in self._orders(sink, line, now)]

    def _orders(self, sink: str, line: _Line, now: float) -> Iterator[dict[str, Any]]:
        busy = {alert_id for alert_id, _ in line.under_way}
        for letter in self._ledger.due(sink, now, _room(line, now), busy, slim=line.pace_seconds is not None):
            line.under_way.add((letter.alert_id, letter.revision))
            record = alerts.with_activity(letter.record, letter.first)
            yield {
                "do": "deliver", "sink": sink, "id": letter.alert_id, "revision": letter.revision,
                "record": record,
            }  # fmt: skip

    def answered(self, answer: dict[str, Any]) -> None:
        """The courier says what became of one order."""
        sink, alert_id, revision = answer["sink"], answer["id"], answer["revision"]
        line = self._lines.get(sink)
        if line is None or (alert_id, revision) not in line.under_way:
            return
        line.under_way.discard((alert_id, revision))
        if answer["ok"]:
            line.failures, line.error = 0, ""
            line.quiet_until = self._clock() + (line.pace_seconds or 0.0)
            self._ledger.delivered(alert_id, sink, revision)
            return
        line.error = str(answer["code"])
        permanent = bool(answer["permanent"])
        next_at = self._clock()
        if not permanent:
            if next_at >= line.quiet_until:  # else another of the same round has failed already
                line.quiet_until = next_at + self.delay(line.failures)
                line.failures += 1
            next_at = line.quiet_until
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


def _room(line: _Line, now: float) -> int:
    """How many letters may go to a sink now."""
    if now < line.quiet_until:
        return 0
    if line.pace_seconds is not None:  # one message at a time, with all that there is to tell
        return 0 if line.under_way else DIGEST_MOST
    # after a failure one letter alone tries the door
    return max(0, (1 if line.failures else UNDER_WAY_MOST) - len(line.under_way))
