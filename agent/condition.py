"""How the service is: the answer to `status`, as plain JSON values."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from agent.coverage import root_states
from agent.supervisor import Supervisor
from config.settings import Protection


def condition(supervisor: Supervisor) -> dict[str, Any]:
    """The whole state.

    `roots[]`: root_id, path, zone, handling, mode, origin, volume, state, coverage, covered, since, fault,
    proof and proved_at (of the last canary), backlog, pid, missing, swept (the last sweep or null),
    not_examined (reason to count), held (old files that wait for a person), breaker_open, unfinished,
    abandoned. `sinks{}`: pending, delivered, dead, error. `protections`: present[], missing{name: why}.
    `vault`: lost[], unknown[], fault (why it takes nothing, or ""). `custody{}`: how many
    entries are in each state. `governor`: paused, why, since, nice,
    io_class. `own_disk[]`: mount_point, and what is known of its volume.
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
        },
        "custody": parts.ledger.entry_counts(),
        "governor": supervisor.governor.to_json(settings.governor),
        "own_disk": [{"mount_point": v.mount_point, **asdict(v.facts)} for v in supervisor.own_disk.volumes],
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
