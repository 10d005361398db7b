"""What everybody on this machine may ask: to have a file of their own back. It goes to the security team.

The socket of its own (`notice.request_socket`) takes the one command `request`; who asks is what the kernel
says. Only the owner of the file may; whoever asks about another's learns nothing, not even that it is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent import alerts
from agent.control import Command, name_of
from agent.errors import Mistyped, NotFound, Refused
from agent.escape import escape
from agent.ledger import Ledger
from agent.schema import AlertRow, AlertState

MOST_CHARS = 500
AGAIN_SECONDS = 24 * 3600
_SHORTEST_ID = 8


class OwnerRequests:
    """`sinks` are those that are told."""

    def __init__(
        self, ledger: Ledger, sinks: Callable[[], Sequence[str]], clock: Callable[[], float] = time.time
    ) -> None:
        self._ledger = ledger
        self._sinks = sinks
        self._clock = clock

    def commands(self) -> dict[str, Command]:
        return {"request": self.request}

    def request(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        """Record the owner's reason on the alert, durably, as an update to all sinks."""
        reason = str(request["reason"]).strip()
        if not reason or len(reason) > MOST_CHARS:
            raise Mistyped(f"a reason has 1 to {MOST_CHARS} characters", "say what you need the file for")
        row = self._own(str(request["id"]), who)
        now = self._clock()
        asked = row.record.get("unmapped", {}).get("request")
        if asked and now - asked["at"] < AGAIN_SECONDS:
            raise Refused("you have asked for it already", "your security team knows; ask them")
        told = {"reason": escape(reason), "by": name_of(who), "at": round(now)}
        new = row.revised(alerts.asked_back(row, told, now), now)
        event = {
            "event": "asked_back", "alert": row.alert_id, "entry": row.entry_id, "path": row.path, **told,
        }  # fmt: skip
        self._ledger.tell(new, self._sinks(), [event])
        return {"alert": row.alert_id}

    def _own(self, start: str, who: str) -> AlertRow:
        nothing = NotFound("no file of yours was taken under that reference", "it stands in the notice")
        if len(start) < _SHORTEST_ID:
            raise nothing
        entries = self._ledger.entries_starting(start)
        if len(entries) != 1 or who not in (f"uid:{entries[0].owner_uid}", "uid:0"):
            raise nothing
        row = self._ledger.alert(entries[0].alert_id) if entries[0].alert_id else None
        if row is None or row.state is not AlertState.RELEASED:
            raise nothing
        return row
