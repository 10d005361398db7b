"""What the ledger remembers of a name, and whether that file was there before its root was watched."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from agent.protocol import Identity


class Standing(IntEnum):
    """Of one file, as the ledger's `seen.standing` has it."""

    NEW = 0
    OLD = 1
    ACCEPTED = 2
    """Old, and a person has said that it need not wait for a decision: it stays, and stays on record."""
    RELEASED = 3
    """Old, and a person has said that it shall be enforced; waits if the circuit breaker is open."""


HELD = (Standing.OLD, Standing.RELEASED)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the ledger remembers of a name: the version that was judged, and how."""

    size: int
    mtime_ns: int
    ctime_ns: int
    outcome: str
    standing: Standing

    def is_still(self, file: Identity) -> bool:
        """Whether it has the same content. The ctime of what was told already may change: a backup that
        resets access times, or new permissions, must not have thousands of files taken."""
        same = (self.size, self.mtime_ns) == (file.size, file.mtime_ns)
        return same and (self.ctime_ns == file.ctime_ns or self.outcome == "microdata")
