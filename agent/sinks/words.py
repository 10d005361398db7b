"""An alert in a person's words, for mail and chat: plain text, nothing in it steers or breaks a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from agent.sinks.rendering import moment
from agent.sinks.sink import MASK, Record, visible

_MOST = 300
_PEOPLE_CLASS = 2006


def findings(records: Sequence[Record]) -> list[Record]:
    """What people are told of: findings, not heartbeats."""
    return [record for record in records if record.get("class_uid") == _PEOPLE_CLASS]


def uid(record: Record) -> str:
    return visible(str(record.get("finding_info", {}).get("uid", "")), 80)


def headline(record: Record) -> str:
    """One line: how grave, what was done, what it is, where."""
    severity = visible(str(record.get("severity", "")), 20)
    title = visible(str(record.get("finding_info", {}).get("title", "Alert")), 100)
    state = visible(str(_state(record)), 40)
    return f"{severity}: {title}: {state} on {_host(record)}"


def headline_of_all(records: Sequence[Record]) -> str:
    """The same for several alerts: how many, the gravest first."""
    if len(records) == 1:
        return headline(records[0])
    worst = max(records, key=lambda r: int(r.get("severity_id", 0)))
    hosts = {_host(r) for r in records}
    where = hosts.pop() if len(hosts) == 1 else f"{len(hosts)} computers"
    return f"{len(records)} alerts on {where}, the gravest {visible(str(worst.get('severity', '')), 20)}"


def tally(records: Sequence[Record]) -> str:
    """How many of what was done, such as `3 Quarantined, 1 Detected`."""
    counts = Counter(visible(str(_state(r)), 40) for r in records)
    return ", ".join(f"{n} {state}" for state, n in counts.most_common())


def facts(record: Record) -> list[tuple[str, str]]:
    """What there is to say, as (label, text), the most needed first."""
    unmapped: Record = record.get("unmapped", {})
    told: list[tuple[str, Any]] = [
        ("Alert", uid(record)),
        ("What", record.get("finding_info", {}).get("desc") or record.get("message")),
        ("File", _where(record)),
        ("Done", f"{_state(record)} ({record.get('status_detail') or 'policy'})"),
        ("Computer", _host(record)),
        ("Place", unmapped.get("zone")),
        ("User id", record.get("actor", {}).get("user", {}).get("uid")),
        ("Time", moment(record)),
        ("In custody as", unmapped.get("entry")),
        ("Decided", record.get("verdict")),
        ("Asked for back", unmapped.get("request", {}).get("reason")),
    ]
    return [(label, visible(str(value), _MOST)) for label, value in told if value]


def _state(record: Record) -> Any:
    return record.get("disposition") or record.get("activity_name") or "told"


def _host(record: Record) -> str:
    return visible(str(record.get("device", {}).get("hostname", "")), 80) or "an unnamed computer"


def _where(record: Record) -> str:
    path = record.get("file", {}).get("path")
    return "" if path in (None, MASK) else str(path)
