"""Alerts as OCSF records: class 2006 Data Security Finding, schema 1.8.0 (numbers: `agent.ocsf`).

Profiles: `security_control` (what was done), `incident` (what an analyst decided), `host`. Every
other format is a rendering of this one record. It holds paths (escaped, because a name is attacker
text), positions (from 1), counts and terms of our own lexicon, and never a value out of a file:
`value` and `pattern_match` stay empty.
`docs/alerts.md` explains the tables below to whoever reads the alerts.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

from agent.escape import escape
from agent.ocsf import (
    CLASS_UID,
    CONFIDENCES,
    DETERMINATIONS,
    DRIVES,
    OUTCOMES,
    RESTORED,
    SCHEMA_VERSION,
    SEVERITIES,
    TITLES,
    Outcome2006,
    activity,
)  # fmt: skip
from agent.policy import RootFacts
from agent.protocol import Identity
from agent.schema import AlertRow
from agent.volume_facts import VolumeFacts
from agent.writer import Writer
from detectors.engine.explain import explain
from detectors.engine.verdict import Finding, Outcome, Polarity, Protection, Tier, Verdict

MAX_FINDINGS_TOLD = 50


@dataclass(frozen=True, slots=True)
class Occurrence:
    """All that an alert tells of one file."""

    alert_id: str
    host_id: str
    hostname: str
    root_id: str
    path: str
    identity: Identity
    owner_uid: int
    verdict: Verdict
    root: RootFacts
    volume: VolumeFacts
    disposition: str
    """A key of `ocsf.OUTCOMES`."""
    reason: str
    proof: str
    policy_digest: str
    observed_at: float
    at: float
    revision: int = 1
    sha256: str = ""
    entry_id: str = ""
    notice: bool = False
    audit_head: dict[str, Any] | None = None
    """`sequence` and `digest` of the audit log's last line: whoever keeps alerts can tell a log that was
    cut off or written anew."""
    writer: Writer | None = None
    review_at: float | None = None
    """When what is in custody is due for review."""


def file_key(root_id: str, identity: Identity) -> str:
    """Tells one version of one file, across restarts: the same key means the same alert."""
    facts = (root_id, os.fsencode(identity.relpath).hex(), identity.ino, identity.size, identity.mtime_ns)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def record(seen: Occurrence) -> dict[str, Any]:
    """The OCSF record of one alert, ready for JSON."""
    row = OUTCOMES[seen.disposition]
    severity = _severity(seen, row)
    verdict = seen.verdict
    plain: dict[str, Any] = {
        **activity(1 if seen.revision == 1 else 2),
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS_UID,
        "class_name": "Data Security Finding",
        "time": _ms(seen.at),
        "severity_id": severity,
        "severity": SEVERITIES[severity],
        "is_alert": row.is_alert,
        "message": _message(seen),
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": {"name": "recordwarden", "vendor_name": "recordwarden", "uid": "recordwarden"},
            "profiles": ["security_control", "incident", "host"],
            "uid": f"{seen.alert_id}:{seen.revision}",
            "correlation_uid": seen.alert_id,
            "logged_time": _ms(seen.at),
        },
        "finding_info": {
            "uid": seen.alert_id,
            "title": TITLES.get(verdict.outcome, "File"),
            "desc": explain(verdict),
            "types": [f"{verdict.outcome}.{verdict.tier}"],
            "analytic": {
                "type_id": 3,
                "type": "Statistical",
                "name": "recordwarden judgement",
                "version": verdict.config_digest[:16],
            },
            "first_seen_time": _ms(seen.observed_at),
            "last_seen_time": _ms(seen.at),
        },
        "action_id": row.action_id,
        "action": row.action,
        "disposition_id": row.disposition_id,
        "disposition": row.disposition,
        "status_id": row.status_id,
        "status": row.status,
        "status_detail": seen.reason,
        "file": _file(seen),
        "device": {"type_id": 0, "type": "Unknown", "uid": seen.host_id, "hostname": seen.hostname},
        "data_security": _data_security(seen),
        "unmapped": _unmapped(seen),
    }
    if verdict.tier in CONFIDENCES:
        plain["confidence_id"], plain["confidence"] = CONFIDENCES[verdict.tier]
        plain["confidence_score"] = round(verdict.confidence * 100)
    if actor := _actor(seen):
        plain["actor"] = actor
    return plain


def _actor(seen: Occurrence) -> dict[str, Any]:
    """Who wrote the file: the process and its user where the kernel told, else the file's owner."""
    writer = seen.writer
    uid = writer.uid if writer is not None and writer.uid >= 0 else seen.owner_uid
    user = {"uid": str(uid), "type_id": 0}
    actor: dict[str, Any] = {"user": user} if uid >= 0 else {}
    if writer is not None:
        process: dict[str, Any] = {"pid": writer.pid}
        if writer.name:
            process["name"] = escape(writer.name)
        if writer.program:
            name = escape(writer.program.rsplit("/", 1)[-1])
            process["file"] = {"name": name, "path": escape(writer.program), "type_id": 1}
        if writer.uid >= 0:
            process["user"] = user
        actor["process"] = process
    return actor


