"""What people may ask of the running service: the commands of `agent.control`, one method each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from agent import alerts, contact
from agent.condition import condition
from agent.control import Command, name_of
from agent.errors import Mistyped, NotFound, Refused
from agent.ledger import Ledger, WrongState
from agent.ocsf import DETERMINATIONS, RESTORED
from agent.register import review_date
from agent.schema import AlertRow, AlertState, Entry, EntryState
from agent.standing import Standing
from agent.supervisor import Supervisor
from agent.volumes import WatchedRoot

MOST_ROWS = 10_000
SHORTEST_ID = 4

Row = TypeVar("Row", AlertRow, Entry)


class Requests:
    """`reload` reads and adopts the configuration again; it raises `Refused` with the reason."""

    def __init__(self, supervisor: Supervisor, reload: Callable[[], str]) -> None:
        self._supervisor = supervisor
        self._ledger = supervisor.parts.ledger
        self._reload = reload

    def commands(self) -> dict[str, Command]:
        return {
            "status": lambda request, who: condition(self._supervisor),
            "sweep": self.sweep,
            "reload": lambda request, who: {"digest": self._reload()},
            "alerts": self.alerts,
            "alert": self.alert,
            "entries": self.entries,
            "entry": self.entry,
            "decide": self.decide,
            "restored": self.restored,
            "resend": self.resend,
            "undelivered": self.undelivered,
            "breaker_reset": self.breaker_reset,
            "baseline": self.baseline,
            "baseline_decide": self.baseline_decide,
        }

    def sweep(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        root = request.get("root")
        found = self._supervisor.sweep(root)
        if root is not None and not found:
            raise NotFound("no such root is being watched", "see `recordwarden status`")
        return {"roots": found}

    def alerts(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        rows = self._ledger.alerts(
            recorded=bool(request.get("recorded")),
            since=float(request.get("since", 0)),
            limit=_limit(request),
        )
        return [_plain_alert(row, whole=False) for row in rows]

    def alert(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        return _plain_alert(self._alert(request["id"]), whole=True)

    def entries(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        states = [EntryState(state) for state in request.get("states", ())]
        rows = self._ledger.entries(states=states, limit=_limit(request))
        dates = self._review_dates(rows)
        return [_plain_entry(row, whole=False) | {"review_at": dates[row.entry_id]} for row in rows]

    def entry(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        row = self._entry(request["id"])
        return _plain_entry(row, whole=True) | {"review_at": self._review_dates([row])[row.entry_id]}

    def _review_dates(self, rows: Sequence[Entry]) -> dict[str, float | None]:
        set_by_people, after = self._ledger.review_dates(), self._supervisor.settings.vault.review_days
        return {row.entry_id: review_date(row, set_by_people, after) for row in rows}

    def decide(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        row = self._alert(request["alert"])
        determination, note = request["determination"], str(request.get("note", ""))
        if determination not in DETERMINATIONS:
            raise Mistyped("no such determination", f"one of {', '.join(sorted(DETERMINATIONS))}")
        if row.state is AlertState.HELD:
            raise Refused("its file is just being taken; decide when that has ended")
        by, now = name_of(who), time.time()
        record = alerts.decided(row, determination, note, by, now)
        new = row.revised(record, now, determination=determination, note=note, decided_by=by)
        entry = self._ledger.entry(row.entry_id) if row.entry_id else None
        event = {
            "event": "decided", "alert": row.alert_id, "entry": row.entry_id, "path": row.path,
            "determination": determination, "note": note, "by": by,
        }  # fmt: skip
        self._ledger.determine(new, row.root_id, entry.sha256 if entry else "", self._sinks(), [event])
        return _plain_alert(new, whole=True)

    def restored(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        entry = self._entry(request["entry"])
        path, by, now = str(request["path"]), name_of(who), time.time()
        row = self._ledger.alert(entry.alert_id) if entry.alert_id else None
        new = None
        if row is not None:
            record = alerts.restored(row, path, now)
            new = row.revised(record, now, disposition=RESTORED, reason=RESTORED)
        event = {
            "event": RESTORED, "entry": entry.entry_id, "alert": entry.alert_id, "path": entry.path,
            "restored_to": path, "by": by,
        }  # fmt: skip
        try:
            self._ledger.restored(entry.entry_id, new, self._sinks(), [event])
        except WrongState:
            raise Refused(f"the entry is {entry.state.value}: there is nothing to give back") from None
        return _plain_entry(self._entry(entry.entry_id), whole=True)

    def resend(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        outbox = self._supervisor.dispatch.outbox
        sink, alert = request.get("sink"), request.get("alert")
        if sink is not None and sink not in outbox.sinks:
            raise NotFound("no such destination is configured", f"there are: {', '.join(outbox.sinks)}")
        alert_id = self._alert(alert).alert_id if alert is not None else None
        event = {"event": "resent", "sink": sink, "alert": alert_id, "by": name_of(who)}
        count = self._ledger.send_again([sink] if sink else outbox.sinks, alert_id, [event])
        self._supervisor.dispatch.try_now()
        return {"count": count}

    def undelivered(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        return self._ledger.undelivered_letters(_limit(request))

    def breaker_reset(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        """Close the breakers of the roots named, if they are tripped."""
        breaker = self._supervisor.desk.breaker
        tripped = [root for root in self._watched(request) if breaker.is_tripped(root.root_id)]
        for root in tripped:
            breaker.reset(root, name_of(who))
            self._supervisor.sweep(root.root_id)
        return {"roots": [root.root_id for root in tripped]}

    def _watched(self, request: Mapping[str, Any]) -> list[WatchedRoot]:
        """The roots that a request names, by id or path; all without one."""
        named = request.get("root")
        roots = [post.root for post in self._supervisor.posts.values()]
        found = [root for root in roots if named in (None, root.root_id, root.path)]
        if named is not None and not found:
            raise NotFound("no such root is being watched", "see `recordwarden status`")
        return found

    def baseline(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        policy = self._supervisor.settings.policy
        return [
            {
                "root_id": root.root_id,
                "path": root.path,
                "applies": contact.applies(root, policy),
                "held": self._ledger.held(root.root_id),
                "contact": self._ledger.contact(root.root_id),
            }
            for root in self._watched(request)
        ]

    def baseline_decide(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        to = {"accept": Standing.ACCEPTED, "enforce": Standing.RELEASED}.get(request.get("do", ""))
        if to is None:
            raise Mistyped("no such decision", "accept or enforce")
        span = {key: _moment(request.get(key)) for key in ("since", "before")}
        by, files = name_of(who), 0
        for root in self._watched(request):
            event = {
                "event": "baseline_accepted" if to is Standing.ACCEPTED else "baseline_enforced",
                "root": root.root_id, "path": root.path, "by": by, "note": str(request.get("note", "")),
                **span,
            }  # fmt: skip
            files += self._ledger.decide_old(root.root_id, to, span["since"], span["before"], by, event)
            self._supervisor.sweep(root.root_id)
        return {"files": files}

    def _sinks(self) -> Sequence[str]:
        return self._supervisor.dispatch.outbox.sinks

    def _alert(self, start: Any) -> AlertRow:
        return _only(self._ledger.alerts_starting(_id(start)), "alert")

    def _entry(self, start: Any) -> Entry:
        return entry_starting(self._ledger, start)


def entry_starting(ledger: Ledger, start: Any) -> Entry:
    """The one entry whose id starts so; raises `NotFound` or `Mistyped`."""
    return _only(ledger.entries_starting(_id(start)), "entry")


def _moment(value: Any) -> float | None:
    if value is not None and not isinstance(value, int | float):
        raise Mistyped("a moment is seconds since the epoch")
    return value


def _id(start: Any) -> str:
    if not isinstance(start, str) or len(start) < SHORTEST_ID:
        raise Mistyped(f"an id has at least its first {SHORTEST_ID} characters")
    return start


def _only(rows: Sequence[Row], kind: str) -> Row:
    if len(rows) != 1:
        which = "no" if not rows else "more than one"
        raise NotFound(f"{which} {kind} has an id that starts so")
    return rows[0]


def _limit(request: Mapping[str, Any]) -> int:
    return max(1, min(int(request.get("limit", MOST_ROWS)), MOST_ROWS))


def _plain_alert(row: AlertRow, *, whole: bool) -> dict[str, Any]:
    plain = asdict(row)
    record = plain.pop("record")
    plain["severity"], plain["message"] = record.get("severity"), record.get("message")
    return plain | {"record": record} if whole else plain


def _plain_entry(row: Entry, *, whole: bool) -> dict[str, Any]:
    plain = asdict(row)
    if not whole:
        del plain["verdict"]
    return plain
