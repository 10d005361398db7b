"""An alert as the analyst reads it: its record, which is untrusted, brought into lines and tables.

Nothing here fails on what an agent sent; what is not as it should be is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from console.records import text
from console.schema import Alert

SEVERITIES = {0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical", 6: "Fatal"}
_PROOFS = {True: "encrypted", False: "not provably encrypted"}
_MOST_FINDINGS = 200


@dataclass(frozen=True, slots=True)
class Evidence:
    """One finding. `column` and `table` count from 1, None where it is about the whole."""

    table: int | None
    column: int | None
    what: str
    detector: str
    value: str
    seen: str
    weight: float


@dataclass(frozen=True, slots=True)
class Portrait:
    """What the page of an alert shows beside the alert's own columns."""

    sentence: str
    facts: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Sections of (name, value)."""
    speaks_for: tuple[Evidence, ...]
    speaks_against: tuple[Evidence, ...]
    record: str


def portrait(alert: Alert) -> Portrait:
    """Out of the alert's newest record."""
    record = json.loads(alert.record)
    found = _at(record, "unmapped", "findings")
    findings = [f for f in found if isinstance(f, dict)][:_MOST_FINDINGS] if isinstance(found, list) else []
    return Portrait(
        text(record, "finding_info", "desc") or text(record, "message"),
        tuple((name, lines) for name, lines in _facts(record, alert) if lines),
        _side(findings, "for"),
        _side(findings, "against"),
        json.dumps(record, indent=2, ensure_ascii=True),
    )


def _facts(record: dict[str, Any], alert: Alert) -> Iterable[tuple[str, tuple[tuple[str, str], ...]]]:
    unmapped = record.get("unmapped")
    volume = _at(unmapped, "volume")
    yield (
        "Where",
        _lines(
            ("path", alert.path),
            ("workstation", alert.hostname),
            ("zone", alert.zone),
            ("handling", text(unmapped, "handling")),
            ("inside, at", text(unmapped, "member")),
            ("given back to", text(unmapped, "restored_to")),
        ),
    )
    named = " ".join(text(volume, key) for key in ("vendor", "product")).strip()
    yield (
        "Device",
        _lines(
            ("kind", text(volume, "kind")),
            ("file system", text(volume, "fstype")),
            ("protection", _PROOFS.get(_at(volume, "encrypted"), "")),  # type: ignore[call-overload]
            ("proof", text(volume, "encryption_proof")),
            ("USB device", named),
            ("serial", text(volume, "serial")),
            ("volume", text(volume, "uuid") or text(record, "file", "volume")),
        ),
    )
    yield (
        "Written by",
        _lines(
            ("user id", text(record, "actor", "user", "uid")),
            (
                "program",
                text(record, "actor", "process", "file", "path") or text(record, "actor", "process", "name"),
            ),
            ("process", _plain(_at(record, "actor", "process", "pid"))),
            ("owner", text(record, "file", "owner", "uid")),
        ),
    )
    size = _at(record, "file", "size")
    yield (
        "Content",
        _lines(
            ("judged", " · ".join(w for w in (alert.outcome, alert.tier) if w)),
            ("confidence", _plain(_at(record, "confidence_score"), " of 100")),
            ("records", f"{alert.records:,}" if alert.records else ""),
            ("about", text(unmapped, "subject")),
            ("file protection", text(unmapped, "protection")),
            ("type", text(record, "file", "mime_type")),
            ("size", f"{size:,} bytes" if isinstance(size, int) else ""),
            ("SHA-256", alert.sha256),
            ("examined", text(record, "data_security", "status")),
            ("advice", ", ".join(a for a in _list(_at(unmapped, "advisories")) if isinstance(a, str))),
        ),
    )
    yield (
        "Done about it",
        _lines(
            ("disposition", alert.disposition),
            ("reason", alert.reason),
            ("mode", text(unmapped, "mode")),
            ("vault entry", alert.entry),
            ("proof", text(unmapped, "proof")),
            ("notice left", "yes" if _at(unmapped, "notice") is True else ""),
        ),
    )
    facts = _at(unmapped, "facts")
    if isinstance(facts, dict):
        yield "Particulars", _lines(*((str(k), _plain(v)) for k, v in list(facts.items())[:40]))
    head = _at(unmapped, "audit_head")
    yield (
        "Provenance",
        _lines(
            ("alert", alert.id),
            ("agent", alert.agent),
            ("judged under", text(record, "finding_info", "analytic", "version")),
            ("policy", text(record, "data_security", "policy", "uid")),
            ("audit log at", _plain(_at(head, "sequence"))),
        ),
    )


def _side(findings: list[dict[str, Any]], polarity: str) -> tuple[Evidence, ...]:
    side = [_evidence(f) for f in findings if f.get("polarity") == polarity]
    return tuple(sorted(side, key=lambda e: (e.table or 0, e.column or 0, -abs(e.weight))))


def _evidence(finding: dict[str, Any]) -> Evidence:
    matched, seen = _plain(finding.get("records_matched")), _plain(finding.get("records_seen"))
    value, threshold = _plain(finding.get("value")), _plain(finding.get("threshold"))
    weight = finding.get("weight")
    term, measure = text(finding, "term"), text(finding, "measure")
    return Evidence(
        _position(finding.get("table")),
        _position(finding.get("column")),
        f"{measure}: {term}" if term and measure else measure or term,
        text(finding, "detector"),
        f"{value} (from {threshold})" if value and threshold else value,
        f"{matched} of {seen}" if matched and seen else matched or seen,
        float(weight) if isinstance(weight, int | float) and abs(weight) < 1e6 else 0.0,
    )


def _position(found: object) -> int | None:
    return (
        found + 1 if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 10**9 else None
    )


def _at(record: object, *steps: str) -> object:
    for step in steps:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []


def _plain(found: object, unit: str = "") -> str:
    """A number or a short value as text; "" for none."""
    if found is None:
        return ""
    if isinstance(found, float):
        return f"{found:.4g}{unit}"
    if isinstance(found, str | int):
        return f"{found}{unit}"[:500]
    return json.dumps(found, ensure_ascii=True)[:500]


def _lines(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value.replace("_", " ") if name in _CODES else value) for name, value in pairs if value
    )


_CODES = frozenset({"zone", "handling", "kind", "judged", "about", "disposition", "reason", "mode", "proof"})
