"""Released files on real media, and in folders whose owners fight the release."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyrage
import pytest
from custody_rig import survey

from agent.attributes import seal, unseal
from agent.errors import Problem
from agent.placing import Handed, Order, put_in_place
from agent.sealing import Source
from agent.vault import Manifest, Vault, manifest, parse_recipients

pytestmark = pytest.mark.root

CONTENT = survey(rows=2000)
ENTRY = "01234567-entry"
ACL = "system.posix_acl_access"


class Taken:
    """A file that was taken, and the bundle for a one-time key; told of each step, it only counts."""

    def __init__(self, base: Path, file: Path) -> None:
        security, self.once = (pyrage.x25519.Identity.generate() for _ in range(2))
        vault = base / "vault"
        for folder in ("tmp", "entries"):
            (vault / folder).mkdir(parents=True)
        fd = os.open(file, os.O_RDONLY)
        try:
            source = Source(fd, os.fstat(fd), "r1", str(file.parent), file.name)
            Vault(vault, [str(security.to_public())], 0).deposit(ENTRY, source, time.time())
        finally:
            os.close(fd)
        self.entry: Manifest = manifest(vault, ENTRY)
        recipients = parse_recipients([str(self.once.to_public())])
        (base / "rewrapped.age").write_bytes(pyrage.encrypt(file.read_bytes(), recipients))
        plain = unseal(self.entry.sealed_xattrs, self.entry.xattrs_sha256, [security])
        self.handed = Handed(base / "rewrapped.age", seal(plain, recipients) if plain else "")
        self.lost: list[str] = []

    def written(self, lost: Sequence[str]) -> None:
        self.lost = list(lost)

    def unwritten(self) -> None:
        pass

    def put(self, target: Path) -> None:
        beside = target.with_name(f".recordwarden-release-{os.urandom(8).hex()}")
        order = Order("1", str(target), str(beside), "", False)
        put_in_place(order, self.entry, self.handed, [self.once], self)


def all_of(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {
        "owner": (status.st_uid, status.st_gid), "mode": status.st_mode, "mtime": status.st_mtime_ns,
        "attributes": {name: os.getxattr(path, name) for name in os.listxattr(path)},
    }  # fmt: skip


def full_of_metadata(path: Path) -> dict[str, Any]:
    path.write_bytes(CONTENT)
    path.chmod(0o640)
    os.chown(path, 12, 34)
    nobody = 2**32 - 1
    entries = [(1, 6, nobody), (2, 4, 1), (4, 4, nobody), (16, 6, nobody), (32, 0, nobody)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    for name, value in ((ACL, access), ("user.origin", b"made up"), ("trusted.x", b"\0\xff")):
        os.setxattr(path, name, value)
    os.utime(path, ns=(1_600_000_000_000_000_001, 1_500_000_000_000_000_002))
    return all_of(path)


def test_everything_comes_back_on_a_file_system_that_can(drive: Callable[..., Any], tmp_path: Path) -> None:
    medium = drive().plug()
    file = medium / "survey.csv"
    before = full_of_metadata(file)
    assert len(before["attributes"]) == 3
    taken = Taken(tmp_path, file)
    file.unlink()
    taken.put(file)
    assert taken.lost == [] and file.read_bytes() == CONTENT
    assert all_of(file) == before


def test_what_a_medium_cannot_hold_is_said(
    drive: Callable[..., Any], exfat_drive: Callable[..., Path], tmp_path: Path
) -> None:
    file = drive().plug() / "survey.csv"
    full_of_metadata(file)
    taken = Taken(tmp_path, file)
    target = exfat_drive() / "survey.csv"
    taken.put(target)
    assert target.read_bytes() == CONTENT
    assert {"owner", "attributes"} <= set(taken.lost)
    assert [p.name for p in target.parent.iterdir()] == ["survey.csv"]


FIGHT = """
import contextlib, itertools, os, sys
folder, outside = sys.argv[1:]
aside = folder + ".aside"
for number in itertools.count():
    with contextlib.suppress(OSError):
        os.rename(folder, aside)
        os.symlink(outside, folder)
        os.unlink(folder)
    with contextlib.suppress(OSError):
        os.rename(aside, folder)
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if name.startswith(".recordwarden-release-"):
                match number % 4:
                    case 0:
                        os.unlink(path)
                        os.symlink(os.path.join(outside, "precious"), path)
                    case 1:
                        os.rename(path, path + ".stolen")
                    case 2:
                        os.link(os.path.join(outside, "precious"), path + ".link")
                        os.rename(path + ".link", path)
                    case 3:
                        open(os.path.join(folder, "survey.csv"), "x").write("mine")
"""


@contextmanager
def fighting(folder: Path, outside: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", FIGHT, str(folder), str(outside)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("tries", [40, pytest.param(2000, marks=pytest.mark.system)])
def test_whoever_fights_a_release_leads_it_nowhere_else(tmp_path: Path, tries: int) -> None:
    """The folder's owner swaps it for a link, steals, replaces and links names, and puts files in the way."""
    source, folder, outside = tmp_path / "survey.csv", tmp_path / "folder", tmp_path / "outside"
    source.write_bytes(CONTENT)
    folder.mkdir()
    outside.mkdir()
    (outside / "precious").write_bytes(b"precious")
    status = (outside / "precious").stat()
    taken = Taken(tmp_path, source)
    placed = refused = 0
    with fighting(folder, outside):
        for _ in range(tries):
            try:
                taken.put(folder / "survey.csv")
                placed += 1
            except Problem:
                refused += 1
            for where in (folder, Path(f"{folder}.aside")):
                with suppress(OSError):
                    (where / "survey.csv").unlink()
    assert os.listdir(outside) == ["precious"]
    assert (outside / "precious").read_bytes() == b"precious"
    after = (outside / "precious").stat()
    assert (after.st_mode, after.st_uid, after.st_mtime_ns) == (
        status.st_mode, status.st_uid, status.st_mtime_ns,
    )  # fmt: skip
    print(f"\n{placed} placed, {refused} refused")
    assert placed and refused


def test_a_file_in_the_way_stays_whoever_put_it_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CONTENT)
    taken = Taken(tmp_path, tmp_path / "a.csv")
    for make in (lambda p: p.write_bytes(b"mine"), Path.mkdir, lambda p: p.symlink_to("/etc"), os.mkfifo):
        target = tmp_path / f"target-{os.urandom(4).hex()}"
        make(target)
        before = target.lstat()
        with pytest.raises(Problem, match="nothing was overwritten"):
            taken.put(target)
        assert os.path.samestat(before, target.lstat()) and before.st_mtime_ns == target.lstat().st_mtime_ns
