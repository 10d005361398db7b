"""Alerts that are about a place rather than one file: the machine's own disk, a first contact.

The same OCSF class as all alerts (`agent.alerts`), so that whoever reads those can read these; `file` is
the folder that it is about, and `unmapped.finding` says which of them it is. Each is one alert for as
long as its matter lasts: when the matter changes it is updated, and never told twice unchanged.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.alerts import with_activity
from agent.escape import escape
from agent.ledger import Ledger
from agent.ocsf import CLASS_UID, OUTCOMES, SCHEMA_VERSION, SEVERITIES, activity
from agent.policy import Kind
from agent.schema import AlertRow, AlertState
from agent.telling import Host, audit_head


@dataclass(frozen=True, slots=True)
class HostFinding:
    """What is to be told. `settled` closes the alert: nothing is the matter any more."""

    finding: str
    """`own_disk` or `first_contact`."""
    root_id: str
    path: str
    title: str
    message: str
    reason: str
    severity_id: int
    facts: dict[str, Any] = field(default_factory=dict)
    """Plain values; what is a name of somebody's in them is escaped already."""
    settled: bool = False

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(["host_finding", self.finding, self.root_id]).encode()).hexdigest()


def tell(
    ledger: Ledger,
    host: Host,
    finding: HostFinding,
    sinks: Sequence[str],
    clock: Callable[[], float] = time.time,
) -> bool:
    """Raise, update or close the alert, durably, with its audit event; False if nothing is new."""
    known = ledger.alert_about(finding.key)
    if known is None and finding.settled:
        return False
    if known is not None and (known.reason, known.record["unmapped"]["facts"]) == (
        finding.reason, json.loads(json.dumps(finding.facts)),
    ):  # fmt: skip
        return False
    now = clock()
    alert_id = known.alert_id if known else str(uuid.uuid4())
    revision = known.revision + 1 if known else 1
    created = known.created_at if known else now
    kind = Kind.ALLOWED if finding.settled else Kind.DETECTED
    record = _record(finding, host, alert_id, revision, created, now, audit_head(ledger))
    row = AlertRow(
        alert_id, finding.key, finding.root_id, None, finding.path, kind.value, finding.reason,
        AlertState.RELEASED, record, created, now, revision,
    )  # fmt: skip
    event = {
        "event": finding.reason, "alert": alert_id, "root": finding.root_id, "path": finding.path,
        "facts": finding.facts,
    }  # fmt: skip
    ledger.tell(row, sinks, [event])
    return True


def _record(
    finding: HostFinding,
    host: Host,
    alert_id: str,
    revision: int,
    created: float,
    now: float,
    head: dict[str, object] | None,
) -> dict[str, Any]:
    row = OUTCOMES[Kind.DETECTED]
    status_id, status = (4, "Resolved") if finding.settled else (row.status_id, row.status)
    severity_id = 1 if finding.settled else finding.severity_id
    plain: dict[str, Any] = {
        **activity(3 if finding.settled else 1),
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Data Security Finding",
        "time": round(now * 1000),
        "severity_id": severity_id,
        "severity": SEVERITIES[severity_id],
        "is_alert": not finding.settled,
        "message": finding.message,
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": {"name": "recordwarden", "vendor_name": "recordwarden", "uid": "recordwarden"},
            "profiles": ["security_control", "incident", "host"],
            "uid": f"{alert_id}:{revision}",
            "correlation_uid": alert_id,
            "logged_time": round(now * 1000),
        },
        "finding_info": {
            "uid": alert_id,
            "title": finding.title,
            "types": [finding.finding],
            "first_seen_time": round(created * 1000),
            "last_seen_time": round(now * 1000),
        },
        "action_id": row.action_id,
        "action": row.action,
        "disposition_id": row.disposition_id,
        "disposition": row.disposition,
        "status_id": status_id,
        "status": status,
        "status_detail": finding.reason,
        "file": {
            "name": escape(finding.path.rstrip("/").rpartition("/")[2] or "/"),
            "path": escape(finding.path),
            "type_id": 2,
            "type": "Folder",
        },
        "device": {"type_id": 0, "type": "Unknown", "uid": host.host_id, "hostname": host.hostname},
        "unmapped": {
            "finding": finding.finding,
            "root": finding.root_id,
            "facts": finding.facts,
            "audit_head": head,
        },
    }
    return plain if finding.settled else with_activity(plain, revision == 1)
