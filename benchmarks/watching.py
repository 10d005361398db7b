# ruff: noqa: E501 - the sentences of the page stand here as they are printed
"""What watching costs: beginning to watch, sweeping, being idle, and how soon a file is taken meanwhile.

    python benchmarks/watching.py [--write docs/performance.md] [--only start|sweep|latency|idle]

As root. Each figure stands beside its floor, or beside the other way of doing it, in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage
from latency import MB, cpu_of, memory_of, percentile, taken_in
from page import machine, write_section
from running_service import MadeUp, RunningService, put

from agent.crew import DONE
from agent.fanotify import Group
from agent.ledger import Ledger
from agent.opening import RootFolder
from agent.protocol import Done, Swept, Unseen, UnseenAnswer, Walking, decode
from agent.rounds import Rounds
from agent.settle import Settle
from agent.walk_answer import walk_answer

RUNS = 5

FANOTIFY = """
import os, sys, time
sys.path.insert(0, {here!r})
from agent.watcher import Watcher
def begin(path):
    watcher = Watcher(path, os.stat(path).st_dev, lambda: None)
    watcher.start()
    assert watcher.wait_started(600) and watcher.state == "native", watcher.state
"""
WATCHDOG = """
import os, sys, time
from watchdog.observers import Observer
from watchdog.events import FileSystemEventHandler
def begin(path):
    observer = Observer()
    observer.schedule(FileSystemEventHandler(), path, recursive=True)
    observer.start()
"""
MEASURE = """
import logging, resource, warnings
logging.disable(logging.CRITICAL); warnings.simplefilter("ignore")
def rss():
    with open("/proc/self/statm") as f: return int(f.read().split()[1]) * 4096
