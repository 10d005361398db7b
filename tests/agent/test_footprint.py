"""The service's cost is told process by process, and never fails because one of them ended."""

from __future__ import annotations

import os
import subprocess
import sys

from agent.footprint import footprints


def test_a_process_and_its_children_are_told_with_memory_and_time() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()", "agent.keeper"], stdin=subprocess.PIPE)
    try:
        found = {f.pid: f for f in footprints(os.getpid())}
    finally:
        child.communicate(b"\n")
    assert found[os.getpid()].role == "supervisor"
    assert found[child.pid].role == "keeper"
    assert all(f.memory_bytes > 1_000_000 and f.cpu_seconds >= 0 for f in found.values())


def test_a_process_that_is_gone_has_no_footprint() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert list(footprints(child.pid)) == []
