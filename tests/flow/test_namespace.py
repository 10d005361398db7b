"""A service in a mount namespace of its own, as a hardened unit has it: what users write outside is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

# what ProtectSystem=strict with ReadWritePaths= does: all is read-only but the places that are named
UNIT = Path(__file__).parents[2] / "packaging" / "systemd" / "recordwarden.service"
STRICT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"'


def start_strictly(service) -> None:
    before = ["unshare", "-m", "--propagation", "slave", "sh", "-c", STRICT, str(service.base)]
    service.start(before=before)
    service.traced = False  # it is the same process in the end


def as_user(source: Path, folder: Path) -> None:
    """An ordinary user copies a file; the folder may lie where only root may walk."""
    source.chmod(0o644)
    command = ["setpriv", "--reuid=1", "--regid=1", "--clear-groups", "cp", str(source), "wave4.csv"]
    subprocess.run(command, check=True, cwd=folder)


@pytest.fixture
def shared() -> Iterator[Callable[[Path], None]]:
    """Make what is mounted below a folder from now on show in other namespaces, as it does under systemd."""
    made: list[Path] = []

    def share(folder: Path) -> None:
        subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
        made.append(folder)
        subprocess.run(["mount", "--make-shared", str(folder)], check=True)

    yield share
    for folder in made:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_file_written_outside_the_services_namespace_is_seen_at_once_and_taken(
    service, drive, made_up, drop, shared
):
    before, after = drive(), drive()
    shared(after.path.parent)
    before.plug()
    points = [str(before.path), str(after.path)]
    service.settings["watch.volumes"] = {
        "removable": True, "shares": False, "treat_as_removable": points,
    }  # fmt: skip
    service.root()
    start_strictly(service)
    pid = service.processes("supervisor")[0].pid
    assert Path(f"/proc/{pid}/ns/mnt").readlink() != Path("/proc/self/ns/mnt").readlink()
    after.plug()
    made_up.wait(lambda: len(service.status()["roots"]) == 3, "the drive that came later is a root")
    made_up.wait(lambda: all(r["state"] == "native" for r in service.status()["roots"]), "all are watched")
    service.settled()
    for volume in (before, after):
        source = drop(service.base / "source", made_up.survey(seed=len(volume.path.parts)))
        as_user(source, volume.path)
        # within seconds, though the next sweep is an hour away
        alert = service.caught(volume.path / "wave4.csv", 10)
        assert alert["actor"]["user"]["uid"] == "1"
    for volume in (before, after):
        made_up.wait(lambda v=volume: v.pull().returncode == 0, "umount", 60)


@pytest.mark.system
def test_so_it_is_under_systemd_with_the_hardening_of_a_unit(service, drive, made_up, drop, need, wait_until):
    """systemd itself in a container that shares our file systems; the unit is the one that is shipped."""
    need("systemd-nspawn", "systemd-run", "nsenter")
    volume = drive()
    root = service.base / "machine"
    for folder in ("etc", "usr", "var/lib", "run", "tmp", "proc", "sys", "dev", "root"):
        (root / folder).mkdir(parents=True)
    for link in ("bin", "sbin", "lib", "lib64"):
        (root / link).symlink_to(f"usr/{link}")
    for file in ("/etc/os-release", "/etc/ld.so.cache"):
        shutil.copy(file, root / "etc")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "etc/machine-id").touch()
    volume.plug()
    service.roots.append({"path": volume.path, "zone": "removable"})
    service.configure()
    units = root / "etc/systemd/system"
    units.mkdir(parents=True)
    shutil.copy(UNIT, units)
    (units / "recordwarden.service.d").mkdir()
    (units / "recordwarden.service.d" / "here.conf").write_text(
        "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=\nStateDirectory=\nLogsDirectory=\n"
        f"ExecStart={sys.executable} -I -m agent run --config {service.config}\n"
        f"StandardOutput=append:{service.log_file}\nStandardError=append:{service.log_file}\n"
    )
    (units / "default.target").write_text(
        "[Unit]\nDefaultDependencies=no\nWants=recordwarden.service\nAllowIsolate=yes\n"
    )
    binds = {"/usr", str(Path(sys.prefix)), str(Path(sys.base_prefix)), str(Path(__file__).parents[2])}
    command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe", "-D", str(root)]
    command += [f"--bind-ro={b}" for b in sorted(binds)]
    command += [f"--bind={service.base}", f"--bind={volume.path}", "--capability=all", "-b", "--"]
    with (service.base / "console.log").open("wb") as log:
        # not the container's filter, which knows no Landlock: the unit's is put to the test
        env = {**os.environ, "SYSTEMD_SECCOMP": "0"}
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
    try:
        wait_until(service.swept, "the unit is up", 60)
        status = service.status()
        assert status["protections"]["missing"] == {}, service.log()
        states = {r["path"]: r["state"] for r in status["roots"]}
        assert states[str(volume.path)] == "native", service.log()
        source = drop(service.base / "source", made_up.survey(seed=9))
        as_user(source, volume.path)
        service.caught(volume.path / "wave4.csv", 10)
    finally:
        machine.terminate()
        try:
            machine.wait(60)
        except subprocess.TimeoutExpired:
            machine.kill()
