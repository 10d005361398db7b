# ruff: noqa: E501 - the sentences of the page stand here as they are printed
"""How soon a mount is noticed and its first file taken, and what the service weighs at rest with three roots.

python benchmarks/mounts.py [--times 20] [--seconds 60] [--write docs/performance.md]

As root.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from page import machine, write_section
from running_service import MadeUp, RunningService, put

MB = 1024**2
_CLONE_NEWNS = 0x20000


def wait_for(ready: Callable[[], object], seconds: float = 30.0) -> float:
    """The moment at which `ready` was first seen true."""
    deadline = time.perf_counter() + seconds
    while not ready():
        if time.perf_counter() > deadline:
            raise SystemExit("mounts: it did not happen in time")
        time.sleep(0.002)
    return time.perf_counter()


def noticing(times: int = 20) -> list[str]:
    """From the end of `mount` to the root's being listed, and to the end of the first file on it."""
    if os.geteuid() != 0:
        return ["## Drives", "", "Not measured: mounting needs root.", ""]
    base = Path(tempfile.mkdtemp(prefix="rw-mounts-"))
    running = RunningService(base)
    listed, taken = [], []
    point = base / "drive"
    point.mkdir()
    survey = MadeUp.survey()
    try:
        running.root()
        running.settings["watch.volumes"] = {
            "removable": True, "shares": False, "treat_as_removable": [str(point)],
        }  # fmt: skip
        running.start()
        for number in range(times):
            subprocess.run(["mount", "-t", "tmpfs", "none", str(point)], check=True)
            mounted = time.perf_counter()
            file = put(point / f"wave{number}.csv", survey)
            listed.append(wait_for(lambda: _is_listed(running, point)) - mounted)
            taken.append(wait_for(lambda f=file: not f.exists()) - mounted)
            notice = file.with_name(file.name + ".quarantined.txt")
            wait_for(notice.exists)
            subprocess.run(["umount", str(point)], check=True)
            wait_for(lambda: not _is_listed(running, point))
    finally:
        running.stop()
        subprocess.run(["umount", "-l", str(point)], capture_output=True, check=False)
        shutil.rmtree(base, ignore_errors=True)
    return [
        "## Drives",
        "",
        f"A file system is mounted and a survey is written to it at once, {times} times. From the end of the `mount` command until",
        f"the service lists it as a root: median {_ms(listed)} ms, most {1000 * max(listed):.0f} ms. Until that first file is in the vault and",
        f"gone from the drive: median {_ms(taken)} ms, most {1000 * max(taken):.0f} ms; a process to look at the path and a keeper are started in it.",
        "",
    ]


def resting(seconds: float = 60.0, roots: int = 3) -> list[str]:
    """At rest with several roots; only sweeps do not wait for what else this machine does."""
    base = Path(tempfile.mkdtemp(prefix="rw-rest-"))
    alone = os.geteuid() == 0
    if alone:
        # what other programs mount, or do on the same file system, is none of our rest
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", str(base)], check=True)
    running = RunningService(base)
    try:
        running.settings["governor"] = {"pause_above_cpu_percent": 100}
        for number in range(roots):
            running.root(f"root{number}")
        running.start()
        for number in range(roots):
            running.caught(put(base / f"root{number}" / "a.csv", MadeUp.survey(seed=number)))
        time.sleep(10)
        before = _cpu(running)
        time.sleep(seconds)
        used = 100 * (_cpu(running) - before) / seconds
        memory = _memory(running)
    finally:
        running.stop()
        if alone:
            subprocess.run(["umount", "-l", str(base)], check=False)
        shutil.rmtree(base, ignore_errors=True)
    total = sum(sum(sizes) for sizes in memory.values())
    return [
        "## At rest",
        "",
        f"With {roots} roots and everything else as shipped, where nobody else mounts or writes anything, 10 s after the last file: {used:.2f} % of one core over {seconds:.0f} s, {total:.0f} MB in all",
        "processes together (PSS):",
        "",
        *(
            f"- {len(s)} × `{role}` {sum(s):.0f} MB"
            for role, s in sorted(memory.items(), key=lambda m: -sum(m[1]))
        ),
        "",
    ]


def _is_listed(running: RunningService, point: Path) -> bool:
    return running.ask("baseline", root=str(point)) is not None  # the least that tells


def _ms(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):.0f}"


def _family(running: RunningService) -> list[psutil.Process]:
    assert running.process is not None
    top = psutil.Process(running.process.pid)
    return [top, *top.children(recursive=True)]


def _cpu(running: RunningService) -> float:
    return sum(p.cpu_times().user + p.cpu_times().system for p in _family(running))


def _memory(running: RunningService) -> dict[str, list[float]]:
    """Proportional set size of each process, by its module, in MB."""
    found: dict[str, list[float]] = {}
    for process in _family(running):
        words = process.cmdline()
        role = next((w for w in words if w.startswith(("agent.", "detectors."))), "agent.supervisor")
        found.setdefault(role, []).append(process.memory_full_info().pss / MB)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--write", type=Path, help="the page to write")
    chosen = parser.parse_args()
    page = [
        f"`benchmarks/mounts.py`; {machine()}", "", *noticing(chosen.times), *resting(chosen.seconds),
    ]  # fmt: skip
    print("\n".join(page))
    if chosen.write:
        write_section(chosen.write, "mounts", page)


if __name__ == "__main__":
    main()
