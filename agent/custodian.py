"""What people may ask about custody: releases, disposals, agreements, reviews. One method for each command.

Beside those of `agent.requests`, over the same socket:

    release_request   entry, holder, purpose [to, hours, hold_days]    result: the envelope to be signed
    release_begin     envelope                                         result: the order (see `agent.placing`)
    release_written   request, lost      release_unwritten request     result: the request
    release_placed    request            release_cancel    request     result: the request
    disposal_request  entry, reason [hours]                            result: the envelope to be signed
    dispose           envelope                                         result: the request
    permission        entry, path                                      result: by what policy allows it there
    requests          [all]                                            result: releases and disposals;
                                                                       ready: its signed paper has come
    agreement_add     envelope (agreement, exception, tuning or revocation)   result: as it stands, or null
    agreements                                                         result: all, as they stand
    exceptions        tunings                                          result: likewise
    papers_import     bundle (its text)                                result: as `papers` of `status`
    paper             request                                          result: its signed envelope
    agreement_check   [path, sha256, layout]                           result: what would hold, and why not
    review            entry, until, note                               result: the entry's date
    exported          entries                                          tells that these were handed over
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent import alerts
from agent.agreements import Agreement, Excepted, Registered, Sighting, covers
from agent.authority import Place, place_of
from agent.control import Command, name_of
from agent.disposals import Disposals
from agent.errors import Mistyped, NotFound, Refused
from agent.ocsf import RESTORED
from agent.paper_bundle import BadBundle
from agent.releases import UNDER_WAY, Releases, Wish
from agent.requests import entry_starting
from agent.schema import AlertRow, Entry, RequestRow
from agent.statements import BadStatement, Envelope, Release, ScopedException, Tuning, from_json
from agent.supervisor import Supervisor
from agent.tuning import plain_tuning
from agent.validity import Standing, days_left

TEND_SECONDS = 30.0
HOUR, DAY = 3600.0, 86400.0
VALID_HOURS, HOLD_DAYS = 7 * 24, 30
NO_DEVICE_NUMBERS = frozenset({"btrfs", "bcachefs"})
"""File systems whose files have other device numbers than their mount."""


class Custodian:
    """One for the service."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._ledger = supervisor.parts.ledger
        self._authority = supervisor.desk.authority
        host_id = supervisor.parts.host.host_id
        self.releases = Releases(self._ledger, self._authority, lambda: supervisor.settings, host_id)
        self.disposals = Disposals(self._ledger, lambda: supervisor.settings, host_id)
        self.then: Callable[[], object] = lambda: None
        """Called after each look: tuning may have come or ended."""

    def commands(self) -> dict[str, Command]:
        return {
            "release_request": self.release_request,
            "release_begin": self.release_begin,
            "release_written": self.release_written,
            "release_unwritten": self.release_unwritten,
            "release_placed": self.release_placed,
            "release_cancel": self.release_cancel,
            "disposal_request": self.disposal_request,
            "dispose": self.dispose,
            "permission": self.permission,
            "requests": self.requests,
            "agreement_add": self.agreement_add,
            "agreements": self.agreements,
            "exceptions": self.exceptions,
            "tunings": self.tunings,
            "papers_import": self.papers_import,
            "paper": self.paper,
            "agreement_check": self.agreement_check,
            "review": self.review,
            "exported": self.exported,
        }

    def tend(self) -> None:
        """End what has expired, and have judged again what rested on it."""
        self.releases.tend()
        self.disposals.tend()
        for root_id in self._authority.lift_ended():
            self._supervisor.sweep(root_id)
        self.then()

    # -- releases

    def release_request(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        entry = entry_starting(self._ledger, request["entry"])
        to = request.get("to")
        wish = Wish(
            entry=entry,
            verdict=self._supervisor.teller.verdict(entry),
            place=self._place(self._home(entry) if to is None else str(to)),
            holder=str(request["holder"]),
            purpose=str(request["purpose"]),
            by=name_of(who),
            valid_seconds=float(request.get("hours", VALID_HOURS)) * HOUR,
            hold_seconds=float(request.get("hold_days", HOLD_DAYS)) * DAY,
        )
        return self.releases.request(wish).to_json()

    def release_begin(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        envelope = _envelope(request)
        try:
            release = envelope.as_kind(Release)
        except BadStatement as error:
            raise Refused(str(error)) from None
        entry = self._ledger.entry(release.entry_id)
        if entry is None:
            raise Refused("this is not a request that was made on this machine", "it may have been edited")
        place = self._place(release.destination)
        verdict = self._supervisor.teller.verdict(entry)
        row = self.releases.begin(envelope, entry, verdict, place, name_of(who))
        device = "" if place.volume.fstype in NO_DEVICE_NUMBERS else place.volume.device
        return _plain_request(row) | {
            "key_file": str(self.releases.key_file(row.request_id)),
            "device": device,
            "in_place": release.destination == self._home(entry),
        }

    def release_written(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        self.releases.written(str(request["request"]), [str(what) for what in request["lost"]])
        return _plain_request(self.releases.row(str(request["request"])))

    def release_unwritten(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        self.releases.unwritten(str(request["request"]))
        return _plain_request(self.releases.row(str(request["request"])))

    def release_placed(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        row = self.releases.row(str(request["request"]))
        alert = self._restored_alert(row)
        sinks = self._supervisor.dispatch.outbox.sinks
        return _plain_request(self.releases.placed(row.request_id, name_of(who), alert, sinks))

    def release_cancel(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        return _plain_request(self.releases.cancel(str(request["request"]), name_of(who)))

    def requests(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        states = () if request.get("all") else UNDER_WAY
        ready = self._supervisor.carried.request
        return [
            _plain_request(row) | {"ready": ready(row.request_id) is not None}
            for row in self._ledger.requests(states=states)
        ]

    def permission(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        entry = entry_starting(self._ledger, request["entry"])
        place = self._place(str(request["path"]))
        verdict = self._supervisor.teller.verdict(entry)
        found = self._authority.permission(verdict, place, entry.sha256, verdict.layout)
        post = self._supervisor.posts.get(place.root_id)
        return {
            "allowed": found is not None,
            "basis": found.reason if found else "",
            "proof": found.proof if found else "",
            "root": post.root.path if post else "",
        }

    # -- disposals

    def disposal_request(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        entry = entry_starting(self._ledger, request["entry"])
        hours = float(request.get("hours", VALID_HOURS))
        return self.disposals.request(entry, str(request["reason"]), name_of(who), hours * HOUR).to_json()

    def dispose(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        envelope = _envelope(request)
        known = self._ledger.request(str(getattr(envelope.statement(), "request_id", "")))
        entry = self._ledger.entry(known.entry_id) if known else None
        if entry is None:
            raise Refused("this is not a request that was made on this machine", "it may have been edited")
        row = self.disposals.dispose(envelope, entry, name_of(who))
        return _plain_request(self._ledger.request(row.request_id) or row)

    # -- agreements

    def agreement_add(self, request: Mapping[str, Any], who: str) -> dict[str, Any] | None:
        found = self._authority.agreements.hand_in(_envelope(request), name_of(who))
        self.tend()
        if found is None:
            return None
        return self._plain(found)

    def agreements(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        return [plain_agreement(a) for a in self._authority.agreements.all()]

    def exceptions(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        return [self._plain(e) for e in self._authority.agreements.exceptions()]

    def tunings(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        return [self._plain(t) for t in self._authority.agreements.tunings()]

    def agreement_check(self, request: Mapping[str, Any], who: str) -> list[dict[str, Any]]:
        path = str(request.get("path") or "")
        place = self._place(path) if path else None
        seen = Sighting(
            path,
            place is not None and place.configured,
            place.volume.uuid if place else "",
            str(request.get("sha256") or ""),
            str(request.get("layout") or ""),
        )
        return [checked(a, seen) for a in self._authority.agreements.all()]

    def _plain(self, found: Registered[Any]) -> dict[str, Any]:
        host_id = self._supervisor.parts.host.host_id
        match found.terms:
            case ScopedException():
                files = self._ledger.exempted_by("exception").get(found.terms.exception_id, 0)
                return plain_exception(found, host_id, files)
            case Tuning():
                return plain_tuning(found, host_id, self._supervisor.parts.tuning.to_json())
        return plain_agreement(found)

    # -- papers that a console's bundle brought

    def papers_import(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        try:
            found = self._supervisor.carried.take(str(request["bundle"]), name_of(who))
        except BadBundle as bad:
            hint = "nothing was taken, the last good bundle stays"
            raise Refused(f"the bundle is refused ({bad.code}): {bad}", hint) from None
        self.tend()
        return found

    def paper(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        envelope = self._supervisor.carried.request(str(request["request"]))
        if envelope is None:
            raise NotFound("no signed paper of this request has come", "give its file instead")
        return envelope.to_json()

    # -- reviews and hand-overs

    def review(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        entry = entry_starting(self._ledger, request["entry"])
        until, note, by = float(request["until"]), str(request["note"]), name_of(who)
        if not time.time() < until <= time.time() + 5 * 366 * DAY:
            raise Mistyped("the next review is at most five years ahead, and not in the past")
        event = {
            "event": "reviewed", "entry": entry.entry_id, "path": entry.path, "until": until, "note": note,
            "by": by,
        }  # fmt: skip
        self._ledger.review(entry.entry_id, until, note, by, [event])
        alert, now = self._ledger.alert(entry.alert_id) if entry.alert_id else None, time.time()
        if alert is not None:
            new = alert.revised(alerts.to_be_reviewed(alert, until, now), now)
            self._ledger.tell(new, self._supervisor.dispatch.outbox.sinks)
        return {"entry_id": entry.entry_id, "review_at": until}

    def exported(self, request: Mapping[str, Any], who: str) -> dict[str, Any]:
        entries = [entry_starting(self._ledger, i) for i in request["entries"]]
        by = name_of(who)
        self._ledger.queue_audit(
            [
                {"event": "exported", "entry": e.entry_id, "sha256": e.sha256, "path": e.path, "by": by}
                for e in entries
            ]
        )
        return {"count": len(entries)}

    # -- what they rest on

    def _place(self, path: str) -> Place:
        if not Path(path).is_absolute() or ".." in Path(path).parts:
            raise Mistyped("the place must be an absolute path")
        roots = [post.root for post in self._supervisor.posts.values()]
        return place_of(path, roots, self._supervisor.parts.mounts.read(), self._supervisor.settings)

    def _home(self, entry: Entry) -> str:
        """Where an entry came from: below its root, wherever that is mounted now."""
        post = self._supervisor.posts.get(entry.root_id)
        return post.root.path_of(entry.identity.relpath) if post else entry.path

    def _restored_alert(self, row: RequestRow) -> AlertRow | None:
        entry = self._ledger.entry(row.entry_id)
        alert = self._ledger.alert(entry.alert_id) if entry and entry.alert_id else None
        if alert is None:
            return None
        now = time.time()
        record = alerts.restored(alert, row.detail["destination"], now)
        return alert.revised(record, now, disposition=RESTORED, reason=RESTORED)


def checked(agreement: Agreement, seen: Sighting) -> dict[str, Any]:
    """Whether an agreement covers what was seen now, and if not why."""
    why = covers(agreement.terms, seen)
    if not why and agreement.standing is not Standing.IN_FORCE:
        why = agreement.why or f"it is {agreement.standing.value}"
    return {
        "agreement_id": agreement.terms.agreement_id, "holder": agreement.terms.holder,
        "standing": agreement.standing.value, "holds": not why, "why_not": why,
    }  # fmt: skip


def plain_agreement(found: Agreement) -> dict[str, Any]:
    """An agreement as JSON values."""
    return found.to_json() | {"review_overdue": found.is_overdue(time.time())}


def plain_exception(found: Excepted, host_id: str, files: int) -> dict[str, Any]:
    """An exception as JSON values; `here`: it is for this workstation (too), `files`: rest on it now."""
    agents = found.terms.agents
    return found.to_json() | {
        "days_left": days_left(found.terms, time.time()), "here": not agents or host_id in agents,
        "files": files,
    }  # fmt: skip


def _envelope(request: Mapping[str, Any]) -> Envelope:
    try:
        return from_json(request["envelope"])
    except BadStatement as error:
        raise Refused(str(error), "give the file that the request or the agreement was written to") from None


def _plain_request(row: RequestRow) -> dict[str, Any]:
    plain = asdict(row)
    del plain["payload"]
    return plain
