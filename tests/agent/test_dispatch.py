"""The supervisor's end of a real courier."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.destinations import names_of
from agent.dispatch import Dispatch
from agent.ledger import Ledger
from agent.loop import Loop
from agent.outbox import Outbox
from agent.schema import AlertRow, AlertState, RootRow
from config.destinations import Alerts, FileSink
from config.settings import Service


class Place:
    def __init__(self, tmp_path: Path) -> None:
        self.file = tmp_path / "alerts.jsonl"
        self.ledger = Ledger.open(tmp_path / "ledger.db")
        self.ledger.attach(RootRow("r", "/srv", "shared", "unrestricted"))
        self.loop = Loop()
        self.said: list[str] = []
        self.alerts = Alerts(file=FileSink(path=self.file))
        self.outbox = Outbox(self.ledger, names_of(self.alerts), 0.05, 0.2)
        service = Service(restart_seconds=0.05)
        self.dispatch = Dispatch(self.loop, self.outbox, service, self.alerts, self.said.append)
        self.loop.every(0.02, self.dispatch.pump)

    def tell(self, alert_id: str) -> None:
        row = AlertRow(
            alert_id, "k", "r", None, "/srv/x", "detected", "", AlertState.RELEASED,
            {"class_uid": 2006, "activity_id": 1, "id": alert_id}, 1.0, 1.0,
        )  # fmt: skip
        self.ledger.tell(row, self.outbox.sinks)

    def arrived(self) -> list[str]:
        return (
            [json.loads(line)["id"] for line in self.file.read_text().splitlines()]
            if self.file.exists()
            else []
        )

    def until(self, ready: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not ready():
            assert time.monotonic() < deadline, "waited in vain"
            self.loop.once(0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.dispatch.stop()
    place.loop.close()
    place.ledger.close()


def test_what_is_released_arrives_and_is_struck_off(place: Place) -> None:
    place.dispatch.start()
    place.tell("a")
    place.until(lambda: place.arrived() == ["a"] and place.outbox.status()["file"]["delivered"] == 1)


def test_a_courier_that_dies_is_replaced_and_nothing_is_lost(place: Place) -> None:
    place.dispatch.start()
    place.until(lambda: place.dispatch.missing is not None)
    pid = place.dispatch.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    place.tell("a")
    place.until(lambda: "a" in place.arrived())
    assert place.dispatch.pid != pid


def test_a_file_that_cannot_be_opened_now_gets_its_letters_later(place: Place) -> None:
    place.file.mkdir()
    place.dispatch.start()
    place.tell("a")
    place.until(lambda: place.said)
    for _ in range(5):
        place.dispatch.pump()
    place.file.rmdir()
    place.until(lambda: place.arrived() == ["a"])
    assert len(place.said) == 1


def test_after_a_rotation_the_new_file_is_written(place: Place, tmp_path: Path) -> None:
    place.dispatch.start()
    place.tell("a")
    place.until(lambda: place.arrived() == ["a"])
    place.file.rename(tmp_path / "old")
    place.tell("b")
    place.until(lambda: place.arrived() == ["b"])


def test_without_a_sink_there_is_no_courier(tmp_path: Path, place: Place) -> None:
    none = Alerts()
    outbox = Outbox(place.ledger, names_of(none), 1, 1)
    dispatch = Dispatch(place.loop, outbox, Service(), none, place.said.append)
    dispatch.start()
    dispatch.pump()
    assert dispatch.pid is None
