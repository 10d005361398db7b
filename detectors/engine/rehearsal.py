"""What a worker that waits does meanwhile: it judges records of nobody.

A fork shares memory with its template until it writes there, and a judgement writes to the counters of
nearly all it uses: thousands of pages are then copied one by one. Who has judged once has them already, and
as much room for values as a survey takes.
"""

from __future__ import annotations

import io

from detectors.engine.examine import examine
from detectors.engine.judge import Judge
from detectors.engine.table import ReadLimits

_ROWS = 10_000
_HEADER = "serial,sex,age,region,status,hours,income,health,weight"


def rehearse(judge: Judge) -> None:
    """Judge a table as most of those that are taken are."""
    sample = records()
    examine(io.BytesIO(sample), len(sample), judge, ReadLimits())


def records() -> bytes:
    """Made up by arithmetic: the same each time."""
    rows = [
        (
            100_003 + 7 * n, 1 + n * 5 % 11 % 2, 16 + n * 37 % 71, 1 + n * n % 9, 1 + n * 13 % 5,
            n * 29 % 61, 800 + n * 7919 % 4001, 1 + n * 3 % 7 % 5, f"{0.4 + n * 101 % 613 / 350:.4f}",
        )
        for n in range(_ROWS)
    ]  # fmt: skip
    return "\r\n".join([_HEADER, *(",".join(map(str, row)) for row in rows), ""]).encode()
