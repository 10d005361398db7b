"""Hours of kill and restart: `make soak`. SOAK_CYCLES says how many cycles (2000 by default)."""

from __future__ import annotations

import os
import random
import time

import pytest

CYCLES = int(os.environ.get("SOAK_CYCLES", "2000"))
CHECKED_EVERY = 50


@pytest.mark.soak
def test_kill_and_restart_loses_and_doubles_nothing(service, made_up, drop):
    """A few files a cycle, the whole service killed at a random moment, started again; counted as it goes."""
    chance = random.Random(20)
    root = service.root()
    service.start()
    expected: dict[str, str] = {}

    def is_alive() -> bool:
        return service.process is not None and service.process.poll() is None

    def all_taken() -> bool:
        """One whose template was killed before it was up has ended, and is started again as systemd does."""
        if not is_alive():
            service.start(wait=False)
        return not list(root.glob("c*n*.csv"))

    for cycle in range(CYCLES):
        for number in range(chance.randint(1, 3)):
            content = made_up.survey(120, seed=cycle * 10 + number)
            name = f"c{cycle}n{number}.csv"
            drop(root / name, content)
            expected[name] = made_up.digest(content)
        if cycle % 2:  # else it is killed while it starts
            made_up.wait(lambda: service.status() is not None or not is_alive(), "it is up", 120)
        time.sleep(chance.uniform(0, 0.5))
        service.kill(chance.choice(["supervisor", "supervisor", "keeper", "worker", "template", "courier"]))
        if not is_alive():
            service.start(wait=False)
        if cycle % CHECKED_EVERY == CHECKED_EVERY - 1 or cycle == CYCLES - 1:
            made_up.wait(all_taken, f"all are taken\n{service.log()[-3000:]}", 1800)
            made_up.wait(lambda: len(service.alert_ids()) >= len(expected), "all alerts are out", 60)
            in_vault = list(service.vault_digests().values())
            assert sorted(in_vault) == sorted(expected.values()), f"cycle {cycle}: lost or doubled"
            assert len(service.alert_ids()) == len(expected), f"cycle {cycle}: alerts lost or doubled"
            print(f"{cycle + 1} cycles, {len(expected)} files: none lost, none doubled", flush=True)
