"""The one record in the words of other products: ECS as JSON, CEF as a line. OCSF is the record itself.

Sources: Elastic Common Schema 8, ArcSight Common Event Format 0 (revision 25).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agent.sinks.sink import Record, visible

_CEF_SEVERITY = {1: 1, 2: 3, 3: 5, 4: 8, 5: 10}
_CEF_MOST = 1000


def rendered(record: Record, form: str) -> dict[str, Any]:
    """As JSON: `ocsf` or `ecs`."""
    return ecs(record) if form == "ecs" else dict(record)


def ecs(record: Record) -> dict[str, Any]:
    """The record by the field names of ECS; what has none stands under `recordwarden`."""
    finding, device = record.get("finding_info", {}), record.get("device", {})
    is_finding = "finding_info" in record
    plain: dict[str, Any] = {
        "@timestamp": moment(record),
        "ecs": {"version": "8.17.0"},
        "message": record.get("message", ""),
        "event": {
            "kind": "alert" if record.get("is_alert") else "event",
            "category": ["file"] if is_finding else ["host"],
            "type": ["info"],
            "module": "recordwarden",
            "dataset": "recordwarden.alert" if is_finding else "recordwarden.heartbeat",
            "id": record.get("metadata", {}).get("uid", ""),
            "action": str(record.get("disposition", record.get("activity_name", ""))).lower(),
            "outcome": "success",
            "reason": record.get("status_detail", ""),
            "severity": record.get("severity_id", 1),
        },
        "host": {"id": device.get("uid", ""), "name": device.get("hostname", "")},
        "observer": {"vendor": "recordwarden", "product": "recordwarden", "type": "dlp"},
        "recordwarden": {
            key: record[key] for key in ("data_security", "unmapped", "metadata", "status") if key in record
        },
    }
    if is_finding:
        plain["rule"] = {"name": finding.get("title", ""), "id": finding.get("uid", "")}
    if file := record.get("file"):
        plain["file"] = _ecs_file(file)
    if user := record.get("actor", {}).get("user"):
        plain["user"] = {"id": user.get("uid", "")}
    return plain


def _ecs_file(file: Record) -> dict[str, Any]:
    plain = {key: file[key] for key in ("name", "path", "size") if key in file}
    if "mime_type" in file:
        plain["mime_type"] = file["mime_type"]
    if "hashes" in file:
        plain["hash"] = {h["algorithm"].replace("-", "").lower(): h["value"] for h in file["hashes"]}
    if "owner" in file:
        plain["uid"] = file["owner"]["uid"]
    return plain


def cef(record: Record) -> str:
    """The record as one line of CEF; values are cut at 1,000 characters."""
    finding, device, file = (record.get(k, {}) for k in ("finding_info", "device", "file"))
    unmapped, data = record.get("unmapped", {}), record.get("data_security", {})
    kind = finding["types"][0] if finding.get("types") else record.get("activity_name", "Alert")
    head = (
        "CEF:0", "recordwarden", "recordwarden", "1", kind,
        finding.get("title") or record.get("message", ""),
        str(_CEF_SEVERITY.get(record.get("severity_id", 1), 5)),
    )  # fmt: skip
    hashes = {h["algorithm"]: h["value"] for h in file.get("hashes", ())}
    fields = {
        "rt": record.get("time", 0),
        "externalId": finding.get("uid") or record.get("metadata", {}).get("uid", ""),
        "dvchost": device.get("hostname", ""),
        "deviceExternalId": device.get("uid", ""),
        "act": record.get("disposition", ""),
        "outcome": record.get("status", ""),
        "reason": record.get("status_detail", ""),
        "msg": record.get("message", ""),
        "fname": file.get("name", ""),
        "filePath": file.get("path", ""),
        "fsize": file.get("size", ""),
        "fileHash": hashes.get("SHA-256", ""),
        "suid": record.get("actor", {}).get("user", {}).get("uid", ""),
        "cnt": data.get("total", ""),
        "cs1Label": "record", "cs1": record.get("metadata", {}).get("uid", ""),
        "cs2Label": "zone", "cs2": unmapped.get("zone", ""),
        "cs3Label": "entry", "cs3": unmapped.get("entry", ""),
    }  # fmt: skip
    extension = " ".join(
        f"{key}={_cef_value(value)}" for key, value in fields.items() if value not in ("", None)
    )
    return "|".join((head[0], *map(_cef_header, head[1:]))) + "|" + extension


def _cef_header(value: object) -> str:
    return visible(str(value), _CEF_MOST).replace("\\", "\\\\").replace("|", "\\|")


def _cef_value(value: object) -> str:
    return visible(str(value), _CEF_MOST).replace("\\", "\\\\").replace("=", "\\=")


def moment(record: Record) -> str:
    """The record's time as RFC 3339 with milliseconds, in UTC."""
    at = datetime.fromtimestamp(record.get("time", 0) / 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