before, begun = rss(), time.perf_counter()
begin({tree!r})
print(time.perf_counter() - begun, rss() - before, flush=True)
os._exit(0)
"""


@contextmanager
def drive(megabytes: int, inodes: int = 0) -> Iterator[Path]:
    """An ext4 image on a loop device."""
    base = Path(tempfile.mkdtemp(prefix="rw-bench-", dir=os.environ.get("TMPDIR")))
    base.chmod(0o755)
    image, mnt = base / "image", base / "mnt"
    mnt.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes * MB)
    more = ["-N", str(inodes)] if inodes else []
    subprocess.run(["mkfs.ext4", "-q", "-F", *more, str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mnt)], check=True)
    try:
        yield mnt
    finally:
        subprocess.run(["umount", "-l", str(mnt)], check=False)
        shutil.rmtree(base, ignore_errors=True)


def start_watching(folders: int) -> list[str]:
    """Seconds and memory until a tree is watched, by us and by watchdog alone."""
    here = str(Path(__file__).resolve().parents[1])
    rows = []
    with drive(1024, 3 * folders) as mnt:
        for count in (folders // 100, folders):
            tree = mnt / f"tree{count}"
            for number in range(count):
                (tree / str(number // 300) / str(number)).mkdir(parents=True)
            told: dict[str, list[list[float]]] = {"fanotify": [], "watchdog": []}
            for _ in range(RUNS):
                for name, code in (("fanotify", FANOTIFY.format(here=here)), ("watchdog", WATCHDOG)):
                    program = code + MEASURE.format(tree=str(tree))
                    done = subprocess.run(
                        [sys.executable, "-c", program], capture_output=True, text=True, check=True
                    )
                    told[name].append([float(word) for word in done.stdout.split()])
            ours, theirs = (
                [statistics.median(v) for v in zip(*told[name], strict=True)]
                for name in ("fanotify", "watchdog")
            )
            rows.append(
                f"| {count:,} | {1000 * ours[0]:.1f} ms | {1000 * theirs[0]:,.0f} ms | {theirs[0] / ours[0]:,.0f} | "
                f"{ours[1] / MB:.1f} MB | {theirs[1] / MB:.1f} MB |"
            )
    return [
        "## Beginning to watch",
        "",
        "Until all of a tree is watched, in a fresh process each time, in turn (median of "
        f"{RUNS}): this service's watcher with fanotify, and plain watchdog. Threads and all included.",
        "",
        "| folders | ours | watchdog | times faster | memory, ours | memory, watchdog |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
    ]


class OldFriends:
    """A supervisor that has judged every file before; it keeps what it is told of folders in a real ledger."""

    def __init__(self, ledger: Ledger, root: Any) -> None:
        self.ledger, self.root = ledger, root
        self.reports: list[Swept] = []

    def ask(self, message: Any, answer: type[Any]) -> Any:
        told = decode(json.dumps(message.to_json()).encode())  # as over the channel
        if isinstance(told, Unseen):
            return UnseenAnswer([], quiet=True)
        if isinstance(told, Swept):
            self.reports.append(told)
            return Done()
        assert isinstance(told, Walking)
        return decode(json.dumps(walk_answer(self.ledger, self.root, "judge", told).to_json()).encode())


def sweeping(files: int) -> list[str]:
    """A sweep of a tree in which nothing has changed, beside `find`."""
    with drive(1024, files + files // 50 + 1000) as mnt, tempfile.TemporaryDirectory() as state:
        for number in range(files):
            folder = mnt / str(number // 10_000) / str(number // 100)
            if number % 100 == 0:
                folder.mkdir(parents=True)
            os.close(os.open(folder / f"report {number}.txt", os.O_WRONLY | os.O_CREAT))
        ledger = Ledger.open(Path(state) / "ledger.db")
        house = OldFriends(ledger, type("Root", (), {"root_id": "r", "path": str(mnt)}))
        rounds = Rounds(Settle(0.02, 2.0), house.ask, lambda event: DONE, 0.0)

        def sweep() -> float:
            begun = time.perf_counter()
            with RootFolder.open(str(mnt), mnt.stat().st_dev) as root:
                rounds.want(time.monotonic(), at_once=True)
                while rounds.work(root, lambda: None, time.monotonic()):
                    pass
            return time.perf_counter() - begun

        def find() -> float:
            begun = time.perf_counter()
            command = ["find", str(mnt), "-printf", "%s %T@\n"]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            return time.perf_counter() - begun

        first = sweep()
        pairs = [(sweep(), find()) for _ in range(RUNS)]
        assert house.reports[-1].files == files
        ledger.close()
    ours, theirs = (statistics.median(v) for v in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    return [
        "## Sweeping",
        "",
        f"A tree of {files:,} files that were all judged before, in turn with `find TREE -printf '%s %T@\\n'` (median of {RUNS}),",
        "ledger and messages included:",
        "",
        "| file by file, the first time | by folder, nothing changed | `find` | ratio to `find` |",
        "|---|---|---|---|",
        f"| {first:.1f} s | {ours:.2f} s | {theirs:.2f} s | {ratio:.1f} |",
        "",
    ]


class Floor:
    """The least that a file's custody can cost when nothing of it may be lost: heard of by the kernel, read,
    hashed, encrypted, synced into place, one ledger transaction, the original unlinked, one alert."""

    def __init__(self, base: Path, watched: Path, recipient: pyrage.x25519.Recipient) -> None:
        self.base, self.watched, self.recipient = base, watched, recipient
        self.ledger = sqlite3.connect(base / "floor.db", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self.ledger.execute(f"PRAGMA {pragma}")
        self.ledger.execute("CREATE TABLE entries (sha256 TEXT, at REAL)")
        self.alerts = (base / "floor.jsonl").open("ab", buffering=0)

    def seconds(self, content: bytes) -> float:
        folder = os.open(self.watched, os.O_RDONLY | os.O_DIRECTORY)
        vault = os.open(self.base, os.O_RDONLY | os.O_DIRECTORY)
        group = Group(folder, "names")
        source = put(self.watched / "floor.csv", content)
        begun = time.perf_counter()
        while not any(event.name == b"floor.csv" for event in group.read()):
            pass
        plain = source.read_bytes()
        digest = sha256(plain).hexdigest()
        with (self.base / "floor.tmp").open("wb") as file:
            file.write(pyrage.encrypt(plain, [self.recipient]))
            file.flush()
            os.fsync(file.fileno())
        (self.base / "floor.tmp").rename(self.base / "floor.age")
        os.fsync(vault)
        self.ledger.execute("INSERT INTO entries VALUES (?, ?)", (digest, begun))
        source.unlink()
        os.fsync(folder)
        self.alerts.write(b"x" * 4000 + b"\n")
        os.fdatasync(self.alerts.fileno())
        took = time.perf_counter() - begun
        group.close()
        os.close(folder)
        os.close(vault)
        return took


def service_on(*roots: Path) -> tuple[RunningService, Path]:
    base = Path(tempfile.mkdtemp(prefix="rw-bench-", dir=os.environ.get("TMPDIR")))
    base.chmod(0o755)
    running = RunningService(base)
    running.roots += [{"path": root, "zone": "removable"} for root in roots]
    return running, base


def row(name: str, seconds: list[float]) -> str:
    figures = (statistics.median(seconds), percentile(seconds, 0.99), min(seconds), max(seconds))
    return f"| {name} | {len(seconds)} | " + " | ".join(f"{1000 * f:.1f} ms" for f in figures) + " |"


def latency(runs: int, old_files: int) -> list[str]:
    content = [MadeUp.survey_of(MB, seed) for seed in range(5)]
    # the floor's files lie on a drive of their own: in the root the service would judge them beside the next
    with drive(1024, old_files + 10_000) as mnt, drive(64) as unwatched:
        running, base = service_on(mnt)
        floor = Floor(base, unwatched, running.identity.to_public())
        idle, floors, busy = [], [], []
        try:
            running.start()
            for number in range(runs):
                floors.append(floor.seconds(content[number % 5]))
                idle.append(taken_in(running, mnt, content[number % 5], number))
                time.sleep(0.2)
            running.stop()
            for number in range(old_files):
                folder = mnt / "old" / str(number // 1000)
                if number % 1000 == 0:
                    folder.mkdir(parents=True)
                file = put(folder / f"{number}.txt", b"nothing of interest\n" * (1 + number % 9))
                os.utime(file, (1e9, 1e9))
            restarted = time.time()
            running.start(wait=False)
            MadeUp.wait(lambda: backlog_of(running), "the sweep has begun", 60)
            for number in range(runs):
                busy.append(taken_in(running, mnt, content[number % 5], runs + number))
                time.sleep(0.2)
            status = running.status() or {"roots": []}
            under_way = all(r["swept"]["started_at"] < restarted for r in status["roots"])
        finally:
            running.stop()
            shutil.rmtree(base, ignore_errors=True)
    ratio = statistics.median(idle) / statistics.median(floors)
    return [
        "## From close to custody, idle and during a sweep",
        "",
        "A survey of 1 MB (CSV) on an ext4 loop drive, from its `close()` until the original is gone, the notice is in its place and the",
        f"alert is on the disk; default settings. *During a sweep*: while the service makes its first sweep of {old_files:,} small old files"
        + ("." if under_way else " (it had ended before the last of these)."),
        "The floor is all that a durable custody needs and nothing else: the kernel's event, read, sha256, age, fsync of ciphertext and folder, one",
        "SQLite transaction, unlink and fsync, one alert line and fdatasync; no judgement.",
        "",
        "| | runs | p50 | p99 | least | most |",
        "|---|---|---|---|---|---|",
        row("idle", idle),
        row("during a sweep", busy),
        row("floor", floors),
        "",
        f"Ratio of the medians, idle to floor: {ratio:.1f}.",
        "",
    ]


def backlog_of(running: RunningService) -> bool:
    status = running.status()
    return status is not None and any(r["state"] == "native" for r in status["roots"])


def idle(seconds: float) -> list[str]:
    content = MadeUp.survey_of(MB, 1)
    with drive(256) as one, drive(256) as two, drive(256) as three:
        running, base = service_on(one, two, three)
        try:
            running.start()
            warm = taken_in(running, one, content, 0)
            time.sleep(3)
            cpu = cpu_of(running, seconds)
            memory = memory_of(running)
            first = taken_in(running, two, content, 1)
        finally:
            running.stop()
            shutil.rmtree(base, ignore_errors=True)
    return [
        "## Idle",
        "",
        f"Three roots, {seconds / 60:.0f} minutes in which nothing happens: {cpu:.3f} % of one core, {sum(memory.values()):.0f} MB in all processes",
        f"together (PSS). The first file after that was in custody {1000 * first:.0f} ms after its close (the one before: {1000 * warm:.0f} ms).",
        "",
        *(f"- `{role}` {size:.0f} MB" for role, size in sorted(memory.items(), key=lambda m: -m[1])),
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, help="the page whose sections are replaced")
    parser.add_argument("--only", choices=["start", "sweep", "latency", "idle"])
    parser.add_argument("--folders", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--old-files", type=int, default=100_000)
    parser.add_argument("--idle-seconds", type=float, default=600.0)
    chosen = parser.parse_args()
    parts: dict[str, Callable[[], list[str]]] = {
        "start": lambda: start_watching(chosen.folders),
        "sweep": lambda: sweeping(chosen.files),
        "latency": lambda: latency(chosen.runs, chosen.old_files),
        "idle": lambda: idle(chosen.idle_seconds),
    }
    for part, measure in parts.items():
        if chosen.only not in (None, part):
            continue
        on = machine()
        lines = [*measure(), on]
        print("\n".join(lines), flush=True)
        if chosen.write:
            write_section(chosen.write, f"watching_{part}", lines)


if __name__ == "__main__":
    main()
