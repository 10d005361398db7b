# ruff: noqa: E501 - the sentences of the page stand here as they are printed
"""How long a file stays where it must not be, what judging costs, and what the service weighs.

    python benchmarks/latency.py [--runs 50] [--write docs/performance.md]

Each figure stands beside its floor, measured in the same run on the same disk. Run as root for the
walls to be up; on a machine that does other work the figures are those of that machine then.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import psutil
import pyrage
from page import machine, write_section
from running_service import MadeUp, RunningService, put

from config.settings import Watch

MB = 1024**2
POLL_SECONDS = 0.001


@contextmanager
def service() -> Iterator[RunningService]:
    base = Path(tempfile.mkdtemp(prefix="rw-bench-", dir=os.environ.get("TMPDIR")))
    base.chmod(0o755)
    running = RunningService(base)
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(base, ignore_errors=True)


def wait_for(ready: Callable[[], bool], seconds: float = 30.0) -> float:
    """The moment at which `ready` was first seen true."""
    deadline = time.perf_counter() + seconds
    while not ready():
        if time.perf_counter() > deadline:
            raise SystemExit("latency: the service did not take the file in time")
        time.sleep(POLL_SECONDS)
    return time.perf_counter()


def taken_in(running: RunningService, root: Path, content: bytes, number: int) -> float:
    """Seconds from the file's close to: original gone, notice in place, alert line written."""
    path = root / f"wave{number}.csv"
    notice = path.with_name(path.name + ".quarantined.txt")
    told = running.alert_file.stat().st_size if running.alert_file.exists() else 0
    put(path, content)
    closed = time.perf_counter()

    def done() -> bool:
        return (
            notice.exists()
            and not path.exists()
            and running.alert_file.exists()
            and running.alert_file.stat().st_size > told
        )

    return wait_for(done) - closed


def floor(folder: Path, content: bytes, recipient: pyrage.x25519.Recipient) -> float:
    """Seconds for the least that custody can cost: read, sha256, encrypt, fsync of file and folder."""
    source, target = put(folder / "plain", content), folder / "plain.age"
    begun = time.perf_counter()
    plain = source.read_bytes()
    sha256(plain).digest()
    with target.open("wb") as file:
        file.write(pyrage.encrypt(plain, [recipient]))
        file.flush()
        os.fsync(file.fileno())
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    return time.perf_counter() - begun


def memory_of(running: RunningService) -> dict[str, float]:
    """Proportional set size of each process of the service, in MB."""
    if running.process is None:
        return {}
    top = psutil.Process(running.process.pid)
    found: dict[str, float] = {}
    for process in [top, *top.children(recursive=True)]:
        words = process.cmdline()
        role = next((w for w in words if w.startswith(("agent", "detectors"))), words[0])
        role = "agent.supervisor" if role == "agent" else role
        found[role] = found.get(role, 0.0) + process.memory_full_info().pss / MB
    return found


def cpu_of(running: RunningService, seconds: float = 20.0) -> float:
    """Share of one core that the idle service uses, in percent."""
    if running.process is None:
        return 0.0
    top = psutil.Process(running.process.pid)

    def used() -> float:
        family = [top, *top.children(recursive=True)]
        return sum(p.cpu_times().user + p.cpu_times().system for p in family)

    before = used()
    time.sleep(seconds)
    return 100 * (used() - before) / seconds


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, round(share * (len(values) - 1)))]


def spread(name: str, seconds: list[float]) -> str:
    figures = (statistics.median(seconds), percentile(seconds, 0.99), min(seconds), max(seconds))
    return f"| {name} | " + " | ".join(f"{1000 * f:.0f} ms" for f in figures) + " |"


