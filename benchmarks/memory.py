# ruff: noqa: E501 - the sentences of the page stand here as they are printed
"""What one worker holds at most while it judges large files, each to its end, and whether it finds what is deep.

    python benchmarks/memory.py [--scale 1.0] [--write docs/performance.md]

Each file is judged by a process of its own that is forked as workers are, with the limits that are shipped;
its peak is what the kernel says of it when it has ended.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import large_files as large
from page import machine, write_section

from detectors.engine.examine import examine, warm_up
from detectors.engine.judge import Judge
from detectors.engine.table import ReadLimits

MOST_MB = 512


@dataclass(frozen=True)
class Measured:
    """One file judged: what was said of it and what that cost."""

    name: str
    size: int
    peak_bytes: int
    seconds: float
    outcome: str
    flagged: bool
    complete: bool
    rows: int | None

    @property
    def line(self) -> str:
        """A row of the page's table."""
        judged = (
            "people found"
            if self.flagged
            else f"{self.outcome}, {'complete' if self.complete else 'NOT COMPLETE'}"
        )
        rows = f"{self.rows:,}" if self.rows is not None else ""
        return f"| {self.name} | {self.size / large.MB:,.0f} MB | {self.peak_bytes / 1024**2:.0f} MB | {self.seconds:.1f} s | {judged} | {rows} |"


def measure(name: str, path: Path, judge: Judge) -> Measured:
    """Judge one file in a process of its own."""
    size = path.stat().st_size
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        began = time.process_time()
        with path.open("rb") as file:
            v = examine(file, size, judge, ReadLimits())
        said = [v.outcome.value, v.flagged, v.complete, v.records_estimated, time.process_time() - began]
        os.write(theirs, json.dumps(said).encode())
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as answer:
        outcome, flagged, complete, rows, seconds = json.load(answer)
    _, _, used = os.wait4(pid, 0)
    return Measured(name, size, used.ru_maxrss * 1024, seconds, outcome, flagged, complete, rows)


Case = tuple[str, Callable[[Path], Path]]


def cases(scale: float) -> list[Case]:
    """The files, full size at scale 1; what is hidden lies at the same share of each."""
    records, people = list(large.records(600)), list(large.people(12))
    gigabyte, rows, row = int(1000 * scale) * large.MB, int(900_000 * scale), int(890_000 * scale)
    packed, at = int(100 * scale) * large.MB, int(900_000 * scale)
    return [
        ("CSV, nothing to find", lambda p: large.write_csv(p, gigabyte)),
        (f"CSV, 12 people at row {at:,}", lambda p: large.write_csv(p, gigabyte, people, at)),
        (f"CSV, 600 coded records at row {at:,}", lambda p: large.write_csv(p, gigabyte, records, at)),
        ("csv.gz, nothing to find", lambda p: large.write_gzip(p, packed)),
        ("csv.gz, 12 people at its end", lambda p: large.write_gzip(p, packed, people)),
        ("xlsx, nothing to find", lambda p: large.write_xlsx(p, rows)),
        (f"xlsx, 12 people at row {row:,}", lambda p: large.write_xlsx(p, rows, 1, people, row)),
        (
            "xlsx, people on the last of 30 sheets",
            lambda p: large.write_xlsx(p, rows // 300 + 50, 30, people, 40),
        ),
        ("zip, people in the last of 500 members", lambda p: large.write_zip(p, 499, 40_000, people)),
    ]


def run(scale: float) -> list[Measured]:
    """Measure every case, one after the other."""
    judge = Judge()
    warm_up(judge, False)
    found = []
    with tempfile.TemporaryDirectory(prefix="rw-bench-", dir=os.environ.get("TMPDIR")) as folder:
        for name, write in cases(scale):
            path = write(Path(folder) / "file")
            found.append(measure(name, path, judge))
            path.unlink()
            print(found[-1].line, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="size of the files, 1.0 being the full one")
    parser.add_argument("--write", type=Path, help="the page to write into")
    chosen = parser.parse_args()
    found = run(chosen.scale)
    lines = [
        "## Large files",
        "",
        f"`benchmarks/memory.py`{'' if chosen.scale == 1 else f' at scale {chosen.scale}'}; {machine()}",
        "",
        f"Peak resident memory of one worker, shared pages included (at most {MOST_MB} MB is asked for), and its processor time.",
        "A file in which nothing is to be found is judged to its last row; the search in another ends where people are found.",
        "",
        "| file | size | peak | processor | judged | rows |",
        "|---|---|---|---|---|---|",
        *(m.line for m in found),
    ]
    if chosen.write:
        write_section(chosen.write, "memory", lines)
    wrong = [m for m in found if m.peak_bytes > MOST_MB * 1024**2 or not (m.flagged or m.complete)]
    raise SystemExit(f"memory: too much, or not to the end: {[m.name for m in wrong]}" if wrong else 0)


if __name__ == "__main__":
    main()
