"""The heartbeat: on a timer, how far each root is seen, to the audit log and to every sink.

A service that is dead, or cut off, tells nothing: whoever receives heartbeats misses the next one. It is
an OCSF Scan Activity (class 6007), not a finding; each carries the one before it away if that could not be
delivered, so that a long outage leaves one and not a thousand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from agent.database import Event
from agent.escape import escape
from agent.ledger import Ledger
from agent.ocsf import SCHEMA_VERSION
from agent.posture import HOST_ROOT
from agent.schema import HEARTBEAT, AlertRow, AlertState, RootRow
from agent.telling import Host, audit_head

_CLASS_UID = 6007
_OTHER = 99


class Heartbeat:
    """`beat` when it is due; the first one a full interval after the start."""

    def __init__(self, ledger: Ledger, host: Host, clock: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._host = host
        self._clock = clock
        self._last = time.monotonic()

    def is_due(self, seconds: float) -> bool:
        """`seconds` from one to the next; 0: never."""
        return bool(seconds) and time.monotonic() >= self._last + seconds

    def beat(
        self,
        roots: Sequence[dict[str, Any]],
        sinks: Sequence[str],
        papers: Mapping[str, Any] | None = None,
        tuning: Mapping[str, Any] | None = None,
        config_digest: str = "",
    ) -> None:
        """Durably: one event, and one letter to each sink. `papers` and `tuning`: see `agent.carried` and
        `agent.tuning`; `config_digest` stands for all that decides what a file is."""
        self._last = time.monotonic()
        now = self._clock()
        told = [_told(root) for root in roots]
        alert_id = f"{HEARTBEAT}-{self._host.host_id}"
        known = self._ledger.alert(alert_id)
        revision = known.revision + 1 if known else 1
        self._ledger.know(RootRow(HOST_ROOT, "/", "local", "unrestricted"))
        created = known.created_at if known else now
        told_record = record(told, self._host, alert_id, revision, now, audit_head(self._ledger))
        if papers is not None:
            kept = {key: papers[key] for key in ("serial", "made_at", "fault")}
            told_record["unmapped"]["papers"] = {**kept, "refused": len(papers["refused"])}
        if tuning is not None:
            kept = {key: tuning[key] for key in ("id", "may_find_less", "refused") if key in tuning}
            told_record["unmapped"]["tuning"] = kept
        if config_digest:
            told_record["unmapped"]["config_digest"] = config_digest
        row = AlertRow(
            alert_id, HEARTBEAT, HOST_ROOT, None, "/", HEARTBEAT, "", AlertState.RELEASED,
            told_record, created, now, revision,
        )  # fmt: skip
        event: Event = {"event": HEARTBEAT, "roots": told}
        self._ledger.tell(row, sinks, [event])


def record(
    roots: Sequence[dict[str, Any]],
    host: Host,
    uid: str,
    revision: int,
    now: float,
    head: dict[str, object] | None = None,
) -> dict[str, Any]:
    """The OCSF record, ready for JSON. `head` is the audit log's."""
    uncovered = sum(not root["covered"] for root in roots)
    severity_id, severity = (3, "Medium") if uncovered else (1, "Informational")
    return {
        "activity_id": _OTHER,
        "activity_name": "Heartbeat",
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": _CLASS_UID,
        "class_name": "Scan Activity",
        "type_uid": _CLASS_UID * 100 + _OTHER,
        "type_name": "Scan Activity: Heartbeat",
        "time": round(now * 1000),
        "severity_id": severity_id,
        "severity": severity,
        "message": f"{len(roots) - uncovered} of {len(roots)} roots are covered",
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": {
                "name": "recordwarden",
                "vendor_name": "recordwarden",
                "uid": "recordwarden",
                "version": version("recordwarden"),
            },
            "profiles": ["host"],
            "uid": f"{uid}:{revision}",
            "correlation_uid": uid,
            "logged_time": round(now * 1000),
        },
        "scan": {"uid": uid, "name": "coverage", "type_id": _OTHER, "type": "Heartbeat"},
        "num_files": sum(root["files"] for root in roots),
        "num_skipped_items": sum(sum(root["not_examined"].values()) for root in roots),
        "device": {"type_id": 0, "type": "Unknown", "uid": host.host_id, "hostname": host.hostname},
        "unmapped": {"coverage": list(roots), "audit_head": head},
    }


def _told(root: dict[str, Any]) -> dict[str, Any]:
    swept = root["swept"] or {}
    kept = (
        "root_id", "zone", "mode", "coverage", "covered", "since", "proof", "proved_at", "backlog",
        "not_examined", "held", "unfinished", "breaker_open",
    )  # fmt: skip
    return {
        "path": escape(root["path"]),
        "fault": escape(str(root["fault"])),
        "swept_at": swept.get("finished_at"),
        "complete": bool(swept.get("complete")),
        "files": int(swept.get("files", 0)),
        **{key: root[key] for key in kept},
    }
