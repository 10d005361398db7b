"""A fault at every system call of custody: a kill, or an error, and then a start without one.

The calls are those that supervisor and keeper truly make, SQLite's and pyrage's among them; strace counts
them in a run that goes well, and then spoils them one at a time.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from custody_rig import Fault, Rig, Side, injection, nothing_open, points, survey

pytestmark = pytest.mark.root

NAME = "folder/survey.csv"
CONTENT = survey(rows=3000)
FILES = {NAME: CONTENT}
TOLD_EVERY = 100


@pytest.fixture
def fresh(tmp_path: Path, need) -> Callable[..., Rig]:
    """A rig with one survey in its root, made anew each time: `fresh(root_folder)`."""
    need("strace")

    def make(medium: Path | None = None) -> Rig:
        state, root = tmp_path / "state", (medium or tmp_path) / "root"
        for folder in (state, root):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        rig = Rig(state, root)
        (root / NAME).parent.mkdir()
        (root / NAME).write_bytes(CONTENT)
        os.utime(root / NAME, (1_000_000, 1_000_000))
        return rig

    return make


def all_points(fresh: Callable[[], Rig], begin: Callable[[Rig], None], log: Path) -> list[Fault]:
    found = []
    for side in get_args(Side):
        rig = fresh()
        begin(rig)
        codes = rig.run(finished(rig), traced=side, options=["-s", "60", "-o", str(log)])
        assert codes == (0, 0) and not rig.faults_after(FILES, recovered=True), "a run without any fault"
        found += points(side, log)
    return found


def finished(rig: Rig):
    return nothing_open(rig.root, list(FILES))


def try_all(fresh: Callable[[], Rig], faults: list[Fault], log: Path, begin: Callable[[Rig], None]) -> None:
    """Spoil each of these calls, start again, and look; one list of what was wrong in the end."""
    wrong: list[str] = []
    reached = 0
    began = time.monotonic()
    for number, fault in enumerate(faults):
        if number and not number % TOLD_EVERY:
            print(f"{number} of {len(faults)} faults tried, {len(wrong)} wrong", flush=True)
        rig = fresh()
        begin(rig)
        rig.run(seconds=10, traced=fault.side, options=injection(fault, log))
        reached += fault.error == "kill" or "INJECTED" in log.read_text(errors="replace")
        wrong += [f"{fault}: at once: {w}" for w in rig.faults_after(FILES, recovered=False)]
        codes = rig.run(finished(rig))
        if codes != (0, 0):
            wrong.append(f"{fault}: the next start ended with {codes}")
        wrong += [f"{fault}: in the end: {w}" for w in rig.faults_after(FILES, recovered=True)]
        if wrong and os.environ.get("RIG_TALKS"):
            print(wrong[-1], flush=True)
    took = time.monotonic() - began
    print(f"\n{len(faults)} faults tried, {reached} of them reached, {len(wrong)} wrong, {took:.0f} s")
    assert not wrong, "\n".join(wrong)
    assert reached > 0.9 * len(faults)


def nothing_before(rig: Rig) -> None:
    """The file lies in its root and nobody has looked yet."""


def killed_before_the_unlink(rig: Rig) -> None:
    """The file is in custody and lies aside: what recovery finds after the worst of moments."""
    kill = ["-o", "/dev/null", "-e", "trace=unlinkat", "-e", "inject=unlinkat:signal=KILL:when=1"]
    assert rig.run(traced="keeper", options=kill) == (0, -9)


BEGINNINGS = [nothing_before, killed_before_the_unlink]


@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize("sample", [25, pytest.param(None, marks=pytest.mark.system)])
def test_no_fault_at_any_call_loses_or_doubles_anything(fresh, tmp_path, sample, begin):
    faults = all_points(fresh, begin, tmp_path / "log")
    if sample is not None:
        faults = random.Random(5).sample(faults, int(os.environ.get("SAMPLE", sample)))
    try_all(fresh, faults, tmp_path / "log", begin)
