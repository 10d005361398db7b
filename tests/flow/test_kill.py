"""`kill -9` of any process at any moment while files arrive: nothing is lost, nothing told twice."""

from __future__ import annotations

import random
import threading
import time

import psutil
import pytest

ROLES = ("supervisor", "keeper", "worker", "courier", "template")


@pytest.mark.parametrize(
    ("files", "seed"),
    [(60, 3), *(pytest.param(*more, marks=pytest.mark.system) for more in ((60, 4), (500, 3), (500, 4)))],
)
def test_nothing_is_lost_whatever_is_killed_while_files_arrive(service, made_up, drop, files, seed):
    chance = random.Random(seed)
    root = service.root()
    service.start()
    surveys = {f"wave{n}.csv": made_up.survey(150, seed=n) for n in range(files)}
    tables = {f"table{n}.csv": made_up.statistics() + f"{n}\n".encode() for n in range(files // 5)}
    orphans: list[psutil.Process] = []

    def arrive() -> None:
        for name, content in (surveys | tables).items():
            drop(root / name, content)
            time.sleep(chance.uniform(0, 0.06))

    arriving = threading.Thread(target=arrive)
    arriving.start()
    kills = dict.fromkeys(ROLES, 0)
    while arriving.is_alive() or min(kills["supervisor"], kills["keeper"]) < 2:
        role = chance.choice(ROLES)
        family = [p for r in ROLES[1:] for p in service.processes(r)] if role == "supervisor" else []
        kills[role] += service.kill(role)
        orphans += family
        if role == "supervisor":
            service.start(wait=False)
            time.sleep(chance.uniform(0.3, 1.5))
        time.sleep(chance.uniform(0.02, 0.5))
    arriving.join()
    service.stop()
    service.start()
    made_up.wait(lambda: not list(root.glob("wave*.csv")), f"every survey is taken\n{service.log()}", 180)
    service.settled()
    made_up.wait(lambda: len(service.alerts()) >= files, "every alert is out", 60)

    in_vault = service.vault_digests()
    kept = set(in_vault.values())
    for name, content in surveys.items():
        path = root / name
        assert made_up.digest(content) in kept or (path.exists() and path.read_bytes() == content), name
        assert (root / f"{name}.quarantined.txt").exists(), name
    for name, content in tables.items():
        assert (root / name).read_bytes() == content
    for name in surveys:
        ids = {r["finding_info"]["uid"] for r in service.alerts(f"/{name}")}
        assert len(ids) == 1, f"{name}: {len(ids)} alert ids"
    assert len(in_vault) == files, "a file is in the vault twice, or waste was left"
    assert not list((service.state / "vault" / "tmp").iterdir())
    assert not list(root.glob(".recordwarden-*")), "a private folder was left behind"
    _, alive = psutil.wait_procs(orphans, timeout=60)
    assert not alive, "a process outlived its supervisor"


def test_a_dead_courier_delays_alerts_and_loses_none(service, made_up, drop):
    root = service.root()
    service.start()
    for number in range(5):
        service.kill("courier")
        service.caught(drop(root / f"wave{number}.csv", made_up.survey(seed=number)))
    assert len({r["finding_info"]["uid"] for r in service.alerts()}) == 5


def test_a_dead_template_is_replaced(service, made_up, drop):
    root = service.root()
    service.start()
    assert service.kill("template")
    service.caught(drop(root / "wave4.csv", made_up.survey()), 30)


def test_a_dead_keeper_is_replaced_and_the_file_it_missed_is_swept(service, made_up, drop):
    root = service.root()
    service.start()
    assert service.kill("keeper")
    service.caught(drop(root / "wave4.csv", made_up.survey()), 30)
