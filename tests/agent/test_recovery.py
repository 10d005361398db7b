"""Every state of an entry, with and without its ciphertext: what recovery makes of it, and makes again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent import recovery
from agent.ledger import Ledger
from agent.protocol import Identity
from agent.recovery import TABLE, Step, keeper_lost, recover, stranded
from agent.schema import AlertRow, AlertState, Entry, EntryState, RequestRow, RequestState, RootRow

ENTRY = Entry(
    "e-1234567", "r1", "/srv/x", Identity("x", 1, 2, 3, 4, 5), EntryState.INTENDED,
    {"outcome": "microdata"}, {"kind": "quarantined"}, 0, 0, 1.0, 2.0,
)  # fmt: skip
HELD = AlertRow("a1", "k", "r1", None, "/srv/x", "not_removed", "under_way", AlertState.HELD, {}, 1.0, 1.0)


class Place:
    def __init__(self, tmp_path: Path) -> None:
        self.vault = tmp_path / "vault"
        for folder in ("tmp", "entries"):
            (self.vault / folder).mkdir(parents=True)
        self.ledger = Ledger.open(tmp_path / "ledger.db")
        self.ledger.attach(RootRow("r1", "/srv", "shared", "unrestricted"))

    def bring_to(self, state: EntryState, entry: Entry = ENTRY) -> None:
        """Through the same transitions as in life."""
        self.ledger.intend(entry)
        if state is EntryState.REVOKED:
            self.ledger.revoke(entry.entry_id, "changed")
        if state in (EntryState.INTENDED, EntryState.REVOKED):
            return
        self.ledger.commit_custody(
            replace(entry, ciphertext_size=12, aside="x", vaulted_at=3.0),
            replace(HELD, entry_id=entry.entry_id),
        )
        if state is EntryState.PUT_BACK:
            self.ledger.lose_custody(entry.entry_id, "lost")
        over = (EntryState.RESTORED, EntryState.DISPOSED)
        if state in (EntryState.QUARANTINED, EntryState.NOT_REMOVED, *over):
            last = EntryState.QUARANTINED if state in over else state
            self.ledger.conclude(entry.entry_id, last, "", True, None, [])
        if state is EntryState.RESTORED:
            self.ledger.restored(entry.entry_id, None, [])
        if state is EntryState.DISPOSED:
            asked = RequestRow("q1", "disposal", entry.entry_id, "", b"", RequestState.REQUESTED, 1, 2, 1)
            self.ledger.put_request(asked)
            self.ledger.disposed(entry.entry_id, "q1", ["A", "B"], [])

    def write(self, entry_id: str = ENTRY.entry_id, size: int = 12) -> None:
        (self.vault / "entries" / f"{entry_id}.age").write_bytes(b"x" * size)
        (self.vault / "entries" / f"{entry_id}.json").write_text("{}")

    def files(self) -> set[str]:
        return {p.name for p in (self.vault / "entries").iterdir()}

    def state(self) -> EntryState:
        entry = self.ledger.entry(ENTRY.entry_id)
        assert entry is not None
        return entry.state


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.ledger.close()


BOTH = {f"{ENTRY.entry_id}.age", f"{ENTRY.entry_id}.json"}
AFTER = {
    # (state, ciphertext there): (state afterwards, files afterwards, what is reported)
    (EntryState.INTENDED, True): (EntryState.REVOKED, set(), "revoked"),
    (EntryState.INTENDED, False): (EntryState.REVOKED, set(), "revoked"),
    (EntryState.VAULTED, True): (EntryState.VAULTED, BOTH, "unfinished"),
    (EntryState.VAULTED, False): (EntryState.PUT_BACK, set(), "lost"),
    (EntryState.PUT_BACK, True): (EntryState.PUT_BACK, BOTH, "unfinished"),
    (EntryState.PUT_BACK, False): (EntryState.PUT_BACK, set(), "unfinished"),
    (EntryState.REVOKED, True): (EntryState.REVOKED, set(), None),
    (EntryState.REVOKED, False): (EntryState.REVOKED, set(), None),
    (EntryState.QUARANTINED, True): (EntryState.QUARANTINED, BOTH, None),
    (EntryState.QUARANTINED, False): (EntryState.QUARANTINED, set(), "lost"),
    (EntryState.NOT_REMOVED, True): (EntryState.NOT_REMOVED, BOTH, None),
    (EntryState.NOT_REMOVED, False): (EntryState.NOT_REMOVED, set(), "lost"),
    (EntryState.RESTORED, True): (EntryState.RESTORED, BOTH, None),
    (EntryState.RESTORED, False): (EntryState.RESTORED, set(), "lost"),
    (EntryState.DISPOSED, True): (EntryState.DISPOSED, set(), None),
    (EntryState.DISPOSED, False): (EntryState.DISPOSED, set(), None),
}


def test_the_table_and_these_tests_know_every_case() -> None:
    cases = {(state, there) for state in EntryState for there in (True, False)}
    assert set(TABLE) == set(AFTER) == cases


@pytest.mark.parametrize(("state", "there"), list(AFTER))
def test_recovery_of_every_case_once_and_again(place: Place, state: EntryState, there: bool) -> None:
    place.bring_to(state)
    if there:
        place.write()
    after, files, reported = AFTER[state, there]
    found = recover(place.ledger, place.vault)
    assert (place.state(), place.files()) == (after, files)
    told = {k: getattr(found, k) for k in found.__slots__ if getattr(found, k)}
    assert told == ({reported: [ENTRY.entry_id]} if reported else {})
    recover(place.ledger, place.vault)
    expected = EntryState.PUT_BACK if after is EntryState.PUT_BACK else after
    assert (place.state(), place.files()) == (expected, files)


def test_nothing_that_may_be_the_only_copy_is_ever_deleted() -> None:
    """A ciphertext goes only where the original was certainly never touched, or two people said so."""
    deleting = {state for (state, _), step in TABLE.items() if step in (Step.REVOKE, Step.DISCARD)}
    assert deleting == {EntryState.INTENDED, EntryState.REVOKED, EntryState.DISPOSED}


def test_a_ciphertext_that_the_ledger_does_not_know_is_kept_and_reported(place: Place) -> None:
    place.write("orphan-123")
    found = recover(place.ledger, place.vault)
    assert found.unknown == ["orphan-123"]
    assert "orphan-123.age" in place.files()


def test_work_in_progress_is_waste_at_start(place: Place) -> None:
    (place.vault / "tmp" / "e-1234567").write_bytes(b"half")
    recover(place.ledger, place.vault)
    assert list((place.vault / "tmp").iterdir()) == []


def test_a_ciphertext_of_another_size_is_no_custody(place: Place) -> None:
    place.bring_to(EntryState.VAULTED)
    place.write(size=5)
    assert recover(place.ledger, place.vault).lost == [ENTRY.entry_id]
    assert place.state() is EntryState.PUT_BACK


def test_a_crash_between_ledger_and_deletion_is_made_good(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.bring_to(EntryState.INTENDED)
    place.write()

    class Dies(Exception):
        pass

    def die(vault: Path, entry_id: str) -> None:
        raise Dies

    monkeypatch.setattr(recovery, "discard", die)
    with pytest.raises(Dies):
        recover(place.ledger, place.vault)
    assert place.state() is EntryState.REVOKED
    monkeypatch.undo()
    recover(place.ledger, place.vault)
    assert place.files() == set()


def test_a_lost_keeper_loses_its_own_intents_only(place: Place) -> None:
    place.ledger.attach(RootRow("r2", "/srv2", "shared", "unrestricted"))
    place.bring_to(EntryState.INTENDED)
    place.ledger.intend(replace(ENTRY, entry_id="e-other123", root_id="r2"))
    (place.vault / "tmp" / "e-other123").write_bytes(b"half")
    (place.vault / "tmp" / ENTRY.entry_id).write_bytes(b"half")
    keeper_lost(place.ledger, place.vault, "r1")
    assert place.state() is EntryState.REVOKED
    assert not (place.vault / "tmp" / ENTRY.entry_id).exists()
    other = place.ledger.entry("e-other123")
    assert other is not None and other.state is EntryState.INTENDED
    assert (place.vault / "tmp" / "e-other123").exists()


def test_unfinished_removals_of_roots_that_are_not_there_are_found(place: Place) -> None:
    place.bring_to(EntryState.VAULTED)
    assert list(stranded(place.ledger, frozenset({"r1"}))) == []
    [(root, entry)] = stranded(place.ledger, frozenset())
    assert (root.path, entry.entry_id) == ("/srv", ENTRY.entry_id)