def with_activity(plain: dict[str, Any], first: bool) -> dict[str, Any]:
    """The record as one sink shall get it: Create if it never had this alert, else Update. What is no
    finding (a heartbeat) is as it is."""
    if plain["class_uid"] != CLASS_UID:
        return plain
    return {**plain, **activity(1 if first else max(2, plain["activity_id"]))}


def decided(alert: AlertRow, determination: str, note: str, by: str, at: float) -> dict[str, Any]:
    """The record with an analyst's determination in it. Raises `KeyError` for an unknown one."""
    verdict_id, verdict, status_id, status = DETERMINATIONS[determination]
    closed = status_id == 4
    return {
        **alert.record,
        **activity(3 if closed else 2),
        "time": _ms(at),
        "is_alert": False,
        "verdict_id": verdict_id,
        "verdict": verdict,
        "status_id": status_id,
        "status": status,
        "comment": note,
        "assignee": {"name": by, "type_id": 0},
        "metadata": _next_metadata(alert, at),
    }


def asked_back(alert: AlertRow, told: dict[str, Any], at: float) -> dict[str, Any]:
    """The record after the owner asked for the file: `told` is `reason`, `by`, `at`."""
    return _told_again(alert, at, request=told)


def to_be_reviewed(alert: AlertRow, until: float, at: float) -> dict[str, Any]:
    """The record after somebody looked at the entry and kept it until then."""
    return _told_again(alert, at, review_at=_ms(until))


def restored(alert: AlertRow, path: str, at: float) -> dict[str, Any]:
    """The record after the content was given back at `path`."""
    row = OUTCOMES[RESTORED]
    return {
        **_told_again(alert, at, restored_to=escape(path)),
        "is_alert": False,
        "severity_id": row.severity_id,
        "severity": SEVERITIES[row.severity_id],
        "action_id": row.action_id,
        "action": row.action,
        "disposition_id": row.disposition_id,
        "disposition": row.disposition,
        "status_id": row.status_id,
        "status": row.status,
        "status_detail": RESTORED,
    }


def _told_again(alert: AlertRow, at: float, **unmapped: Any) -> dict[str, Any]:
    """The record as an update, with this in its `unmapped`."""
    return {
        **alert.record,
        **activity(2),
        "time": _ms(at),
        "metadata": _next_metadata(alert, at),
        "unmapped": {**alert.record.get("unmapped", {}), **unmapped},
    }


def _next_metadata(alert: AlertRow, at: float) -> dict[str, Any]:
    return {
        **alert.record["metadata"],
        "uid": f"{alert.alert_id}:{alert.revision + 1}",
        "logged_time": _ms(at),
    }


def _severity(seen: Occurrence, row: Outcome2006) -> int:
    """A possible hit and anything but records of people is one step less grave."""
    if seen.disposition == "error" and seen.verdict.outcome is Outcome.MICRODATA:
        return 5  # known to be microdata, lying open, and not in custody
    if row.is_alert and (seen.verdict.tier is Tier.POSSIBLE or seen.verdict.outcome is not Outcome.MICRODATA):
        return max(2, row.severity_id - 1)
    return row.severity_id


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _message(seen: Occurrence) -> str:
    title = TITLES.get(seen.verdict.outcome, "File")
    count = seen.verdict.records_estimated
    about = f", about {count} records" if count else ""
    reason = f" ({seen.reason})" if seen.reason else ""
    return f"{title}{about}: {seen.disposition}{reason}"


