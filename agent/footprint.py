"""What the service costs the machine: memory and processor time of each of its processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil

_ROLES = {
    "agent.keeper": "keeper",
    "agent.courier": "courier",
    "agent.nursery": "nursery",
    "detectors.engine.template": "template",
}


@dataclass(frozen=True, slots=True)
class Footprint:
    """One process. `memory_bytes` is its proportional share (PSS) where that may be read, else resident."""

    role: str
    """`supervisor`, `nursery`, `keeper`, `courier`, `template` or `worker`."""
    pid: int
    memory_bytes: int
    cpu_seconds: float


def footprints(supervisor_pid: int) -> Iterator[Footprint]:
    """The supervisor and all its descendants, less those that end meanwhile or are not ours to see."""
    with suppress(psutil.Error):
        supervisor = psutil.Process(supervisor_pid)
        for process in (supervisor, *supervisor.children(recursive=True)):
            with suppress(psutil.Error):
                yield _footprint(process, supervisor_pid)


def _footprint(process: psutil.Process, supervisor_pid: int) -> Footprint:
    role = "supervisor"
    if process.pid != supervisor_pid:
        role = next((_ROLES[word] for word in process.cmdline() if word in _ROLES), "worker")
        parent = process.parent()
        if role == "template" and parent is not None and parent.pid != supervisor_pid:
            role = "worker"  # forked, so it looks like its template
    try:
        memory = process.memory_full_info().pss
    except (psutil.AccessDenied, AttributeError):
        memory = process.memory_info().rss
    times = process.cpu_times()
    return Footprint(role, process.pid, memory, round(times.user + times.system, 2))
