"""Shares: what others write on the server, and two workstations at once."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from running_service import RunningService


@pytest.fixture
def second(service):
    """Another workstation: its own service, its own vault."""
    base = Path(tempfile.mkdtemp(prefix="rw-flow-"))
    base.chmod(0o755)
    other = RunningService(base)
    yield other
    other.stop()
    shutil.rmtree(base, ignore_errors=True)


def test_of_two_workstations_one_takes_a_file_and_one_tells(service, second, made_up, drop, wait_until):
    root = service.root(zone="shared")
    second.roots.append({"path": root, "zone": "shared"})
    for one in (service, second):
        one.settings["policy"]["first_contact"] = "enforce"
        one.start()
    files = [drop(root / f"wave{n}.csv", made_up.survey(seed=n)) for n in range(12)]
    wait_until(lambda: not any(f.exists() for f in files), "all are taken", 60)
    for one in (service, second):
        one.settled(0.5)
    told = [r for one in (service, second) for r in one.alerts()]
    about = [Path(r["file"]["path"]).name for r in told]
    kinds = [(r["file"]["name"], r["unmapped"]["disposition"], r["status_detail"]) for r in told]
    assert sorted(about) == sorted(f.name for f in files), f"one alert for each: {kinds}"
    assert {r["unmapped"]["disposition"] for r in told} == {"quarantined"}
    assert len(list(root.glob("*.quarantined.txt"))) == len(files)
    assert not list(root.glob(".recordwarden-*"))
    vaults = set(service.vault_digests().values()) | set(second.vault_digests().values())
    assert {made_up.digest(made_up.survey(seed=n)) for n in range(12)} <= vaults


@pytest.mark.root
def test_what_others_write_on_the_server_is_caught_within_the_interval(
    service, samba, made_up, drop, wait_until
):
    server, mnt = samba
    (server / "a" / "b").mkdir(parents=True)
    seconds = 4.0
    service.settings["watch"]["share_seconds"] = seconds
    service.settings["policy"]["first_contact"] = "enforce"
    service.roots.append({"path": mnt, "zone": "shared"})
    service.start()
    volume = service.status()["roots"][0]["volume"]
    assert (volume["kind"], volume["fstype"]) == ("shared", "fuse.rclone")
    time.sleep(2 * seconds)  # nothing changes: it looks as seldom as it may
    for number, folder in enumerate([server, server / "a", server / "a" / "b", server / "new"]):
        folder.mkdir(exist_ok=True)
        file = drop(folder / f"wave{number}.csv", made_up.survey(seed=number))
        written = time.monotonic()
        wait_until(lambda f=file: not f.exists(), f"{file} is taken\n{service.log()}", 60)
        # the interval, the age of rclone's own view of a folder, and the work itself
        assert time.monotonic() - written < seconds + 1.0 + 25.0
    assert len(service.vault_digests()) == 4


@pytest.mark.root
def test_what_is_written_through_the_mount_is_caught_at_once_and_told_by_whom(service, samba, made_up, drop):
    _, mnt = samba
    service.settings["watch"]["share_seconds"] = 3000.0
    service.settings["policy"]["first_contact"] = "enforce"
    service.roots.append({"path": mnt, "zone": "shared"})
    service.start()
    source = drop(service.base / "source", made_up.survey())
    # a process that still lives when its event is read
    script = f"exec 3> {mnt}/wave4.csv; cat {source} >&3; exec 3>&-; sleep 5"
    writer = subprocess.Popen(["sh", "-c", script])
    alert = service.caught(mnt / "wave4.csv", 30)
    assert alert["actor"]["process"]["name"] == "sh"
    writer.wait()
