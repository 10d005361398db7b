"""What is to be done about every entry after a crash: a table from its state to the action.

    state         ciphertext there                     ciphertext missing
    intended      the original was never touched:      the same
                  revoke, discard the ciphertext
    vaulted       the keeper finishes the removal      the keeper puts the original back
    put_back      the keeper puts the original back    the same
    revoked,      discard the ciphertext               nothing
    disposed
    quarantined,  nothing                              report: content that was in custody is gone
    not_removed,
    restored

Idempotent: any number of crashes during recovery lead to the same end. A ciphertext whose entry the
ledger does not know at all is never deleted: after the loss of a ledger it may be the only copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from agent.ledger import Ledger
from agent.policy import RootFacts
from agent.schema import Entry, EntryState, RootRow
from agent.volume_facts import VolumeFacts
from agent.volumes import WatchedRoot
from config.settings import Handling, Mode, Zone


class Step(StrEnum):
    """What recovery does with one entry."""

    NOTHING = "nothing"
    REVOKE = "revoke"
    LEAVE_TO_KEEPER = "leave_to_keeper"
    LOSE_CUSTODY = "lose_custody"
    DISCARD = "discard"
    REPORT = "report"


TABLE: dict[tuple[EntryState, bool], Step] = {
    (EntryState.INTENDED, True): Step.REVOKE,
    (EntryState.INTENDED, False): Step.REVOKE,
    (EntryState.VAULTED, True): Step.LEAVE_TO_KEEPER,
    (EntryState.VAULTED, False): Step.LOSE_CUSTODY,
    (EntryState.PUT_BACK, True): Step.LEAVE_TO_KEEPER,
    (EntryState.PUT_BACK, False): Step.LEAVE_TO_KEEPER,
    (EntryState.REVOKED, True): Step.DISCARD,
    (EntryState.REVOKED, False): Step.NOTHING,
    (EntryState.QUARANTINED, True): Step.NOTHING,
    (EntryState.QUARANTINED, False): Step.REPORT,
    (EntryState.NOT_REMOVED, True): Step.NOTHING,
    (EntryState.NOT_REMOVED, False): Step.REPORT,
    (EntryState.RESTORED, True): Step.NOTHING,
    (EntryState.RESTORED, False): Step.REPORT,
    (EntryState.DISPOSED, True): Step.DISCARD,
    (EntryState.DISPOSED, False): Step.NOTHING,
}
"""(state, whether a ciphertext of the right size is there) to the action."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery found; entry ids."""

    revoked: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """In custody by the ledger, but the ciphertext is missing or of another size."""
    unknown: list[str] = field(default_factory=list)
    """Ciphertexts that the ledger knows nothing of. They are kept."""

    def say(self, say: Callable[[str], None]) -> None:
        """One line for each kind of thing that was found."""
        for text, entries in (
            ("intents of the last run were revoked", self.revoked),
            ("removals of the last run are still to be finished", self.unfinished),
            ("entries that should be in the vault are NOT THERE", self.lost),
            ("files in the vault are unknown to the ledger and were kept", self.unknown),
        ):
            if entries:
                say(f"recovery: {len(entries)} {text}")


def recover(ledger: Ledger, vault: Path) -> Recovered:
    """At start, when no keeper runs: bring ledger and vault to agree."""
    for leftover in (vault / "tmp").iterdir():
        leftover.unlink()
    found = Recovered()
    known = set()
    for entry in ledger.entries():
        known.add(entry.entry_id)
        _apply(TABLE[entry.state, is_in_vault(vault, entry)], entry, ledger, vault, found)
    found.unknown.extend(sorted(_ciphertexts(vault) - known))
    return found


def keeper_lost(ledger: Ledger, vault: Path, root_id: str) -> Recovered:
    """While the service runs: a keeper died or was abandoned; whatever it intended is revoked.

    Its work in progress goes too: one that was abandoned and wakes finds nothing to rename.
    """
    found = Recovered()
    states = (EntryState.INTENDED, EntryState.VAULTED)
    for entry in ledger.entries(states=states, root_id=root_id):
        _apply(TABLE[entry.state, is_in_vault(vault, entry)], entry, ledger, vault, found)
    return found


def _apply(step: Step, entry: Entry, ledger: Ledger, vault: Path, found: Recovered) -> None:
    match step:
        case Step.REVOKE:
            # first the ledger: a ciphertext without an intent is waste, the other way round a loss
            ledger.revoke(entry.entry_id, "interrupted")
            discard(vault, entry.entry_id)
            found.revoked.append(entry.entry_id)
        case Step.DISCARD:
            discard(vault, entry.entry_id)
        case Step.LOSE_CUSTODY:
            event = {"event": "custody_lost", "entry": entry.entry_id, "path": entry.path}
            ledger.lose_custody(entry.entry_id, "custody_lost", [event])
            found.lost.append(entry.entry_id)
        case Step.LEAVE_TO_KEEPER:
            found.unfinished.append(entry.entry_id)
        case Step.REPORT:
            found.lost.append(entry.entry_id)
        case Step.NOTHING:
            pass


def is_in_vault(vault: Path, entry: Entry) -> bool:
    """Whether there is a ciphertext, and of the size that the ledger knows (if it knows one)."""
    try:
        size = _ciphertext(vault, entry.entry_id).stat().st_size
    except FileNotFoundError:
        return False
    return entry.ciphertext_size in (0, size)


def discard(vault: Path, entry_id: str) -> None:
    """Forget what never came into custody, finished or not."""
    for path in (vault / "tmp" / entry_id, _ciphertext(vault, entry_id)):
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)


def _ciphertext(vault: Path, entry_id: str) -> Path:
    return vault / "entries" / f"{entry_id}.age"


def _ciphertexts(vault: Path) -> set[str]:
    return {path.stem for path in (vault / "entries").glob("*.age")}


def stranded(ledger: Ledger, attached: frozenset[str]) -> Iterator[tuple[WatchedRoot, Entry]]:
    """Unfinished removals whose root is not there, with the root as it was last seen."""
    rows = {row.root_id: row for row in ledger.roots()}
    for entry in ledger.entries(states=(EntryState.VAULTED, EntryState.PUT_BACK)):
        if entry.root_id not in attached:
            yield as_it_was(rows[entry.root_id]), entry


def as_it_was(row: RootRow) -> WatchedRoot:
    """A root that is gone, for an alert about what happened on it."""
    return WatchedRoot(
        row.root_id,
        row.path,
        RootFacts(Zone(row.zone), Handling(row.handling), Mode.ENFORCE),
        VolumeFacts(**row.volume),
        "volume" if row.root_id.startswith("volume-") else "configured",
    )
