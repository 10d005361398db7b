"""A fault at every system call of a release: the file comes to its place once and whole, or can be again."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from custody_rig import injection, survey
from release_rig import ReleaseRig, points

pytestmark = pytest.mark.root

CONTENT = survey(rows=60_000)


@pytest.mark.parametrize("sample", [30, pytest.param(None, marks=pytest.mark.system)])
def test_no_fault_at_any_call_places_a_file_twice_or_half_or_loses_it(
    tmp_path: Path, agreed: Any, need: Callable[..., None], sample: int | None
) -> None:
    need("strace")
    log = tmp_path / "log"
    rig = ReleaseRig(tmp_path, tmp_path, agreed.approvers, agreed.both, CONTENT)
    assert rig.run(["-s", "60", "-o", str(log)]) == 0
    assert rig.faults_after(recovered=True) == [], "a run without any fault"
    faults = points(log)
    tried = (
        faults if sample is None else random.Random(7).sample(faults, int(os.environ.get("SAMPLE", sample)))
    )
    wrong: list[str] = []
    reached, began = 0, time.monotonic()
    for fault in tried:
        rig.fresh()
        rig.run(injection(fault, log))
        reached += fault.error == "kill" or "INJECTED" in log.read_text(errors="replace")
        wrong += [f"{fault}: at once: {w}" for w in rig.faults_after(recovered=False)]
        if code := rig.run():
            wrong.append(f"{fault}: typed again it ended with {code}")
        wrong += [f"{fault}: in the end: {w}" for w in rig.faults_after(recovered=True)]
    took = time.monotonic() - began
    print(
        f"\n{len(tried)} of {len(faults)} faults tried, {reached} reached, {len(wrong)} wrong, {took:.0f} s"
    )
    assert not wrong, "\n".join(wrong)
    assert reached > 0.9 * len(tried)