def _file(seen: Occurrence) -> dict[str, Any]:
    verdict = seen.verdict
    drive_type_id, drive_type = DRIVES.get(seen.volume.kind, (0, "Unknown"))
    plain: dict[str, Any] = {
        "name": escape(seen.path.rsplit("/", 1)[-1]),
        "path": escape(seen.path),
        "type_id": 1,
        "type": "Regular File",
        "size": seen.identity.size,
        "mime_type": verdict.media_type,
        "modified_time": seen.identity.mtime_ns // 1_000_000,
        "is_encrypted": verdict.protection is not Protection.NONE,
        "drive_type_id": drive_type_id,
        "drive_type": drive_type,
    }
    if seen.volume.uuid or seen.volume.source:
        plain["volume"] = seen.volume.uuid or seen.volume.source
    if seen.owner_uid >= 0:
        plain["owner"] = {"uid": str(seen.owner_uid), "type_id": 0}
    if seen.sha256:
        plain["hashes"] = [{"algorithm_id": 3, "algorithm": "SHA-256", "value": seen.sha256}]
    return plain


def _data_security(seen: Occurrence) -> dict[str, Any]:
    verdict = seen.verdict
    if verdict.outcome is Outcome.UNREADABLE:
        status_id, status = 3, "Fail"
    else:
        status_id, status = (1, "Complete") if verdict.complete else (2, "Partial")
    return {
        "category_id": 4 if verdict.outcome is Outcome.BUSINESS_RECORDS else 1,
        "category": "Business" if verdict.outcome is Outcome.BUSINESS_RECORDS else "Personal",
        "data_lifecycle_state_id": 1,
        "data_lifecycle_state": "Data at-Rest",
        "detection_system_id": 1,
        "detection_system": "Endpoint",
        "policy": {"name": "recordwarden policy", "uid": seen.policy_digest[:16]},
        "status_id": status_id,
        "status": status,
        "total": verdict.records_estimated or 0,
        "discovery_details": discoveries(verdict),
    }


def discoveries(verdict: Verdict) -> list[dict[str, Any]]:
    """The weightiest findings for the verdict: the term or detector, a count, a position."""
    speaking = [f for f in verdict.findings if f.polarity is Polarity.FOR]
    speaking.sort(key=lambda f: -abs(f.weight))
    return [_discovery(f) for f in speaking[:MAX_FINDINGS_TOLD]]


def _discovery(finding: Finding) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": finding.term or f"{finding.detector}.{finding.measure}"}
    if finding.records_matched is not None:
        plain["count"] = finding.records_matched
    if finding.column is not None:
        plain["occurrences"] = [{"column_number": finding.column + 1}]
    return plain


def volume(facts: VolumeFacts) -> dict[str, Any]:
    """What is known of the volume, and the proof that it is encrypted: in every alert and record."""
    told = ("kind", "fstype", "encryption_proof", "uuid", "vendor", "product", "serial")
    return {"encrypted": facts.encrypted, **{key: escape(getattr(facts, key)) for key in told}}


def _unmapped(seen: Occurrence) -> dict[str, Any]:
    verdict = seen.verdict
    return {
        "root": seen.root_id,
        "zone": seen.root.zone.value,
        "handling": seen.root.handling.value,
        "mode": seen.root.mode.value,
        "outcome": verdict.outcome.value,
        "tier": verdict.tier.value,
        "layout": verdict.layout,
        "subject": verdict.subject.value if verdict.subject else None,
        "protection": verdict.protection.value,
        "member": verdict.member,
        "advisories": list(verdict.advisories),
        "disposition": seen.disposition,
        "reason": seen.reason,
        "proof": seen.proof,
        "volume": volume(seen.volume),
        "entry": seen.entry_id,
        "review_at": None if seen.review_at is None else _ms(seen.review_at),
        "findings": verdict.to_json()["findings"][:MAX_FINDINGS_TOLD],
        "notice": seen.notice,
        "audit_head": seen.audit_head,
    }
