# ruff: noqa: E501 - the sentences of the page stand here as they are printed
"""How fast a whole file is judged in which nothing is to be found, beside what else looks through files.

    python benchmarks/full_pass.py [--size 200] [--rounds 3] [--write docs/performance.md]

One core each, one after the other, in turn, so that all meet the same machine: our judge, ClamAV's
`clamscan --detect-structured=yes` with an empty database, and `ripgrep -c` of the patterns that our rules look for
in text. A rival that is not installed is named and left out (Debian: clamav, ripgrep).
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import large_files as large
from page import machine, write_section

from detectors.engine.examine import HEAD_BYTES, examine, warm_up
from detectors.engine.judge import Judge
from detectors.engine.rules import RuleBook
from detectors.engine.table import ReadLimits

_EMPTY_DATABASE = "d41d8cd98f00b204e9800998ecf8427f:99999:Made.Up\n"
_OURS = "import full_pass, sys; full_pass.judge_whole(sys.argv[1])"


@dataclass
class Contender:
    """One program and what its runs cost: processor seconds and wall seconds."""

    name: str
    command: list[str]
    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run once; a finding (exit code 1) is as good as none."""
        before, begun = _children(), time.perf_counter()
        done = subprocess.run(self.command, capture_output=True, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(f"full_pass: {self.name} fails: {done.stderr[-300:].decode(errors='replace')}")
        self.wall.append(time.perf_counter() - begun)
        self.processor.append(_children() - before)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def judge_whole(path: str) -> None:
    """What a worker does with one file, in this process, start of the interpreter and all parsers included."""
    judge = Judge()
    with open(path, "rb") as file:
        verdict = examine(file, os.path.getsize(path), judge, ReadLimits())
    if verdict.flagged or not verdict.complete:
        raise SystemExit(f"full_pass: judged wrongly: {verdict.outcome}, complete {verdict.complete}")


def contenders(file: Path, folder: Path) -> tuple[list[Contender], list[str]]:
    """Those that are installed, ours first, and the names of those that are not."""
    (folder / "empty.hdb").write_text(_EMPTY_DATABASE)
    patterns = folder / "patterns"
    patterns.write_text("".join(c.rule.text + "\n" for c in RuleBook().rules if c.rule.text))
    clamscan = ["clamscan", f"--database={folder / 'empty.hdb'}", "--detect-structured=yes", "--no-summary"]
    clamscan += ["--max-filesize=2000M", "--max-scansize=2000M", "--max-scantime=0", str(file)]
    ripgrep = ["rg", "-j1", "-c", "-a", "-f", str(patterns), str(file)]
    ours = Contender("recordwarden, whole process", [sys.executable, "-c", _OURS, str(file)])
    rivals = [Contender("clamscan --detect-structured=yes", clamscan), Contender("ripgrep -c", ripgrep)]
    there = [rival for rival in rivals if shutil.which(rival.command[0])]
    return [ours, *there], [rival.name for rival in rivals if rival not in there]


def table(size: int, ran: Sequence[Contender]) -> list[str]:
    """The page's table; ratios are of processor time, ours being 1."""
    ours = statistics.median(ran[0].processor)
    lines = ["| | processor | MB/s of processor time | wall | ratio |", "|---|---|---|---|---|"]
    for one in ran:
        processor, wall = statistics.median(one.processor), statistics.median(one.wall)
        lines.append(
            f"| {one.name} | {processor:.2f} s | {size / large.MB / processor:.0f} | {wall:.2f} s | {processor / ours:.2f} |"
        )
    return lines


def decisions(folder: Path) -> list[str]:
    """Milliseconds for a first 64 KiB in a warm process, median of 50 and the worst but one."""
    judge = Judge()
    warm_up(judge, False)
    rows = 1500
    samples = {
        "readings": "\n".join([large.READINGS, *large.readings(rows)]),
        "people": "\n".join([large.PEOPLE, *large.people(rows)]),
        "coded records": "\n".join(large.records(rows * 2)),
    }
    lines = ["| first 64 KiB of | median | 49th of 50 |", "|---|---|---|"]
    for name, text in samples.items():
        data = text.encode()[:HEAD_BYTES]
        taken = []
        for _ in range(50):
            begun = time.process_time()
            examine(io.BytesIO(data), len(data), judge, ReadLimits())
            taken.append(1000 * (time.process_time() - begun))
        taken.sort()
        lines.append(f"| {name} | {statistics.median(taken):.1f} ms | {taken[-2]:.1f} ms |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=200, help="MB of the file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, help="the page to write into")
    chosen = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent)
    head = machine()
    with tempfile.TemporaryDirectory(prefix="rw-bench-", dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        file = large.write_csv(folder / "readings.csv", chosen.size * large.MB)
        size = file.stat().st_size
        ran, missing = contenders(file, folder)
        for _ in range(chosen.rounds + 1):
            for one in ran:
                one.run()
        for one in ran:  # the first round only warms the page cache
            del one.processor[0], one.wall[0]
        heads = decisions(folder)
    for rival in missing:
        print(f"full_pass: NOT MEASURED, it is not installed: {rival}", file=sys.stderr)
    lines = [
        "## A full pass",
        "",
        f"`benchmarks/full_pass.py`; {head}",
        "",
        f"A CSV of {size / large.MB:.0f} MB of readings, full of digits, in which nothing is to be found: only a pass over all of it settles that.",
        f"One core each, in turn, median of {chosen.rounds} rounds; the ratio is of processor time. ripgrep looks for the patterns that our rules look for in text.",
        *([f"Not installed, so not measured: {', '.join(missing)}."] if missing else []),
        "",
        *table(size, ran),
        "",
        "A decision on a first piece, in a warm worker (processor time):",
        "",
        *heads,
    ]
    print("\n".join(lines))
    if chosen.write:
        write_section(chosen.write, "full_pass", lines)


if __name__ == "__main__":
    main()
