"""How the service is: the answer to `status`, as plain JSON values."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from agent.coverage import root_states
from agent.releases import UNDER_WAY
from agent.supervisor import Supervisor
from agent.validity import ENDING_DAYS, days_left
from config.settings import Protection


def condition(supervisor: Supervisor) -> dict[str, Any]:
    """The whole state.

    `roots[]`: root_id, path, zone, handling, mode, origin, volume, state, coverage, covered, since, fault,
    hold (off, starting, held, or why not), proof and proved_at (of the last canary), backlog, pid, missing,
    swept (the last sweep or null), not_examined (reason to count), held (old files that wait for a person),
    breaker_open, unfinished, abandoned. `sinks{}`: pending, delivered, dead, error. `protections`:
    present[], missing{name: why}.
    `vault`: lost[], unknown[], fault (why it takes nothing, or ""), verified{started, ended, checked,
    damaged[]}, copies{to, copied, waiting, fault} or null. `audit_head`: sequence and digest.
    `custody{}`: how many entries are in each state. `governor`: paused, why, since, nice,
    io_class. `own_disk[]`: mount_point, and what is known of its volume. `reviews`: what is overdue: policy
    (its date or null), agreements[], entries (how many). `releases[]`: those under way: request_id, entry_id,
    state, expires_at, destination. `papers`: of the console's bundle, see `agent.carried.Carried.to_json`.
    `exceptions`: in_force[], ending[] (ids), files (how many are let be by them). `tuning`: the fleet's, see
    `agent.tuning.FleetTuning.to_json`.
    """
    parts, settings = supervisor.parts, supervisor.settings
    ready = parts.template.ready
    missing = {**(ready.missing if ready else {}), **supervisor.said_missing}
    present = _present(supervisor, set(ready.protections if ready else ())) - set(missing)
    return {
        "pid": os.getpid(),
        "started_at": supervisor.started_at,
        "mode": settings.policy.mode.value,
        "state_dir": str(settings.state_dir),
        "config_digest": supervisor.teller.judge.digest,
        "protections": {"present": sorted(present), "missing": missing},
        "roots": root_states(supervisor.posts.values(), parts.ledger, supervisor.desk),
        "template": parts.template.pids,
        "courier": supervisor.dispatch.pid,
        "sinks": supervisor.dispatch.outbox.status(),
        "vault": {
            "lost": parts.recovered.lost,
            "unknown": parts.recovered.unknown,
            "fault": supervisor.desk.vault_fault,
            **supervisor.vault_care.status(),
        },
        "custody": parts.ledger.entry_counts(),
        "governor": supervisor.governor.to_json(settings.governor),
        "own_disk": [{"mount_point": v.mount_point, **asdict(v.facts)} for v in supervisor.own_disk.volumes],
        "audit_lines": parts.audit.head.sequence,
        "audit_head": {"sequence": parts.audit.head.sequence, "digest": parts.audit.head.digest},
        "reviews": _reviews(supervisor),
        "papers": supervisor.carried.to_json(),
        "exceptions": _exceptions(supervisor),
        "tuning": parts.tuning.to_json(),
        "releases": [
            {
                "request_id": row.request_id,
                "entry_id": row.entry_id,
                "state": row.state.value,
                "expires_at": row.expires_at,
                "destination": row.detail["destination"],
            }
            for row in parts.ledger.requests(states=UNDER_WAY, act="release")
        ],
    }


def _exceptions(supervisor: Supervisor) -> dict[str, Any]:
    """Those in force, which of them end soon, and how many files are let be by them."""
    found = [e.terms for e in supervisor.desk.authority.agreements.exceptions_in_force()]
    now = time.time()
    return {
        "in_force": [terms.exception_id for terms in found],
        "ending": [terms.exception_id for terms in found if days_left(terms, now) <= ENDING_DAYS],
        "files": sum(supervisor.parts.ledger.exempted_by("exception").values()),
    }


def _reviews(supervisor: Supervisor) -> dict[str, Any]:
    """What somebody should have looked at by now."""
    settings, now = supervisor.settings, time.time()
    agreements = supervisor.desk.authority.agreements.in_force()
    due = settings.policy.review_by
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    return {
        "policy": due if due and due < today else None,
        "agreements": [a.terms.agreement_id for a in agreements if a.is_overdue(now)],
        "entries": supervisor.parts.ledger.due_for_review(now, settings.vault.review_days * 86400.0),
    }


def _present(supervisor: Supervisor, of_template: set[str]) -> set[str]:
    """What the template, every keeper and the courier have said that they have."""
    posts = supervisor.posts.values()
    if posts and all(post.beat is not None for post in posts):
        of_template |= {Protection.OPENAT2, Protection.PRIVATE_MOUNT, Protection.WRITE_LEASE}
    if supervisor.dispatch.missing == []:
        of_template |= {Protection.COURIER_USER}
    return {str(name) for name in of_template}
