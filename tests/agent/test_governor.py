"""When sweeps pause, and that no pause is for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from running_service import MadeUp, RunningService, put, until

from agent.governor import CHECK_SECONDS, TURN_SECONDS, Governor, ThisMachine, rank_low
from config.settings import GovernorSettings, IoClass

NOON = datetime(2026, 11, 25, 12, 0).astimezone().timestamp()


class MadeUpMachine:
    busy, memory, battery = 10.0, 30.0, False

    def busy_percent(self) -> float:
        return self.busy

    def memory_percent(self) -> float:
        return self.memory

    def on_battery(self) -> bool:
        return self.battery


class Case:
    def __init__(self, **settings: Any) -> None:
        self.machine, self.now = MadeUpMachine(), NOON
        self.settings = GovernorSettings(**settings)
        self.governor = Governor(self.machine, lambda: self.now)

    def after(self, seconds: float = CHECK_SECONDS) -> str:
        self.now += seconds
        self.governor.look(self.settings)
        return self.governor.why


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"busy": 85.0}, "cpu"),
        ({"memory": 96.0}, "memory"),
        ({"battery": True}, "battery"),
    ],
)
def test_each_reason_pauses_and_its_end_resumes(change: dict[str, Any], why: str) -> None:
    case = Case()
    assert case.after() == ""
    vars(case.machine).update(change)
    assert case.after() == why
    vars(case.machine).clear()
    assert case.after() == ""


def test_what_is_switched_off_does_not_pause() -> None:
    case = Case(pause_above_cpu_percent=100, pause_above_memory_percent=100, pause_on_battery=False)
    case.machine.busy = case.machine.memory = 100.0
    case.machine.battery = True
    assert case.after() == ""


@pytest.mark.parametrize(
    ("spans", "quiet"),
    [
        (["11:30-12:30"], True),
        (["22:00-12:01"], True),
        (["12:01-22:00"], False),
        (["22:00-06:00"], False),
        ([], False),
    ],
)
def test_quiet_hours_go_by_the_clock_on_the_wall_and_over_midnight(spans: list[str], quiet: bool) -> None:
    assert (Case(quiet_hours=spans).after() == "quiet_hours") is quiet


def test_a_load_about_the_threshold_does_not_make_it_come_and_go() -> None:
    case = Case()
    case.machine.busy = 81.0
    assert case.after() == "cpu"
    case.machine.busy = 75.0
    assert case.after() == "cpu"
    case.machine.busy = 60.0
    assert case.after() == ""
    case.machine.busy = 75.0
    assert case.after() == ""


def test_it_is_not_asked_more_often_than_needed() -> None:
    case = Case()
    case.after()
    case.machine.busy = 99.0
    assert case.after(1.0) == ""
    assert case.after(CHECK_SECONDS) == "cpu"


def test_no_pause_is_for_ever() -> None:
    case = Case(longest_pause_seconds=600.0)
    case.machine.battery = True
    assert case.after() == "battery"
    assert case.after(601) == ""
    assert case.after(TURN_SECONDS / 2) == ""
    assert case.after(TURN_SECONDS) == "battery"


def test_keepers_are_told_once_but_those_of_drives_never() -> None:
    case, told = Case(), []

    def post(kind: str) -> Any:
        root = SimpleNamespace(facts=SimpleNamespace(zone="shared"), volume=SimpleNamespace(kind=kind))
        return SimpleNamespace(root=root, pause=lambda paused: told.append((kind, paused)))

    case.machine.battery = True
    events = []
    for _ in range(3):
        case.now += CHECK_SECONDS
        events += case.governor.govern(case.settings, [post("fixed"), post("removable")], [])
    assert told == [("fixed", True)]
    assert events == [{"event": "sweeps_paused", "why": "battery"}]


def test_what_runs_nicely_is_nobodys_load() -> None:
    machine = ThisMachine()
    time.sleep(0.05)
    assert 0 <= machine.busy_percent() <= 100
    assert 0 <= machine.memory_percent() <= 100
    assert machine.on_battery() in (True, False)
    fields = psutil.cpu_times()._fields
    assert {"user", "nice", "idle", "iowait"} <= set(fields[:8])


@pytest.mark.parametrize(("io_class", "expected"), [("best_effort", (2, 6)), ("idle", (3, 7))])
def test_a_process_ranks_low_with_all_that_it_starts(io_class: str, expected: tuple[int, int]) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        rank_low(child.pid, GovernorSettings(nice=7, io_class=IoClass(io_class), io_level=6))
        assert os.getpriority(os.PRIO_PROCESS, child.pid) >= 7
        level = psutil.Process(child.pid).ionice()
        assert level.ioclass == expected[0] and (io_class == "idle" or level.value == expected[1])
    finally:
        child.kill()
        child.wait()
    rank_low(child.pid, GovernorSettings())  # one that is gone is no error


def test_in_quiet_hours_fresh_files_are_taken_and_old_ones_wait(tmp_path) -> None:
    service = RunningService(tmp_path)
    root = service.root()
    service.settings["governor"] = {"nice": 3, "quiet_hours": ["00:00-23:59", "23:59-00:00"]}
    old = put(root / "old.csv", MadeUp.survey())
    os.utime(old, (1, 1))
    try:
        service.start(wait=False)
        until(lambda: (service.status() or {}).get("governor", {}).get("paused"), "sweeps pause", 60)
        until(lambda: (service.status() or {})["roots"][0]["state"] == "native", "it is watched", 60)
        service.caught(put(root / "fresh.csv", MadeUp.survey(seed=2)))
        folder = service.base / "folder"
        folder.mkdir()
        put(folder / "moved.csv", MadeUp.survey(seed=3))
        folder.rename(root / "folder")
        service.caught(root / "folder" / "moved.csv")
        assert old.exists() and (service.status() or {})["roots"][0]["swept"] is None
        assert "paused" in service.command("status").stdout
        for role in ("keeper", "template"):
            assert [p.nice() >= 3 for p in service.processes(role)] == [True]
        service.ask("sweep")  # somebody asks for it by name
        service.caught(old)
    finally:
        service.stop()
