"""How far each root is seen: as `status`, `coverage` and the heartbeat tell it.

`coverage` is one of six words, whatever goes on inside a post:

    native      events come; the last canary was seen, where one can be written
    polling     swept only
    degraded    events come for a part, or a canary was missed, or it is only starting
    offline     its path is not there
    stuck       its medium does not answer
    no_access   it cannot be entered or read
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from agent.database import Event
from agent.desk import Desk
from agent.ledger import Ledger
from agent.post import Post

COVERED = ("native", "polling")
WORDS = (*COVERED, "degraded", "offline", "stuck", "no_access")
_PASSING = ("probing", "starting", "ending", "ended")
"""States of a post that last a moment."""


def word_for(state: str) -> str:
    """What a post's state means for coverage."""
    if state in WORDS:
        return state
    return "offline" if state in ("waiting", "ending", "ended") else "degraded"


def root_states(posts: Iterable[Post], ledger: Ledger, desk: Desk) -> list[dict[str, Any]]:
    """Each root, as `root_state` tells it."""
    swept = {row.root_id: row.swept for row in ledger.roots()}
    return [root_state(post, ledger, desk, swept.get(post.root.root_id)) for post in posts]


def root_state(post: Post, ledger: Ledger, desk: Desk, swept: dict[str, Any] | None) -> dict[str, Any]:
    """All that is known of one root; `swept` is its last full sweep."""
    root, beat = post.root, post.beat
    coverage = word_for(post.state)
    return {
        "root_id": root.root_id,
        "path": root.path,
        "zone": root.facts.zone.value,
        "handling": root.facts.handling.value,
        "mode": root.facts.mode.value,
        "origin": root.origin,
        "volume": asdict(root.volume),
        "state": post.state,
        "coverage": coverage,
        "covered": coverage in COVERED,
        "since": post.since,
        "fault": post.fault,
        "hold": post.hold_state,
        "proof": beat.proof if beat else "off",
        "proved_at": beat.proved_at if beat else 0.0,
        "backlog": beat.backlog if beat else 0,
        "missing": beat.missing if beat else [],
        "pid": post.pid,
        "swept": swept or None,
        "not_examined": ledger.not_examined(root.root_id),
        "held": sum(ledger.held(root.root_id).values()),
        "breaker_open": desk.breaker.is_open(root),
        "unfinished": len(desk.unfinished(root.root_id)),
        "abandoned": [p.pid for p in post.abandoned if p.poll() is None],
    }


class Changes:
    """Notes when the coverage of a root changes, for the audit log. Moments of starting do not count."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def look(self, posts: Iterable[Post]) -> list[Event]:
        """An event for each root that is covered otherwise than when it was last looked at."""
        events: list[Event] = []
        there = set()
        for post in posts:
            root = post.root
            there.add(root.root_id)
            if post.state in _PASSING:
                continue
            word, before = word_for(post.state), self._known.get(root.root_id)
            if word == before:
                continue
            self._known[root.root_id] = word
            if before is not None or word not in COVERED:
                events.append(
                    {"event": "coverage_changed", "root": root.root_id, "path": root.path,
                     "from": before, "to": word, "fault": post.fault, "since": post.since}
                )  # fmt: skip
        self._known = {root_id: word for root_id, word in self._known.items() if root_id in there}
        return events
