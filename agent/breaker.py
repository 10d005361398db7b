"""The circuit breaker: no root may lose too many of its files before a person has looked.

A root is at its limit when it has lost `max_files_per_hour` files within an hour, or, from `from_files` on,
`max_percent` of all its files (100: whatever the share). The first file that is refused for that trips the
breaker: told once, as an alert of its own, and from then on the service only tells, for as long as nobody
resets it. Old files that a person has ordered to be taken (`agent.contact`) wait at the limit and trip none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

from agent.host_findings import HostFinding, tell
from agent.ledger import Ledger
from agent.telling import Teller
from agent.volumes import WatchedRoot

HOUR = 3600.0


class Breaker:
    """One for all roots; what is tripped lies in the ledger and outlives the service."""

    def __init__(
        self,
        ledger: Ledger,
        teller: Teller,
        sinks: Callable[[], Sequence[str]],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._teller = teller
        self._sinks = sinks
        self._say = say
        self._clock = clock

    def is_open(self, root: WatchedRoot) -> bool:
        """Whether nothing may be taken from this root now."""
        return self.is_tripped(root.root_id) or self._limit(root) is not None

    def is_tripped(self, root_id: str) -> bool:
        """Whether a person must reset it."""
        return self._ledger.meta(_key("tripped", root_id)) is not None

    def trip(self, root: WatchedRoot) -> None:
        """A file was refused. Said once, loudly."""
        if self.is_tripped(root.root_id):
            return
        limit = self._limit(root) or "reset meanwhile"
        told = f"circuit breaker: {limit}; nothing more is taken from there until it is reset"
        self._tell(root, "breaker_open", told, settled=False)
        self._ledger.set_meta(_key("tripped", root.root_id), json.dumps(self._clock()))
        self._say(f"{told}: `recordwarden breaker reset {root.root_id}`")

    def reset(self, root: WatchedRoot, by: str) -> None:
        """A person has looked: the count begins anew, and what was refused is judged again."""
        self._tell(root, "breaker_reset", f"circuit breaker reset by {by}", settled=True)
        self._ledger.set_meta(_key("reset", root.root_id), json.dumps(self._clock()))
        self._ledger.forget_meta(_key("tripped", root.root_id))
        self._ledger.judge_again(root.root_id)

    def _limit(self, root: WatchedRoot) -> str | None:
        """Which limit the root has reached, in words."""
        limits, now = self._teller.settings.policy.breaker, self._clock()
        reset = self._ledger.meta(_key("reset", root.root_id))
        since = max(now - HOUR, json.loads(reset) if reset else 0.0)
        taken = self._ledger.taken_since(root.root_id, since)
        if taken >= limits.max_files_per_hour:
            return f"{taken} files taken from one root within an hour"
        if taken < limits.from_files or limits.max_percent >= 100:
            return None
        files = self._ledger.file_count(root.root_id, taken)
        if taken * 100 >= files * limits.max_percent:
            return f"{taken} of {files} files taken from one root within an hour"
        return None

    def _tell(self, root: WatchedRoot, reason: str, message: str, *, settled: bool) -> None:
        finding = HostFinding(
            "circuit_breaker", root.root_id, root.path, "Circuit breaker", message, reason,
            severity_id=5, facts={"at": round(self._clock())}, settled=settled,
        )  # fmt: skip
        tell(self._ledger, self._teller.host, finding, self._sinks(), self._clock)


def _key(what: str, root_id: str) -> str:
    return f"breaker_{what}:{root_id}"
