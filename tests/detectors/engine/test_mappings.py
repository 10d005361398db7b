"""What was let go of is used as before."""

from __future__ import annotations

import json

from detectors.engine.mappings import let_go


def resident() -> int:
    with open("/proc/self/smaps_rollup", "rb") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(b"Rss:"))


def test_less_is_resident_and_everything_works_on() -> None:
    kept = {n: [str(n)] * 3 for n in range(1000)}
    before = resident()
    let_go()
    assert resident() < before
    let_go()
    assert json.loads(json.dumps(kept)) == {str(n): cells for n, cells in kept.items()}
