"""The circuit breaker: when it opens, that it stays open, and who may close it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.breaker import Breaker
from agent.ledger import Ledger
from agent.policy import RootFacts
from agent.protocol import Identity
from agent.schema import Entry, EntryState, RootRow
from agent.telling import Host, Judge, Teller
from agent.volume_facts import VolumeFacts
from agent.volumes import WatchedRoot
from config import settings as s

ROOT = WatchedRoot(
    "r1",
    "/media/stick",
    RootFacts(s.Zone.REMOVABLE, s.Handling.UNRESTRICTED, s.Mode.ENFORCE),
    VolumeFacts(),
    "volume",
)
OTHER = replace(ROOT, root_id="r2", path="/media/other")


class House:
    def __init__(self, folder: Path, limits: s.Breaker) -> None:
        self.folder, self.limits = folder, limits
        self.now = time.time()
        self.said: list[str] = []
        self.ledger = Ledger.open(folder / "ledger.db")
        for root in (ROOT, OTHER):
            self.ledger.attach(RootRow(root.root_id, root.path, "removable", "unrestricted"))
        settings = s.Settings(state_dir=folder, policy=s.Policy(breaker=limits))
        teller = Teller(self.ledger, settings, Judge(frozenset(), "ab" * 32), Host("h", "desk"))
        self.breaker = Breaker(self.ledger, teller, lambda: ["file"], self.said.append, lambda: self.now)

    def take(self, count: int) -> None:
        for _ in range(count):
            number = self.ledger.taken_since("r1", 0.0) + 1
            file = Identity(f"f{number}", 1, number, 1, 1, 1)
            self.ledger.intend(Entry(f"entry-{number:06d}", "r1", f"/media/stick/f{number}", file,
                                     EntryState.INTENDED, {}, {}, 0, 0, self.now, self.now))  # fmt: skip

    def leave(self, count: int) -> None:
        for number in range(count):
            self.ledger.saw(
                "r1", Identity(f"left{number}", 1, 9000 + number, 1, 1, 1), "d", "aggregate", "", "x"
            )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, s.Breaker(max_files_per_hour=10, max_percent=50.0, from_files=4))
    yield made
    made.ledger.close()


def test_it_opens_at_the_hours_count_in_that_root_alone(house: House) -> None:
    house.leave(100)
    house.take(9)
    assert not house.breaker.is_open(ROOT)
    house.take(1)
    assert house.breaker.is_open(ROOT) and not house.breaker.is_open(OTHER)


def test_a_whole_drive_is_never_moved_though_it_has_few_files(house: House) -> None:
    house.take(3)
    assert not house.breaker.is_open(ROOT), "some files of a small drive may be taken"
    house.take(1)
    assert house.breaker.is_open(ROOT), "all that were met so far"


def test_a_share_of_many_is_no_whole_drive(house: House) -> None:
    house.leave(5)
    house.take(4)
    assert not house.breaker.is_open(ROOT)
    house.take(1)
    assert house.breaker.is_open(ROOT), "5 of 10"


def test_a_hundred_percent_is_no_limit_however_many_are_taken(tmp_path: Path) -> None:
    """A stick onto which nothing but records comes has lost all of its files at every moment."""
    house = House(tmp_path, s.Breaker(max_files_per_hour=10, max_percent=100.0, from_files=4))
    house.take(9)
    assert not house.breaker.is_open(ROOT)
    house.ledger.close()


def test_the_hour_passes_unless_a_file_was_refused(house: House) -> None:
    house.take(10)
    house.now += 3601
    assert not house.breaker.is_open(ROOT)
    house.take(10)
    house.breaker.trip(ROOT)
    house.now += 3601
    assert house.breaker.is_open(ROOT)


def test_it_is_told_once_loudly_and_closed_in_somebodys_name(house: House) -> None:
    house.take(10)
    for _ in range(5):
        house.breaker.trip(ROOT)
    [delivery] = house.ledger.due("file", house.now + 1, 10)
    assert (delivery.record["severity"], delivery.record["status_detail"]) == ("Critical", "breaker_open")
    assert len(house.said) == 1
    house.breaker.reset(ROOT, "officer")
    [delivery] = house.ledger.due("file", house.now + 1, 10)
    assert (delivery.record["status"], delivery.record["message"]) == (
        "Resolved", "circuit breaker reset by officer",
    )  # fmt: skip
    assert not house.breaker.is_open(ROOT), "the count begins anew"
    events = [e["event"] for _, e in house.ledger.audit_waiting()]
    assert events.count("breaker_open") == events.count("breaker_reset") == 1


def test_a_restart_does_not_close_it(house: House) -> None:
    house.take(10)
    house.breaker.trip(ROOT)
    house.ledger.close()
    again = House(house.folder, house.limits)
    again.now = house.now + 7200
    assert again.breaker.is_open(ROOT)
    again.ledger.close()
