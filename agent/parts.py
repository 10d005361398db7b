"""What `agent.service` builds before there is a supervisor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.audit import AuditLog
from agent.births import Births
from agent.ledger import Ledger
from agent.platform.linux import MountTable
from agent.recovery import Recovered
from agent.sandbox import Template
from agent.telling import Host
from agent.tuning import FleetTuning


@dataclass(frozen=True, slots=True)
class Parts:
    """What a supervisor works with; it must not be closed before the supervisor is."""

    ledger: Ledger
    audit: AuditLog
    template: Template
    births: Births
    mounts: MountTable
    host: Host
    recipients: list[str]
    recovered: Recovered
    tuning: FleetTuning
    say: Callable[[str], None]
