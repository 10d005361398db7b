"""Fuzzing of every family of readers: `make fuzz`, or `python benchmarks/fuzz.py [--family word]`.

For each family libFuzzer (by atheris) changes sound files of our own making (`fuzz_seeds.py`) towards
code that was not reached before, and has each examined in one process as a worker does it
(`fuzz_target.py`). What ended that process, and what reached new code, then goes to real workers behind
a real template. These are faults:

    a place in our code     an exception that is neither a verdict nor `unreadable(reason)`
    a mark                  text of the file in an answer, or printed by a worker or the template
    the template            it died, or gave no answer, or no answer to a sound file afterwards
    a hang                  a worker that its template had to kill by the clock, twice

A worker that dies of a signal inside a parser is `contained`: counted and kept, for the walls are there
for that. Faults are kept under `--keep`; what was learnt stays there too and is used the next time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fuzz_seeds import FAMILIES, MARK
from workers import Workers

from config.settings import Limits, Settings
from detectors.engine.exchange import Broken, Kind

HERE = Path(__file__).resolve().parent
HANG_SECONDS = 20
MEMORY_MB = 2500
MOST_BYTES = 64 * 1024
MOST_STARTS = 60
MOST_REPLAYED = 150
SOUND = b"region,year,count\n" + b"North,2024,1200\n" * 20


@dataclass
class Tally:
    """What became of one family."""

    executed: int = 0
    edges: int = 0
    kept: int = 0
    replayed: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    contained: Counter[str] = field(default_factory=Counter)

    def line(self, family: str) -> str:
        said = "; ".join(f"{count} {what}" for what, count in sorted(self.faults.items())) or "none"
        held = "; ".join(f"{count} {what}" for what, count in sorted(self.contained.items())) or "none"
        return (
            f"| {family} | {self.seconds / 60:.1f} | {self.executed:,} | {self.edges:,} | {self.replayed:,} "
            f"| {held} | {said} |"
        )


HEAD = (
    "| family | minutes | inputs | edges reached | replayed in workers | contained | faults |\n"
    "|---|---|---|---|---|---|---|"
)


class Family:
    """Folders of one family: `seeds`, `corpus` (reached new code), `faults`, `ended` (ended a process)."""

    def __init__(self, name: str, keep: Path) -> None:
        self.name = name
        self.folder = keep / name
        for part in ("seeds", "corpus", "faults", "ended"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for seed, data in FAMILIES[name]().items():
            (self.folder / "seeds" / seed).write_bytes(data)

    def fuzz(self, seconds: float, seed: int, tally: Tally) -> None:
        """Run libFuzzer for so long altogether, starting anew where an input ended it."""
        end = time.monotonic() + seconds
        for start in range(MOST_STARTS):
            left = int(end - time.monotonic())
            if left < 1:
                break
            self._run(left, seed + start, tally)
        else:
            tally.faults["too many inputs that end the process"] += 1
        tally.seconds += seconds
        tally.kept = sum(1 for _ in (self.folder / "corpus").iterdir())
        for place in (self.folder / "faults").iterdir():
            tally.faults[place.name] += 1

    def _run(self, seconds: int, seed: int, tally: Tally) -> None:
        command = [
            sys.executable, str(HERE / "fuzz_target.py"), str(self.folder / "faults"),
            f"-max_total_time={seconds}", f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MEMORY_MB}",
            f"-max_len={MOST_BYTES}", f"-seed={seed + 1}", "-print_final_stats=1",
            f"-artifact_prefix={self.folder / 'ended'}/",
            str(self.folder / "corpus"), str(self.folder / "seeds"),
        ]  # fmt: skip
        log = self.folder / "log"
        with log.open("wb") as out:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parent)},
                timeout=seconds + 120, check=False,
            )  # fmt: skip
        text = log.read_text(errors="replace")
        pulses = [int(n) for n in re.findall(r"^#(\d+)\s", text, re.MULTILINE)]
        units = re.findall(r"number_of_executed_units:\s*(\d+)", text)
        tally.executed += int(units[-1]) if units else max(pulses, default=0)
        tally.edges = max([tally.edges, *(int(n) for n in re.findall(r"\bcov: (\d+)", text))])
        if done.returncode and not any((self.folder / "ended").iterdir()):
            raise SystemExit(f"{self.name}: the fuzzer does not run; see {log}")

    def inputs(self, seed: int) -> list[Path]:
        """What is to be shown to real workers: all that ended the process, and a sample of the rest."""
        ended = sorted((self.folder / "ended").iterdir())
        learnt = sorted((self.folder / "corpus").iterdir())
        random.Random(seed).shuffle(learnt)
        return [*ended, *learnt[:MOST_REPLAYED]]


def replay(inputs: list[Path], tally: Tally) -> None:
    """Show the inputs to workers behind a template, and watch the template."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(limits=Limits(examine_seconds=HANG_SECONDS))
        workers = Workers(Path(folder), settings)
        try:
            for path in inputs:
                tally.replayed += 1
                kind, payload = _answer(workers, path.read_bytes())
                if MARK.encode() in payload:
                    tally.faults["a mark in an answer"] += 1
                if kind is Kind.FAULT:
                    reason = payload.decode("ascii", "replace")
                    (tally.faults if reason in ("timeout", "stuck") else tally.contained)[reason] += 1
                    print(f"  {reason}: {path}", file=sys.stderr)
                elif json.loads(payload).get("reason") == "internal":
                    tally.faults["internal"] += 1
                    print(f"  internal: {path}", file=sys.stderr)
            if workers.answer(SOUND)[0] is not Kind.VERDICT:
                tally.faults["no verdict on a sound file"] += 1
        except (Broken, OSError):
            tally.faults["the template gave no answer"] += 1
            print(f"  no answer: {path}", file=sys.stderr)
        if workers.process.poll() is not None:
            tally.faults["the template died"] += 1
        printed = workers.stop()
        if MARK.encode() in printed:
            tally.faults["a mark was printed"] += 1


def _answer(workers: Workers, data: bytes) -> tuple[Kind, bytes]:
    """A worker's answer; one that ran out of time is asked again: a busy machine passes, a hang repeats."""
    kind, payload = workers.answer(data)
    if kind is Kind.FAULT and payload in (b"timeout", b"stuck"):
        kind, payload = workers.answer(data)
    return kind, payload


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600, help="for each family")
    parser.add_argument("--family", choices=FAMILIES, action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    chosen = parser.parse_args()
    failed = 0
    print(HEAD, flush=True)
    for name in chosen.family or FAMILIES:
        family, tally = Family(name, chosen.keep.resolve()), Tally()
        family.fuzz(chosen.seconds, chosen.seed, tally)
        replay(family.inputs(chosen.seed), tally)
        failed += sum(tally.faults.values())
        print(tally.line(name), flush=True)
    if failed:
        print(f"kept in {chosen.keep}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
