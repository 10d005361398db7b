"""What libFuzzer calls: one family's files, mutated as coverage guides, through the whole examination.

`python benchmarks/fuzz_target.py FAULTS [libFuzzer's own arguments]`; `benchmarks/fuzz.py` starts it. A
fault of ours (an exception that is no verdict, a mark in the answer or on the standard streams) is written
to FAULTS, once for each place it comes from, and fuzzing goes on; a signal, a hang or too much memory ends
the process, and libFuzzer keeps the input.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import random
import resource
import sys
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["detectors.readers", "detectors.engine", "py7zr", "olefile", "msoffcrypto", "email"]
):
    from backports import zstd
    from fuzz_seeds import MARK

    from detectors.engine import examine as examination
    from detectors.engine.judge import Judge
    from detectors.engine.table import ReadLimits

LIMITS = ReadLimits(max_expanded_bytes=8 * 1024**2, max_input_bytes=8 * 1024**2, max_entries=200)
WORK = 1_500_000
MEMORY_BYTES = 3 * 1024**3
WINDOW = 8
"""A mark may be damaged on its way in: any eight letters of it in a row give it away."""
MARKS = [MARK[i : i + WINDOW] for i in range(len(MARK) - WINDOW + 1)]


class Target:
    """One input after the other; remembers the places of faults that it has written down."""

    def __init__(self, faults: Path) -> None:
        self.faults = faults
        self.judge = Judge()
        examination.warm_up(self.judge, True)
        examination.MOST_WORK = WORK
        self.raised: Exception | None = None
        self._guarded = examination._Examination._guarded
        examination._Examination._guarded = self._watched  # type: ignore[method-assign]

    def _watched(self, look: Callable[[], None]) -> object:
        def keeping() -> None:
            try:
                look()
            except (examination.Unreadable, examination.NeedsHeavy, RecursionError, MemoryError):
                raise
            except Exception as fault:
                self.raised = fault
                raise

        return self._guarded(self, keeping)  # type: ignore[arg-type]

    def __call__(self, data: bytes) -> None:
        self.raised = None
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                verdict = examination.examine(io.BytesIO(data), len(data), self.judge, LIMITS)
        except MemoryError:
            return
        if self.raised is not None:
            last = traceback.extract_tb(self.raised.__traceback__)[-1]
            self._keep(data, f"{type(self.raised).__name__}-{Path(last.filename).stem}-{last.lineno}")
        said = verdict.to_wire().decode() + printed.getvalue()
        if any(mark in said for mark in MARKS):
            self._keep(data, "mark")

    def _keep(self, data: bytes, place: str) -> None:
        path = self.faults / place
        if not path.exists() or path.stat().st_size > len(data):
            path.write_bytes(data)


def _zip(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    pick = random.Random(hashlib.sha256(data).digest())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        chosen = pick.choice(old.infolist())
        for member in old.infolist():
            content = old.read(member)
            new.writestr(member, change(content) if member is chosen else content)
    return out.getvalue()


PACKINGS: dict[bytes, Callable[[bytes, Callable[[bytes], bytes]], bytes]] = {
    b"PK\3\4": _zip,
    b"\x1f\x8b": lambda data, change: gzip.compress(change(gzip.decompress(data)), 1),
    b"BZh": lambda data, change: bz2.compress(change(bz2.decompress(data)), 1),
    b"\xfd7zXZ": lambda data, change: lzma.compress(change(lzma.decompress(data)), preset=0),
    b"\x28\xb5\x2f\xfd": lambda data, change: zstd.compress(change(zstd.decompress(data))),
}
"""First bytes -> how to change what is packed and pack it again, so that damage gets past the checksums."""


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """libFuzzer's mutation, two times in three of what is packed inside."""
    for start, repack in PACKINGS.items():
        if data.startswith(start) and seed % 3:
            try:
                changed = repack(data, lambda inner: atheris.Mutate(inner, most))
            except Exception:
                break
            if len(changed) <= most:
                return changed
    return bytes(atheris.Mutate(data, most))


def main() -> None:
    faults = Path(sys.argv.pop(1))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    atheris.Setup(sys.argv, Target(faults), custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
