"""What may let a file of records be: agreements and exceptions in force, releases that hold, determinations.

Restricted roots and proven encrypted volumes are facts of the place and belong to `agent.policy`. Nothing
else exempts anything. Whatever rests on something signed is remembered with its proof, so that it
is judged again when that ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.agreements import Agreements, Sighting
from agent.ledger import Ledger
from agent.ocsf import EXEMPTING
from agent.platform import linux
from agent.platform.linux import inside
from agent.policy import Agreement, Disposition, Kind, RootFacts, decide
from agent.schema import ExemptionRow, RequestRow, RequestState
from agent.volume_facts import Mount, VolumeFacts
from agent.volumes import WatchedRoot, facts_teller
from config.settings import Handling, Mode, Settings, Zone
from detectors.engine.verdict import Tier, Verdict

HOLDING = (RequestState.PLACING, RequestState.WRITTEN, RequestState.DONE)
"""States in which a release protects its file; before it is done, because the file shows before that."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Why a file that policy would take is let be."""

    basis: Literal["agreement", "exception", "release", "false_positive"]
    proof: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is to be put: the root that it lies in ("" if none is watched), and on what."""

    path: str
    root_id: str
    configured: bool
    facts: RootFacts
    volume: VolumeFacts
    relpath: str = ""
    """Below its root, which may be mounted elsewhere another time; "" if none is watched."""

    @property
    def known_by(self) -> str:
        """What tells it from other places of the same root, wherever that is mounted."""
        return self.relpath or self.path


def place_of(path: str, roots: Sequence[WatchedRoot], mounts: Sequence[Mount], settings: Settings) -> Place:
    """The place of an absolute path without links. Nothing on a medium is touched."""
    around = [r for r in roots if inside(path, r.path)]
    if around:
        root = max(around, key=lambda r: len(r.path))
        return place_in(root, path[len(root.path.rstrip("/")) + 1 :])
    mount = linux.mount_of(path, mounts)
    volume = facts_teller(settings, mounts, linux.KERNEL)(mount) if mount else VolumeFacts()
    zone = {"removable": Zone.REMOVABLE, "shared": Zone.SHARED}.get(volume.kind, Zone.LOCAL)
    facts = RootFacts(zone, Handling.UNRESTRICTED, settings.policy.mode)
    return Place(path, "", False, facts, volume)


def place_in(root: WatchedRoot, relpath: str) -> Place:
    """The place of a file of a root."""
    configured = root.origin == "configured"
    return Place(root.path_of(relpath), root.root_id, configured, root.facts, root.volume, relpath)


class Authority:
    """One for the service."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Callable[[], Settings],
        clock: Callable[[], float] = time.time,
        host_id: str = "",
    ) -> None:
        self._ledger, self._settings, self._clock = ledger, settings, clock
        self._host_id = host_id
        self.agreements = Agreements(ledger, lambda: self._settings().approvers, clock)

    def agreement(
        self, place: Place, sha256: str = "", layout: str = "", tier: Tier = Tier.CONFIRMED
    ) -> Agreement | None:
        """An agreement, else an exception, in force that covers a file there, for `policy.decide`."""
        seen = Sighting(
            place.path, place.configured, place.volume.uuid, sha256, layout, self._host_id, tier
        )  # fmt: skip
        if found := self.agreements.covering(seen):
            return Agreement(found)
        excepted = self.agreements.excepting(seen)
        return Agreement(excepted, "exception") if excepted else None

    def exemption(self, place: Place, sha256: str, layout: str = "") -> Exemption | None:
        """What lets a file of this content be, at the moment when its content is known."""
        decided = self._ledger.determination(sha256, place.root_id)
        if decided is not None and decided[0] in EXEMPTING:
            return Exemption("false_positive", decided[1])
        for row in self._ledger.requests(states=HOLDING, act="release", sha256=sha256):
            if self.holds(row) and _is_place_of(row, place):
                return Exemption("release", row.request_id)
        covered = self.agreement(place, sha256, layout)
        return Exemption(covered.basis, covered.agreement_id) if covered else None

    def holds(self, row: RequestRow) -> bool:
        """Whether a release protects its file now."""
        return row.state in HOLDING and self._clock() < float(row.detail["holds_until"])

    def permission(self, verdict: Verdict, place: Place, sha256: str, layout: str = "") -> Disposition | None:
        """By what policy allows this content there, or None. The mode is no leave: audit is not looked at."""
        facts = RootFacts(place.facts.zone, place.facts.handling, Mode.ENFORCE)
        agreed = self.agreement(place, sha256, layout, verdict.tier)
        found = decide(verdict, facts, place.volume, agreed, self._settings().policy, False)
        if found.kind in (Kind.ALLOWED, Kind.EXEMPTED):
            return found
        decided = self._ledger.determination_of_content(sha256)
        if decided is not None and decided[0] in EXEMPTING:
            return Disposition(Kind.EXEMPTED, decided[0], found.act, decided[1])
        return None

    def remember(self, place: Place, relpath: str, sha256: str, basis: str, proof: str) -> None:
        """A file was let be because of something that may end."""
        if basis in ("agreement", "exception", "release"):
            row = ExemptionRow(place.root_id, relpath, sha256, basis, proof, self._clock())
            self._ledger.exempt(row)

    def lift_ended(self) -> set[str]:
        """Have judged again what rested on something signed that has ended; in which roots."""
        in_force = {("agreement", a.terms.agreement_id) for a in self.agreements.in_force()}
        in_force |= {("exception", e.terms.exception_id) for e in self.agreements.exceptions_in_force()}
        roots: set[str] = set()
        for basis, proof in self._ledger.proofs():
            if basis in ("agreement", "exception"):
                ended = (basis, proof) not in in_force
            else:
                row = self._ledger.request(proof)
                ended = row is None or not self.holds(row)
            if ended:
                roots |= self._ledger.lift(basis, proof)
        return roots


def _is_place_of(row: RequestRow, place: Place) -> bool:
    """The file itself, or what lies beside it until it has its name."""
    return place.root_id == row.detail["root_id"] and place.known_by in row.detail["places"]