def latency(runs: int) -> list[str]:
    content = [MadeUp.survey_of(MB, seed) for seed in range(5)]
    with service() as running:
        root = running.root()
        begun = time.perf_counter()
        running.start()
        started = time.perf_counter() - begun
        chance = random.Random(1)
        taken, floors = [], []
        for number in range(runs):
            taken.append(taken_in(running, root, content[number % 5], number))
            floors.append(floor(running.base, content[number % 5], running.identity.to_public()))
            time.sleep(chance.uniform(0.05, 0.3))
        time.sleep(2)
        memory, cpu = memory_of(running), cpu_of(running)
        status = running.status() or {}
        missing = status.get("protections", {}).get("missing", [])
        settle = Watch().settle_seconds
    ratio = statistics.median(taken) / statistics.median(floors)
    total = sum(memory.values())
    return [
        "## From close to custody",
        "",
        f"A pseudonymised survey of {len(content[0]) / MB:.2f} MB (CSV) is written into a root of the running",
        "service. Measured from its `close()` until the original is gone, the notice is in its place and the alert",
        f"is in the file; {runs} runs. The wait for the file to settle (`watch.settle_seconds` = {settle}) is part of it.",
        "The floor is one plain read, sha256, age encryption and fsync of file and folder, of the same bytes, in turn.",
        "",
        "| | p50 | p99 | least | most |",
        "|---|---|---|---|---|",
        spread("close to custody, notice and alert", taken),
        spread("floor", floors),
        "",
        f"Ratio of the medians: {ratio:.1f}. Missing protections in this run: {', '.join(missing) or 'none'}.",
        "",
        "## Start and rest",
        "",
        f"From `recordwarden run` to a swept root: {started:.1f} s. At rest with one root, 2 s after the last file:",
        f"{cpu:.2f} % of one core over 20 s, {total:.0f} MB in all processes together (PSS):",
        "",
        *(f"- `{role}` {size:.0f} MB" for role, size in sorted(memory.items(), key=lambda m: -m[1])),
        "",
    ]


def throughput(files: int) -> list[str]:
    """Whole scans of small files, as `recordwarden scan` does them."""
    with tempfile.TemporaryDirectory(prefix="rw-bench-") as folder:
        kinds = {"survey": MadeUp.survey(200, 3), "table": MadeUp.statistics(), "photo": MadeUp.photo()}
        size = 0
        for number in range(files):
            kind = list(kinds)[number % len(kinds)]
            content = kinds[kind] + (b"" if kind == "photo" else b"\r\n" * (number % 7))
            put(Path(folder) / f"{kind}{number}.{'png' if kind == 'photo' else 'csv'}", content)
            size += len(content)
        big = put(Path(folder) / "big", MadeUp.statistics())
        big.unlink()
        command = [sys.executable, "-I", "-m", "agent", "scan", folder, "--json", "--all"]
        begun = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begun
        judged = [json.loads(line) for line in done.stdout.splitlines()]
    worker = statistics.median(v["elapsed_ms"] for v in judged)
    return [
        "## Scanning",
        "",
        f"`recordwarden scan` of {files} small files ({size / MB:.1f} MB: a third surveys, a third tables, a third",
        f"pictures), start included: {seconds:.1f} s, {files / seconds:.0f} files/s. Median time in the worker: {worker:.0f} ms.",
        "",
    ]


def template_start() -> list[str]:
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        code = "import detectors.engine.template, detectors.engine.judge as j; j.Judge()"
        subprocess.run([sys.executable, "-I", "-c", code], check=True)
        times.append(time.perf_counter() - begun)
    return [
        "## Starting a template",
        "",
        f"A fresh interpreter with every light parser and the judge loaded: {1000 * statistics.median(times):.0f} ms",
        "(median of 5). It happens once; a worker is a fork of it.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--write", type=Path, help="the page to write")
    chosen = parser.parse_args()
    page = [
        f"`benchmarks/latency.py`; {machine()}",
        "",
        *latency(chosen.runs),
        *template_start(),
        *throughput(chosen.files),
    ]
    text = "\n".join(page)
    print(text)
    if chosen.write:
        write_section(chosen.write, "latency", page)


if __name__ == "__main__":
    main()
