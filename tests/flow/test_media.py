"""Custody on the file systems that drives and shares have: the story, and a sample of faults, on each."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from custody_rig import Fault, Rig, injection, nothing_open, points, survey

pytestmark = [pytest.mark.root, pytest.mark.system]

MB = 1024**2
NAME = "folder/survey.csv"
FILES = {NAME: survey(rows=3000)}
PORT = 2299


def image(folder: Path, megabytes: int) -> Path:
    path = folder / "image"
    with path.open("wb") as file:
        file.truncate(megabytes * MB)
    return path


def run(*command: str | Path, **keys: object) -> None:
    done = subprocess.run([str(c) for c in command], capture_output=True, check=False, **keys)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}: {done.stderr!r} {done.stdout!r}"


def xfs(folder: Path, point: Path) -> None:
    run("mkfs.xfs", "-q", image(folder, 320))
    run("mount", "-o", "loop", folder / "image", point)


def ext4(folder: Path, point: Path) -> None:
    run("mkfs.ext4", "-q", "-F", image(folder, 64))
    run("mount", "-o", "loop", folder / "image", point)


def exfat(folder: Path, point: Path) -> None:
    run("mkfs.exfat", image(folder, 64))
    found = subprocess.run(
        ["losetup", "-f", "--show", str(folder / "image")], capture_output=True, text=True, check=True
    )
    device = found.stdout.strip()
    run("mount.exfat-fuse", device, point)
    run("losetup", "-d", device)  # it goes when the mount does


def ntfs(folder: Path, point: Path) -> None:
    run("mkntfs", "-q", "-F", "-f", image(folder, 64))
    run("ntfs-3g", folder / "image", point)


def gocryptfs(folder: Path, point: Path) -> None:
    (folder / "cipher").mkdir()
    (folder / "password").write_text("made up\n")
    run("gocryptfs", "-q", "-init", "-scryptn", "10", "-passfile", folder / "password", folder / "cipher")
    run("gocryptfs", "-q", "-passfile", folder / "password", folder / "cipher", point)


def sshfs(folder: Path, point: Path) -> None:
    (folder / "far").mkdir()
    for name in ("host", "user"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name)
    Path("/run/sshd").mkdir(exist_ok=True)
    settings = f"""
        Port {PORT}
        ListenAddress 127.0.0.1
        HostKey {folder}/host
        AuthorizedKeysFile {folder}/user.pub
        PidFile {folder}/sshd.pid
        StrictModes no
        UsePAM no
        PermitRootLogin yes
        Subsystem sftp internal-sftp
    """
    (folder / "sshd_config").write_text(settings)
    run("/usr/sbin/sshd", "-f", folder / "sshd_config")
    options = f"IdentityFile={folder}/user,StrictHostKeyChecking=no,UserKnownHostsFile=/dev/null,reconnect"
    run("sshfs", "-p", str(PORT), "-o", options, f"root@127.0.0.1:{folder}/far", point)


KINDS: dict[str, tuple[Callable[[Path, Path], None], tuple[str, ...]]] = {
    "ext4": (ext4, ("mkfs.ext4",)),
    "xfs": (xfs, ("mkfs.xfs",)),
    "exfat": (exfat, ("mkfs.exfat", "mount.exfat-fuse")),
    "ntfs": (ntfs, ("mkntfs", "ntfs-3g")),
    "gocryptfs": (gocryptfs, ("gocryptfs",)),
    "sshfs": (sshfs, ("sshfs", "ssh-keygen", "/usr/sbin/sshd")),
}


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, tmp_path: Path, need) -> Iterator[Rig]:
    """A rig whose root lies on such a file system, and its state on the machine's own disk."""
    make, programs = KINDS[request.param]
    need("strace", *programs)
    point, state, folder = tmp_path / "root", tmp_path / "state", tmp_path / "carrier"
    for path in (point, state, folder):
        path.mkdir()
    make(folder, point)
    yield Rig(state, point)
    for _ in range(20):
        if subprocess.run(["umount", str(point)], capture_output=True, check=False).returncode == 0:
            break
        time.sleep(0.1)
    else:
        subprocess.run(["umount", "-l", str(point)], capture_output=True, check=False)
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((folder / "sshd.pid").read_text()), 15)


def begin(rig: Rig) -> None:
    """Nothing of the last time, and one survey in the root."""
    for place in (rig.state, rig.root):
        run("find", place, "-mindepth", "1", "-delete")
    (rig.root / NAME).parent.mkdir()
    (rig.root / NAME).write_bytes(FILES[NAME])
    os.utime(rig.root / NAME, (1_000_000, 1_000_000))


def test_the_file_is_taken_and_nothing_else_is_left(rig):
    begin(rig)
    assert rig.run(nothing_open(rig.root, list(FILES))) == (0, 0)
    assert not rig.faults_after(FILES, recovered=True)
    assert [p.name for p in rig.root.rglob("*") if p.is_file()] == ["survey.csv.quarantined.txt"]


def test_what_may_not_be_unlinked_is_put_back_whole(rig, tmp_path):
    begin(rig)
    rig.run(seconds=5, options=injection(Fault("keeper", "unlinkat", 1, "EIO"), tmp_path / "log"))
    assert rig.at_hand() == [FILES[NAME]]
    assert not rig.faults_after(FILES, recovered=False)


def test_no_fault_on_such_a_medium_loses_or_doubles_anything(rig, tmp_path):
    log = tmp_path / "log"
    begin(rig)
    assert rig.run(nothing_open(rig.root, list(FILES)), options=["-s", "60", "-o", str(log)]) == (0, 0)
    wrong = []
    for fault in random.Random(7).sample(points("keeper", log), 40):
        begin(rig)
        rig.run(seconds=10, traced=fault.side, options=injection(fault, log))
        wrong += [f"{fault}: at once: {w}" for w in rig.faults_after(FILES, recovered=False)]
        assert rig.run(nothing_open(rig.root, list(FILES))) == (0, 0)
        wrong += [f"{fault}: in the end: {w}" for w in rig.faults_after(FILES, recovered=True)]
    assert not wrong, "\n".join(wrong)
