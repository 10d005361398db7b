"""How the service is: the answer to `status`, as plain JSON values."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from agent.post import Post
from agent.supervisor import Supervisor
from config.settings import Protection


def condition(supervisor: Supervisor) -> dict[str, Any]:
    """The whole state.

    `roots[]`: root_id, path, zone, handling, mode, origin, volume, state, since, fault, backlog, pid,
    missing, swept (the last sweep or null), not_examined (reason to count), breaker_open, unfinished,
    abandoned. `sinks{}`: pending, delivered, dead, error. `protections`: present[], missing{name: why}.
    `vault`: lost[], unknown[], fault (why it takes nothing, or ""). `custody{}`: how many
    entries are in each state. `own_disk[]`: mount_point, and what is known of its volume.
    """
    parts, settings = supervisor.parts, supervisor.settings
    ready = parts.template.ready
    missing = {**(ready.missing if ready else {}), **supervisor.said_missing}
    swept = {row.root_id: row.swept for row in parts.ledger.roots()}
    present = _present(supervisor, set(ready.protections if ready else ())) - set(missing)
    return {
        "pid": os.getpid(),
        "started_at": supervisor.started_at,
        "mode": settings.policy.mode.value,
        "state_dir": str(settings.state_dir),
        "config_digest": supervisor.teller.judge.digest,
        "protections": {"present": sorted(present), "missing": missing},
        "roots": [
            _root(supervisor, post, swept.get(post.root.root_id)) for post in supervisor.posts.values()
        ],
        "template": parts.template.pids,
        "courier": supervisor.dispatch.pid,
        "sinks": supervisor.dispatch.outbox.status(),
        "vault": {
            "lost": parts.recovered.lost,
            "unknown": parts.recovered.unknown,
            "fault": supervisor.desk.vault_fault,
        },
        "custody": parts.ledger.entry_counts(),
        "own_disk": [{"mount_point": v.mount_point, **asdict(v.facts)} for v in supervisor.own_volumes or ()],
        "audit_lines": parts.audit.head.sequence,
    }


def _present(supervisor: Supervisor, of_template: set[str]) -> set[str]:
    """What the template, every keeper and the courier have said that they have."""
    posts = supervisor.posts.values()
    if posts and all(post.beat is not None for post in posts):
        of_template |= {Protection.OPENAT2, Protection.PRIVATE_MOUNT, Protection.WRITE_LEASE}
    if supervisor.dispatch.missing == []:
        of_template |= {Protection.COURIER_USER}
    return {str(name) for name in of_template}


def _root(supervisor: Supervisor, post: Post, swept: dict[str, Any] | None) -> dict[str, Any]:
    root, beat = post.root, post.beat
    return {
        "root_id": root.root_id,
        "path": root.path,
        "zone": root.facts.zone.value,
        "handling": root.facts.handling.value,
        "mode": root.facts.mode.value,
        "origin": root.origin,
        "volume": asdict(root.volume),
        "state": post.state,
        "since": post.since,
        "fault": post.fault,
        "backlog": beat.backlog if beat else 0,
        "missing": beat.missing if beat else [],
        "pid": post.pid,
        "swept": swept or None,
        "not_examined": supervisor.parts.ledger.not_examined(root.root_id),
        "breaker_open": supervisor.desk.breaker_open(root),
        "unfinished": len(supervisor.desk.unfinished(root.root_id)),
        "abandoned": [p.pid for p in post.abandoned if p.poll() is None],
    }
