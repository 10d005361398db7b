"""The vault is read through again and again; what is damaged is told."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from agent import vault_rounds
from agent.ledger import Ledger
from agent.protocol import Identity
from agent.schema import AlertRow, AlertState, Entry, EntryState, RootRow
from agent.telling import Host
from agent.vault_rounds import VaultRounds


class House:
    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, time.time()
        self.said: list[str] = []
        (folder / "entries").mkdir(exist_ok=True)
        self.ledger = Ledger.open(folder / "ledger.db")
        self.ledger.attach(RootRow("r1", "/srv", "shared", "unrestricted"))
        self.rounds = self.again()

    def again(self) -> VaultRounds:
        host = Host("h", "desk")
        return VaultRounds(
            self.ledger, self.folder, host, lambda: ["file"], self.said.append, lambda: self.now
        )

    def add(self, entry_id: str, content: bytes) -> Path:
        path = self.folder / "entries" / f"{entry_id}.age"
        path.write_bytes(content)
        file = Identity("f", 1, 2, 3, 4, 5)
        self.ledger.intend(Entry(entry_id, "r1", "/srv/f", file, EntryState.INTENDED, {}, {}, 0, 0, 1.0, 1.0))
        entry = self.ledger.entry(entry_id)
        assert entry is not None
        alert = AlertRow(entry_id, entry_id, "r1", entry_id, "/srv/f", "", "", AlertState.HELD, {}, 1.0, 1.0)
        digest = hashlib.sha256(content).hexdigest()
        vaulted = Entry(**{**{k: getattr(entry, k) for k in entry.__slots__}, "ciphertext_sha256": digest})
        self.ledger.commit_custody(vaulted, alert)
        self.ledger.conclude(entry_id, EntryState.QUARANTINED, "", True, None, [])
        return path

    def round(self) -> None:
        for _ in range(1000):
            self.rounds.step(30.0)
            if "ended" in self.rounds.round:
                return
        pytest.fail("the round does not end")

    def alerts(self) -> list[tuple[str, str]]:
        found = self.ledger.due("file", self.now + 1e6, 10)
        return [(d.record["status_detail"], d.record["status"]) for d in found]


@pytest.fixture
def house(tmp_path: Path):
    made = House(tmp_path)
    yield made
    made.ledger.close()


def test_a_whole_vault_is_no_alert_and_is_on_record(house: House) -> None:
    for number in range(5):
        house.add(f"entry-{number}", b"x" * number * 100)
    house.round()
    assert (house.rounds.round["checked"], house.rounds.round["damaged"]) == (5, [])
    assert house.alerts() == [] and house.said == []
    assert [e["event"] for _, e in house.ledger.audit_waiting()][-1] == "vault_verified"


def test_what_was_changed_or_is_missing_is_told_once_and_closed_when_it_is_whole_again(house: House) -> None:
    _, changed, missing = (house.add(f"entry-{n}", b"x" * 500) for n in range(3))
    changed.write_bytes(b"x" * 499 + b"y")
    missing.rename(house.folder / "kept")
    for _ in range(2):
        house.round()
        house.now += 31 * 86400
    assert house.rounds.round["damaged"] == ["entry-1", "entry-2"]
    assert house.alerts() == [("vault_damaged", "New")]
    changed.write_bytes(b"x" * 500)
    (house.folder / "kept").rename(missing)
    house.rounds.step(30.0)
    house.round()
    assert house.alerts() == [("vault_damaged", "Resolved")]


def test_a_restart_goes_on_where_it_was(house: House, monkeypatch) -> None:
    for number in range(4):
        house.add(f"entry-{number}", b"x" * 100)
    while house.rounds.round.get("checked") != 2:
        house.rounds.step(30.0)
    house.rounds = house.again()
    assert house.rounds.round["checked"] == 2
    house.round()
    assert house.rounds.round["checked"] == 4


def test_a_round_is_over_for_as_many_days_as_wanted(house: House) -> None:
    house.add("entry-0", b"x")
    house.round()
    house.add("entry-1", b"x")
    house.rounds.step(30.0)
    assert house.rounds.round["checked"] == 1
    house.now += 31 * 86400
    house.rounds.step(30.0)
    house.round()
    assert house.rounds.round["checked"] == 2


def test_one_step_reads_little_however_large_the_entry(house: House, monkeypatch) -> None:
    monkeypatch.setattr(vault_rounds, "STEP_BYTES", 1000)
    house.add("entry-0", b"x" * 10_500)
    steps = 0
    while "ended" not in house.rounds.round:
        house.rounds.step(30.0)
        steps += 1
    assert steps >= 11 and house.rounds.round["damaged"] == []
