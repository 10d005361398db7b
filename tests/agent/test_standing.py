"""Whether a name still leads to the file that the ledger remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.protocol import Identity
from agent.standing import Seen, Standing

FILE = Identity("a.csv", 7, 8, 1000, 5, 6)


@pytest.mark.parametrize(
    ("outcome", "change", "still"),
    [
        ("aggregate", {}, True),
        ("aggregate", {"dev": 1, "ino": 1}, True),  # a share that was mounted again
        ("aggregate", {"size": 1}, False),
        ("aggregate", {"mtime_ns": 1}, False),
        ("aggregate", {"ctime_ns": 1}, False),  # mtime can be set back by whoever wrote
        ("microdata", {"ctime_ns": 1}, True),  # told already; a chmod must not have it taken
        ("microdata", {"ctime_ns": 1, "mtime_ns": 1}, False),
    ],
)
def test_what_counts_as_the_same_file(outcome: str, change: dict[str, int], still: bool) -> None:
    seen = Seen(1000, 5, 6, outcome, Standing.OLD)
    assert seen.is_still(replace(FILE, **change)) is still
