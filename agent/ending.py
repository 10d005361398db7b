"""How this service ends. Somebody stopped or removed it: told before its courier ends, closed when it watches
again. It was cut off: the next one knows, and looks for what came meanwhile.

systemd does not tell a service why it ends, but its list of jobs does. An ordinary restart, an upgrade and
the end of the whole machine raise nothing; in the audit log each end stands anyway.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from agent.host_findings import HostFinding, tell
from agent.ledger import Ledger
from agent.posture import HOST_ROOT
from agent.schema import RootRow
from agent.telling import Host

STOPPED, REMOVED, STARTED = "agent_stopped", "agent_removed", "agent_started"
REMOVING = Path("/run/recordwarden/removing")
"""The package's prerm leaves it before it stops the service; it goes with the service's run folder."""
_RUNNING = "running"
_JOBS = ("systemctl", "list-jobs", "--plain", "--no-legend", "--no-pager")
_PATIENCE_SECONDS = 10.0
_MESSAGES = {
    STOPPED: "Somebody stopped the service: nothing is watched here until it is started again",
    REMOVED: "Somebody removed the service: nothing is watched here any more",
    STARTED: "The service watches again",
}


def begin(ledger: Ledger, mode: str) -> bool:
    """Put the start on record; whether the run before it was cut off."""
    cut_off = ledger.meta(_RUNNING) == "1"
    ledger.set_meta(_RUNNING, "1", [{"event": "service_started", "mode": mode}])
    return cut_off


def end(ledger: Ledger) -> None:
    """Put an orderly end on record."""
    ledger.set_meta(_RUNNING, "", [{"event": "service_stopped"}])


def ended_by() -> str | None:
    """`agent_stopped` or `agent_removed` if a person took the protection away; None if it will be back, or
    if it is not systemd that runs it."""
    if not os.environ.get("NOTIFY_SOCKET"):
        return None
    try:
        asked = subprocess.run(
            _JOBS, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_SECONDS
        )
        jobs, unit = asked.stdout, Path("/proc/self/cgroup").read_text("utf-8").strip().rpartition("/")[2]
    except (OSError, subprocess.SubprocessError):
        return STOPPED  # who can hide the reason must not hide the end
    if asked.returncode == 0 and not is_for_good(jobs, unit):
        return None
    return REMOVED if REMOVING.exists() else STOPPED


def is_for_good(jobs: str, unit: str) -> bool:
    """Whether systemd's jobs (number, unit, type, state) end this unit and not the machine. A signal sent by
    hand is no job: systemd starts the service again."""
    types = {words[1]: words[2] for line in jobs.splitlines() if len(words := line.split()) >= 3}
    return types.get(unit) == "stop" and "shutdown.target" not in types


def tell_end(ledger: Ledger, host: Host, reason: str, sinks: Sequence[str]) -> None:
    """Raise the alert, durably."""
    ledger.know(RootRow(HOST_ROOT, "/", "local", "unrestricted"))
    tell(ledger, host, _finding(reason), sinks)


def tell_back(ledger: Ledger, host: Host, sinks: Sequence[str]) -> None:
    """Close it, if there is one."""
    tell(ledger, host, _finding(STARTED), sinks)


def _finding(reason: str) -> HostFinding:
    return HostFinding(
        finding="agent_ended",
        root_id=HOST_ROOT,
        path="/",
        title="recordwarden does not run on this machine",
        message=_MESSAGES[reason],
        reason=reason,
        severity_id=4,
        settled=reason == STARTED,
    )
