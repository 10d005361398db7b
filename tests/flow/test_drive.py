"""Drives that come and go while the service runs, on ext4 images."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.root


def watch(service, *mount_points):
    service.settings["watch.volumes"] = {
        "removable": True,
        "shares": False,
        "treat_as_removable": [str(m) for m in mount_points],
    }


def root_paths(service) -> set[str]:
    status = service.status()
    return {r["path"] for r in status["roots"]} if status else set()


def test_a_drive_becomes_a_root_is_enforced_and_ends_with_its_mount(service, drive, made_up, drop):
    stick = drive()
    watch(service, stick.path)
    service.root()
    service.start()
    stick.plug()
    made_up.wait(lambda: str(stick.path) in root_paths(service), "the drive is a root")
    survey = made_up.survey()
    table = drop(stick.path / "table3.csv", made_up.statistics())
    service.caught(drop(stick.path / "wave4.csv", survey))
    assert made_up.digest(survey) in service.vault_digests().values()
    assert table.read_bytes() == made_up.statistics()
    done = stick.pull()
    assert done.returncode == 0, done.stderr
    made_up.wait(lambda: str(stick.path) not in root_paths(service), "the root is gone")


def test_what_was_on_a_drive_before_it_was_plugged_is_found(service, drive, made_up, drop):
    stick = drive()
    stick.plug()
    survey = made_up.survey(seed=5)
    file = drop(stick.path / "old.csv", survey)
    assert stick.pull().returncode == 0
    watch(service, stick.path)
    service.settings["policy"]["first_contact"] = "report"  # which is for what stays in place
    service.root()
    service.start()
    stick.plug()
    service.caught(file)
    assert made_up.digest(survey) in service.vault_digests().values()


@pytest.mark.parametrize("times", [8, pytest.param(60, marks=pytest.mark.system)])
def test_the_users_umount_never_fails_because_of_us(service, drive, made_up, drop, times):
    stick = drive(32)
    watch(service, stick.path)
    service.root()
    service.settings["watch"]["sweep_seconds"] = 0.5
    service.start()
    surveys = {}
    for turn in range(times):
        stick.plug()
        for number in range(12):
            content = made_up.survey(150, seed=1000 * turn + number)
            surveys[made_up.digest(content)] = drop(stick.path / f"t{turn}n{number}.csv", content)
        # no pause: the service is in the middle of its work on these files
        done = stick.pull()
        assert done.returncode == 0, f"turn {turn}: {done.stderr}\n{service.log()}"
    stick.plug()
    made_up.wait(
        lambda: not list(stick.path.glob("*.csv")),
        f"all of them are taken in the end\n{service.log()}",
        60 + 3 * times,
    )
    assert set(surveys) <= set(service.vault_digests().values())
    assert stick.pull().returncode == 0


def test_nothing_of_a_drive_is_held_while_the_service_is_idle(service, drive, made_up, drop, wait_until):
    stick = drive()
    watch(service, stick.path)
    service.root()
    service.start()
    stick.plug()
    service.caught(drop(stick.path / "wave4.csv", made_up.survey()))
    service.settled()

    device = stick.path.stat().st_dev

    def held() -> list[str]:
        """Descriptors of any of our processes into that file system, through whatever mount."""
        found = []
        for role in ("supervisor", "keeper", "template", "courier", "worker"):
            for process in service.processes(role):
                for link in Path(f"/proc/{process.pid}/fd").iterdir():
                    try:
                        if link.stat().st_dev == device:
                            found.append(f"{role}: {link.readlink()}")
                    except OSError:
                        continue
        return found

    wait_until(lambda: not held(), f"nobody holds the drive; held by {held()}", 60)


def test_a_drive_that_goes_during_a_deposit_loses_nothing(service, drive, made_up, drop):
    """`umount -l` under the keeper's hands: each file is on the drive afterwards, or in the vault."""
    stick = drive(128)
    watch(service, stick.path)
    service.root()
    service.start()
    stick.plug()
    surveys = {}
    stop = threading.Event()

    def fill() -> None:
        for number in range(40):
            if stop.is_set():
                return
            content = made_up.survey(400, seed=number)
            try:
                drop(stick.path / f"n{number}.csv", content)
            except OSError:
                return
            surveys[f"n{number}.csv"] = content

    filler = threading.Thread(target=fill)
    filler.start()
    made_up.wait(lambda: service.vault_digests(), "work is under way")
    subprocess.run(["umount", "-l", str(stick.path)], check=True)
    stop.set()
    filler.join()
    made_up.wait(lambda: str(stick.path) not in root_paths(service), "the root is gone", 60)
    service.stop()
    late = {path.name: path.read_bytes() for path in stick.path.iterdir()}  # written when it had gone
    stick.plug()
    in_vault = set(service.vault_digests().values())
    for name, content in surveys.items():
        path = stick.path / name
        there = late.get(name) == content or (path.exists() and path.read_bytes() == content)
        assert there or made_up.digest(content) in in_vault, name
