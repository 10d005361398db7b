"""Several small plain texts of one asker and one owner before one worker (docs/decisions/0015)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from detectors.engine import exchange, worker
from detectors.engine.exchange import MOST_SHARED_BYTES, MOST_SHARED_FILES, Kind
from detectors.engine.jobs import Job
from detectors.engine.verdict import MAX_WIRE_BYTES


@dataclass(slots=True, eq=False)
class SharedJob(Job):
    """One worker and its files. It has the time and the memory of one file, not of each.

    What is odd about it, at any moment, takes back all that it said: each file is judged alone.
    """

    jobs: Sequence[Job] = field(default_factory=tuple)

    @classmethod
    def of(cls, jobs: Sequence[Job]) -> SharedJob:
        first = jobs[0]
        return cls(first.peer, first.request_id, -1, max(job.size for job in jobs), jobs=jobs)

    @property
    def parts(self) -> Sequence[Job]:
        return self.jobs

    @property
    def most_bytes(self) -> int:
        return len(self.jobs) * (MAX_WIRE_BYTES + 1 + worker.LENGTH.size)

    def hand_on(self) -> None:
        """Nothing before its death: what it says of one file may take back what it said of another."""

    def replies(self) -> list[tuple[Job, bytes | None]]:
        """Each file with the packet that ends its request; None for one that must be judged alone."""
        said = self._frames() if self.fate is None else None
        if said is None:
            return [(job, None) for job in self.jobs]
        return [
            (job, exchange.reply(job.request_id, Kind.SHARED, one[1:]) if one[:1] == worker.ANSWER else None)
            for job, one in zip(self.jobs, said, strict=True)
        ]

    def _frames(self) -> list[bytes] | None:
        """What was said about each file, unread; None unless it is exactly one thing about each."""
        rest, said = bytes(self.answer), []
        while len(rest) >= worker.LENGTH.size:
            (length,) = worker.LENGTH.unpack_from(rest)
            one, rest = rest[worker.LENGTH.size :][:length], rest[worker.LENGTH.size + length :]
            if not 0 < len(one) == length <= MAX_WIRE_BYTES + 1:
                return None
            said.append(one)
        return said if not rest and len(said) == len(self.jobs) else None


def companions(job: Job, waiting: Iterable[Job], free_slots: int) -> list[Job]:
    """Those of `waiting` that may share a worker with `job`; as many as leave work for every free slot."""
    if not _is_small(job):
        return []
    owner = os.fstat(job.descriptor).st_uid
    fitting = [
        other
        for other in waiting
        if other.peer == job.peer and _is_small(other) and os.fstat(other.descriptor).st_uid == owner
    ]
    share = -(-(len(fitting) + 1) // max(1, free_slots))
    return fitting[: min(share, MOST_SHARED_FILES) - 1]


def _is_small(job: Job) -> bool:
    return job.shareable and job.size <= MOST_SHARED_BYTES
