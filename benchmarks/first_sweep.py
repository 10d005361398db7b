# ruff: noqa: E501 - the sentences of the page stand here as they are printed
"""The first sweep of small files by the running service, two workers, beside `clamscan` with one rule.

    python benchmarks/first_sweep.py [--files 2000] [--write docs/performance.md]

As root. Texts (plain text and CSV) and other files (pictures, archives, encrypted ones) are reported apart, each in turn with clamscan
over the same tree in the same run. clamscan that is not installed (Debian: clamav) is named and left out.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from page import machine, write_section
from running_service import MadeUp, RunningService, put

ROUNDS = 3
RULE = 'rule one { strings: $a = "a string that no file holds" condition: $a }\n'
WORDS = """the of and to in is that for report meeting budget plan service review next week team project
    table figures agreed action point policy house garden water""".split()  # noqa: SIM905


def texts(count: int) -> Iterator[tuple[str, bytes]]:
    """Half prose, a quarter published tables, a quarter readings; no records of anybody."""
    chance = random.Random(1)
    for number in range(count):
        if number % 2:
            lines = [
                " ".join(chance.choices(WORDS, k=chance.randint(6, 14)))
                for _ in range(chance.randint(10, 80))
            ]
            yield f"{number}.txt", "\n".join(lines).encode() + b"\n"
        elif number % 4:
            yield f"{number}.csv", MadeUp.statistics() + b"\r\n" * (number % 7)
        else:
            rows = [
                f"{2000 + n},{chance.choice(['north', 'south'])},{chance.randint(1, 9000)},{chance.random():.3f}"
                for n in range(chance.randint(10, 60))
            ]
            yield f"{number}.csv", "\n".join(["year,region,count,share", *rows]).encode() + b"\n"


def others(count: int) -> Iterator[tuple[str, bytes]]:
    """Half pictures, half encrypted archives."""
    packed = MadeUp.aes_zip(MadeUp.statistics())
    for number in range(count):
        yield (
            (f"{number}.png", MadeUp.photo() + bytes(number % 7)) if number % 2 else (f"{number}.zip", packed)
        )


def fill(tree: Path, files: Iterator[tuple[str, bytes]]) -> int:
    size = 0
    for number, (name, content) in enumerate(files):
        folder = tree / str(number // 100)
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(put(folder / name, content), (1e9, 1e9))
        size += len(content)
    return size


def ours(tree: Path, count: int) -> tuple[float, float]:
    """Seconds of the sweep, and of processor time of all our processes, start included."""
    base = Path(tempfile.mkdtemp(prefix="rw-bench-", dir=os.environ.get("TMPDIR")))
    base.chmod(0o755)
    running = RunningService(base)
    running.settings["limits"] = {"workers": 2}
    running.roots.append({"path": tree, "zone": "local"})
    try:
        running.start(wait=False)
        assert running.process is not None
        swept = None
        while not swept:
            time.sleep(0.02)  # asking costs the service time of its own
            assert running.process.poll() is None, running.log()
            swept = (running.status() or {"roots": [{}]})["roots"][0].get("swept")
        assert swept["judged"] == count, swept  # another sweep may follow
        top = psutil.Process(running.process.pid)
        times = [p.cpu_times() for p in [top, *top.children()]]
        used = sum(t.user + t.system + t.children_user + t.children_system for t in times)
        return swept["finished_at"] - swept["started_at"], used
    finally:
        running.stop()
        shutil.rmtree(base, ignore_errors=True)


def clamscan(tree: Path, rule: Path) -> tuple[float, float]:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["clamscan", "-r", "-i", "--no-summary", f"--database={rule}", str(tree)], check=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compared(name: str, files: Callable[[int], Iterator[tuple[str, bytes]]], count: int) -> str:
    with tempfile.TemporaryDirectory(prefix="rw-bench-", dir=os.environ.get("TMPDIR")) as folder:
        base = Path(folder)
        base.chmod(0o755)
        tree, rule = base / "tree", base / "one.yar"
        size = fill(tree, files(count))
        rule.write_text(RULE)
        rival = shutil.which("clamscan")
        rounds = [(ours(tree, count), clamscan(tree, rule) if rival else (0.0, 0.0)) for _ in range(ROUNDS)]
    (wall, used), (their_wall, their_used) = (
        [statistics.median(v) for v in zip(*side, strict=True)] for side in zip(*rounds, strict=True)
    )
    mine = f"| {name} | {size / 1e6:.1f} MB | {count / wall:,.0f} | {1000 * used / count:.1f} ms |"
    if not rival:
        return f"{mine} not installed | | |"
    ratio = statistics.median(theirs[0] / us[0] for us, theirs in rounds)
    return f"{mine} {count / their_wall:,.0f} | {1000 * their_used / count:.2f} ms | {ratio:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, help="the page whose section is replaced")
    parser.add_argument("--files", type=int, default=2000)
    chosen = parser.parse_args()
    page = [
        "## A first sweep of small files",
        "",
        f"`benchmarks/first_sweep.py`; {machine()}",
        "",
        f"{chosen.files} files of each sort in a local root, as the running service judges them on its first sweep with two workers, in turn with `clamscan -r`",
        f"with one rule over the same tree (median of {ROUNDS}). Processor time is that of all processes, the service's start included (about a second).",
        "",
        "| | size | files/s | processor, a file | clamscan, files/s | processor, a file | times clamscan's rate |",
        "|---|---|---|---|---|---|---|",
        compared("plain text and CSV", texts, chosen.files),
        compared("pictures and encrypted archives", others, chosen.files),
        "",
    ]
    print("\n".join(page))
    if chosen.write:
        write_section(chosen.write, "first_sweep", page)


if __name__ == "__main__":
    main()
