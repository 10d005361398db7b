"""Full details of all authorised access: who might hold what, by whose approval, and what moved.

Made out of the register of agreements and of the audit log (which is chained: a line that was changed or
taken out shows). One row for each agreement that stood within the span, then one for each event in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent.agreements import Agreement
from agent.validity import Standing

COLUMNS = (
    "time", "record", "holder", "reference", "path", "root", "records", "sha256", "basis", "proof",
    "approved_by", "valid_from", "valid_until", "review_by", "detail", "host_id",
)  # fmt: skip
"""Of every row, in this order; what does not apply is empty."""

EVENTS = frozenset(
    {
        "allowed", "exempted", "release_requested", "release_approved", "released", "release_cancelled",
        "release_expired", "restored", "exported", "disposal_requested", "disposed", "agreement_added",
        "agreement_accepted", "agreement_revoked", "decided", "reviewed",
        "exception_added", "exception_accepted", "exception_revoked",
    }
)  # fmt: skip
_DETAILS = ("purpose", "reason", "determination", "note", "not_restored", "restored_to", "by")


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment to another (not included), in seconds since 1970; a holder, or "" for all."""

    since: float
    until: float
    holder: str = ""


def authorised_access(
    agreements: Sequence[Agreement],
    events: Iterable[Mapping[str, Any]],
    alerts: Mapping[str, Mapping[str, Any]],
    span: Span,
    host_id: str = "",
) -> Iterator[dict[str, str]]:
    """The rows. `alerts` are the OCSF records by alert id, for what the log does not say of a file."""
    for agreement in agreements:
        if _stood(agreement, span) and _is(agreement.terms.holder, span.holder):
            yield _row(host_id=host_id, **_of_agreement(agreement))
    by_id = {a.terms.agreement_id: a for a in agreements}
    for event in events:
        if event.get("event") not in EVENTS or not span.since <= event.get("time", 0.0) < span.until:
            continue
        agreed = by_id.get(str(event.get("agreement") or event.get("proof") or ""))
        holder = str(event.get("holder") or (agreed.terms.holder if agreed else ""))
        if _is(holder, span.holder):
            record = alerts.get(str(event.get("alert") or ""), {})
            yield _row(host_id=host_id, holder=holder, **_of_event(event, record, agreed))


def _stood(agreement: Agreement, span: Span) -> bool:
    """Whether it was accepted and any of its days lies in the span; until it was revoked."""
    row, terms = agreement.row, agreement.terms
    if row.accepted_at is None or agreement.standing is Standing.PENDING:
        return False
    first = max(_moment(terms.valid_from), row.accepted_at)
    last = min(_moment(terms.valid_until) + 86400, row.revoked_at or float("inf"))
    return first < span.until and last > span.since


def _of_agreement(agreement: Agreement) -> dict[str, Any]:
    terms, row = agreement.terms, agreement.row
    said = [terms.purpose, *terms.conditions]
    if row.revoked_at:
        said.append(f"revoked {iso(row.revoked_at)}")
    scope = [
        f"{name}: {', '.join(values)}"
        for name in ("content", "layouts", "roots", "devices")
        if (values := getattr(terms, name))
    ]
    return {
        "time": iso(row.accepted_at or 0.0), "record": "agreement", "holder": terms.holder,
        "reference": terms.agreement_id, "basis": agreement.standing.value,
        "proof": agreement.envelope.digest, "approved_by": agreement.approved_by,
        "valid_from": terms.valid_from, "valid_until": terms.valid_until,
        "review_by": terms.review_by, "detail": "; ".join([*said, *scope]),
    }  # fmt: skip


def _of_event(
    event: Mapping[str, Any], record: Mapping[str, Any], agreed: Agreement | None
) -> dict[str, Any]:
    file = record.get("file", {})
    hashes = file.get("hashes") or [{}]
    details = [f"{name}: {_text(event[name])}" for name in _DETAILS if event.get(name)]
    if agreed is not None:
        details += [agreed.terms.purpose, *agreed.terms.conditions]
    by = agreed.approved_by if agreed else ()
    reference = (
        event.get("agreement")
        or event.get("exception")
        or event.get("request")
        or event.get("entry")
        or event.get("alert")
    )
    return {
        "time": iso(event["time"]), "record": event["event"], "reference": reference or "",
        "path": event.get("path", ""), "root": event.get("root", ""),
        "records": record.get("data_security", {}).get("total", ""),
        "sha256": event.get("sha256") or hashes[0].get("value", ""),
        "basis": event.get("basis") or event.get("reason", ""), "proof": event.get("proof", ""),
        "approved_by": event.get("approved_by") or event.get("signed_by") or by,
        "valid_until": agreed.terms.valid_until if agreed else "", "detail": "; ".join(details),
    }  # fmt: skip


def _row(**values: Any) -> dict[str, str]:
    return {name: _text(values.get(name, "")) for name in COLUMNS}


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _is(holder: str, wanted: str) -> bool:
    return not wanted or _plain(holder) == _plain(wanted)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _moment(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def iso(seconds: float) -> str:
    """A moment as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def for_spreadsheet(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: names of files are chosen by anybody."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
