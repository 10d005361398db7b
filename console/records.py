"""OCSF records as agents send them: checked for shape and size, and read into the words that are searched.

What an agent sends is untrusted: it may have been taken over. Nothing here raises on any JSON value but
`Malformed`; text that is kept beside the record is made visible (`console.shown`) and cut to its column.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from console.shown import shown

FINDING, ACTIVITY = 2006, 6007
MOST_BYTES = 256 * 1024
DEPTH = 12
_LATEST_MS = 253_402_300_799_000
"""The end of the year 9999."""
_VERDICTS = {1: "false_positive", 2: "true_positive", 3: "authorised", 7: "inconclusive"}
_NO_DECISION_STATUS = {3: "closed", 4: "closed"}


class Malformed(Exception):
    """Not a record that can be kept; `code` says why."""

    def __init__(self, code: str = "malformed") -> None:
        super().__init__(code)
        self.code = code


Record = Mapping[str, Any]


def checked(untrusted: object, class_uid: int, agent: str) -> tuple[dict[str, Any], str]:
    """(the record, as JSON in ASCII); raises `Malformed`."""
    if not isinstance(untrusted, dict) or _too_deep(untrusted, DEPTH):
        raise Malformed
    if untrusted.get("class_uid") != class_uid:
        raise Malformed("wrong_class")
    if text(untrusted, "device", "uid") != agent:
        raise Malformed("wrong_device")
    try:
        plain = json.dumps(untrusted, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise Malformed from None
    if len(plain) > MOST_BYTES:
        raise Malformed("too_large")
    return untrusted, plain


def key_of(record: Record) -> tuple[str, int]:
    """(the alert's id, the record's revision) out of `metadata.uid`, `ID:REVISION`; raises `Malformed`."""
    alert = text(record, "finding_info", "uid")
    before, _, revision = text(record, "metadata", "uid").rpartition(":")
    if not alert or before != alert or len(alert) > 80 or shown(alert) != alert:
        raise Malformed
    if not (revision.isascii() and revision.isdigit()) or len(revision) > 9:
        raise Malformed
    return alert, int(revision)


def columns_of(record: Record) -> dict[str, Any]:
    """What of an alert is searched and sorted by; raises `Malformed`."""
    at = seconds(record, "time")
    verdict = record.get("verdict_id")
    determination = _VERDICTS.get(verdict) if isinstance(verdict, int) else None
    return {
        "hostname": _cut(record, 255, "device", "hostname"),
        "first_seen": seconds(record, "finding_info", "first_seen_time", default=at),
        "updated": at,
        "severity": number(record, 6, "severity_id"),
        "disposition": _cut(record, 40, "unmapped", "disposition") or _cut(record, 40, "disposition").lower(),
        "reason": _cut(record, 80, "status_detail"),
        "zone": _cut(record, 40, "unmapped", "zone"),
        "tier": _cut(record, 40, "unmapped", "tier"),
        "outcome": _cut(record, 40, "unmapped", "outcome"),
        "finding": _cut(record, 40, "unmapped", "finding"),
        "title": _cut(record, 200, "finding_info", "title"),
        "name": _cut(record, 8192, "file", "name"),
        "path": _cut(record, 65536, "file", "path"),
        "sha256": _sha256(record),
        "volume": _cut(record, 200, "unmapped", "volume", "serial") or _cut(record, 200, "file", "volume"),
        "person": _cut(record, 80, "actor", "user", "uid"),
        "detectors": _detectors(record),
        "entry": _cut(record, 80, "unmapped", "entry"),
        "records": number(record, 2**53, "data_security", "total"),
        "state": _state(record, determination),
        "determination": determination,
        "decided_on": "agent" if determination else None,
        "decided_by": _cut(record, 80, "assignee", "name") if determination else None,
        "decided_at": at if determination else None,
        "note": _cut(record, 4000, "comment") if determination else None,
    }


def text(record: object, *steps: str) -> str:
    """The text at a path of keys, or ""."""
    found = _at(record, steps)
    return found if isinstance(found, str) else ""


def seconds(record: Record, *steps: str, default: float | None = None) -> float:
    """A time of OCSF, in milliseconds, as seconds since the epoch; raises `Malformed` without a default."""
    found = _at(record, steps)
    if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found <= _LATEST_MS:
        return found / 1000
    if default is None:
        raise Malformed
    return default


def _at(record: object, steps: tuple[str, ...]) -> object:
    for step in steps:
        if not isinstance(record, dict):
            return None
        record = record.get(step)
    return record


def _cut(record: Record, most: int, *steps: str) -> str:
    return shown(text(record, *steps)[:most])[:most]


def review_at(record: str) -> float | None:
    """When the entry that an alert is about is due for review, of its record; None if that was not told."""
    found = number(json.loads(record), _LATEST_MS, "unmapped", "review_at")
    return found / 1000 if found else None


def number(record: Record, most: int, *steps: str) -> int:
    """The number from 1 to `most` at a path of keys; 0 for anything else."""
    found = _at(record, steps)
    return min(found, most) if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0


def _sha256(record: Record) -> str:
    hashes = _at(record, ("file", "hashes"))
    for entry in hashes if isinstance(hashes, list) else []:
        value = text(entry, "value").lower()
        if len(value) == 64 and all(c in "0123456789abcdef" for c in value):
            return value
    return ""


def _detectors(record: Record) -> str:
    found = _at(record, ("unmapped", "findings"))
    speaking = {
        _cut(f, 40, "detector")
        for f in (found if isinstance(found, list) else [])
        if isinstance(f, dict) and text(f, "polarity") == "for"
    }
    return " ".join(sorted(d for d in speaking if d and " " not in d))[:400]


def _state(record: Record, determination: str | None) -> str:
    if determination:
        return "decided"
    status = record.get("status_id")
    if record.get("is_alert") is True or not isinstance(status, int):
        return "open"
    return _NO_DECISION_STATUS.get(status, "open")


def _too_deep(value: object, most: int) -> bool:
    """Level by level: a call for each value took as long as all the rest."""
    level = [value]
    for _ in range(most + 1):
        level = [inner for outer in level if (inside := _inside(outer)) for inner in inside]
    return bool(level)


def _inside(value: object) -> Collection[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
