"""Custody of one very large file: its throughput beside a bare loop's over the same file, and its memory.

    python benchmarks/large_file.py [--megabytes 512] [--write docs/performance.md]

The bare loop is the least that custody can cost: read, sha256, age encryption, fsync. It and custody
(supervisor's side and keeper as processes, canned judgement) run in turn on the same file system.
10 GB: `--megabytes 10240`; needs three times as much room.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyrage
from custody_rig import GUILTY, Rig, nothing_open

from agent.ledger import Ledger

MB = 1024**2
NAME = "large.csv"
BEGIN, END = "<!-- large file: begin -->", "<!-- large file: end -->"


def make(path: Path, megabytes: int) -> str:
    """A file that begins as microdata and goes on as noise; gives its digest."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(megabytes):
            block = (GUILTY if not number else b"") + os.urandom(MB)
            block = block[:MB]
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    os.utime(path, (1_000_000, 1_000_000))
    return digest.hexdigest()


class _Hashing:
    def __init__(self, path: Path) -> None:
        self.file, self.digest = path.open("rb"), hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self.file.read(size)
        self.digest.update(block)
        return block


def bare_loop(source: Path, target: Path, recipient: pyrage.x25519.Recipient) -> float:
    begun = time.perf_counter()
    reader = _Hashing(source)
    with reader.file, target.open("wb") as out:
        pyrage.encrypt_io(reader, out, [recipient])
        out.flush()
        os.fsync(out.fileno())
    seconds = time.perf_counter() - begun
    target.unlink()
    return seconds


@dataclass(frozen=True)
class Custody:
    """Seconds from the start until the alert is released, and until all has ended; peak of the keeper."""

    told: float
    ended: float
    peak_kb: int


def custody(base: Path, source: Path, erase: bool, seconds: float) -> tuple[Custody, Rig]:
    for name in ("state", "root"):
        shutil.rmtree(base / name, ignore_errors=True)
        (base / name).mkdir()
    os.rename(source, base / "root" / NAME)
    rig = Rig(base / "state", base / "root", erase=erase)
    gone, log = nothing_open(rig.root, [NAME]), rig.state / "audit.jsonl"

    def finished(ledger: Ledger) -> bool:
        return gone(ledger) and (not erase or "original_erased" in log.read_text())

    begun = time.time()
    codes = rig.run(finished, seconds)
    ended = time.time()
    assert codes == (0, 0) and not (rig.root / NAME).exists(), codes
    told = [e["time"] for e in map(json.loads, log.read_text().splitlines()) if e["event"] == "quarantined"]
    return Custody(told[0] - begun, ended - begun, rig.peak_kb["keeper"]), rig


def is_whole(rig: Rig, digest: str) -> bool:
    """Whether the entry opens to what the file was."""

    class Sink:
        def __init__(self) -> None:
            self.digest = hashlib.sha256()

        def write(self, data: bytes) -> int:
            self.digest.update(data)
            return len(data)

        def flush(self) -> None:
            pass

    [entry] = (rig.vault / "entries").glob("*.age")
    sink = Sink()
    with entry.open("rb") as cipher:
        pyrage.decrypt_io(cipher, sink, [rig.identity])
    return sink.digest.hexdigest() == digest


def measure(base: Path, megabytes: int) -> str:
    recipient = pyrage.x25519.Identity.generate().to_public()
    patience = 120 + megabytes
    make(base / "small", 8)
    small, _ = custody(base, base / "small", False, patience)
    bare, taken = [], []
    for erase in (False, True, None):  # the machine does other work too, so each lies between two bare loops
        digest = make(base / NAME, megabytes)
        bare.append(bare_loop(base / NAME, base / "bare", recipient))
        if erase is not None:
            found, rig = custody(base, base / NAME, erase, patience)
            assert is_whole(rig, digest), "the entry is not what the file was"
            shutil.rmtree(rig.state)
            taken.append(found)
    kept, erased = taken
    before, after = (bare[0] + bare[1]) / 2, (bare[1] + bare[2]) / 2
    peak, least = erased.peak_kb / 1024, small.peak_kb / 1024
    lines = [
        BEGIN,
        "## One very large file",
        "",
        f"Written by `benchmarks/large_file.py --megabytes {megabytes}` on {datetime.now(UTC):%Y-%m-%d};",
        f"Linux {platform.release().split('-')[0]}, load average {os.getloadavg()[0]:.0f}.",
        f"Custody of {megabytes:,} MB (verdict canned; a start of {small.told:.1f} s is in it), beside a",
        "bare loop of read, sha256, age and fsync over the same file in the same run, before and after.",
        "Custody digests its ciphertext as well.",
        "",
        "| | seconds | of the bare loop's throughput |",
        "|---|---|---|",
        f"| bare loop | {bare[0]:.1f}, {bare[1]:.1f}, {bare[2]:.1f} | 1 |",
        f"| custody with its alert, `policy.erase = false` | {kept.told:.1f} | {before / kept.told:.2f} |",
        f"| custody with its alert, as shipped | {erased.told:.1f} | {after / erased.told:.2f} |",
        f"| the same, and the original overwritten | {erased.ended:.1f} | {after / erased.ended:.2f} |",
        "",
        f"Peak memory of the keeper: {peak:.0f} MB; {least:.0f} MB for a file of 8 MB.",
        END,
    ]
    return "\n".join(lines)


def put_into(page: Path, section: str) -> None:
    """Replace the marked section of the page, or add it at the end."""
    text = page.read_text() if page.exists() else ""
    if BEGIN in text:
        text = text[: text.index(BEGIN)] + section + text[text.index(END) + len(END) :]
    else:
        text = text.rstrip() + "\n\n" + section + "\n"
    page.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=512)
    parser.add_argument("--write", type=Path, help="the page whose section is replaced")
    chosen = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="rw-large-", dir=os.environ.get("TMPDIR")))
    try:
        section = measure(base, chosen.megabytes)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(section)
    if chosen.write:
        put_into(chosen.write, section)


if __name__ == "__main__":
    main()
