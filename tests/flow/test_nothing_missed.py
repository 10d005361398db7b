"""A storm of files of every kind of coming, and not one file of records is missed. No sweep is asked for.

In `make check` a sample; `make system` has the full number, on every file system.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from running_service import sha256

pytestmark = pytest.mark.root

FULL = int(os.environ.get("STORM_FILES", "200000"))
SAMPLE = 600
BURST = 6000
"""Files while nobody reads the kernel's queue: four events each are more than inotify keeps."""


class Storm:
    """Writes files below `root`, some through `outside` on the same file system; knows which ones must go."""

    in_a_folder = 10_000
    """No more of the full storm's files lie in one folder: exfat-fuse walks it for each name."""

    def __init__(self, root: Path, outside: Path, files: int, records: Callable[[int], bytes]) -> None:
        self.root, self.outside, self.files = root, outside, files
        self.planted: dict[Path, bytes] = {}
        self.written = 0
        self._records = records
        self._every = max(20, min(files // 60, 400))
        self._names = itertools.count()
        self._chance = random.Random(files)

    def content(self, path: Path) -> bytes:
        """Records now and then, nothing to speak of otherwise."""
        self.written += 1
        if self.written % self._every:
            return b""
        self.planted[path] = self._records(self.written)
        return self.planted[path]

    def name(self) -> str:
        return f"f{next(self._names)}.csv"

    def write(self, path: Path, as_path: Path | None = None) -> None:
        path.write_bytes(self.content(as_path or path))

    def tree(self, top: Path, as_top: Path, files: int) -> None:
        """Few files in many folders, some of them nested."""
        folder, as_folder = top, as_top
        for number in range(files):
            if number % 5 == 0:
                sub = Path(f"d{number}") if self._chance.random() < 0.7 else Path(f"d{number}/deep/er")
                folder, as_folder = top / sub, as_top / sub
                folder.mkdir(parents=True, exist_ok=True)
            name = self.name()
            self.write(folder / name, as_folder / name)

    def place(self) -> Path:
        """A name that is new, in the root or in one of the full storm's many folders below it."""
        number = next(self._names)
        many = self.files > self.in_a_folder
        folder = self.root / f"part{number // self.in_a_folder}" if many else self.root
        folder.mkdir(exist_ok=True)
        return folder / f"f{number}.csv"

    def created(self, files: int) -> None:
        folder = self.root / f"created{self.written}"
        folder.mkdir()
        for _ in range(files):
            self.write(folder / self.name())

    def renamed(self, files: int) -> None:
        """As editors and downloads save."""
        for _ in range(files):
            target = self.place()
            part = target.with_name(target.name + ".part")
            self.write(part, target)
            part.rename(target)

    def moved_in(self, files: int) -> None:
        top = self.outside / f"tree{self.written}"
        top.mkdir()
        self.tree(top, self.root / top.name, files)
        self.uploaded(top, files)
        while True:
            try:
                top.rename(self.root / top.name)
            except ConnectionAbortedError:  # a share that is still uploading what is in it
                time.sleep(0.2)
            else:
                return

    def uploaded(self, top: Path, files: int) -> None:
        """Wait until all of `top` is at rest; on a disk it is."""

    def copied(self, files: int) -> None:
        top = self.outside / f"copy{self.written}"
        top.mkdir()
        self.tree(top, self.root / top.name, files)
        subprocess.run(["cp", "-r", str(top), str(self.root)], check=True)
        shutil.rmtree(top)

    def rewritten(self, files: int) -> None:
        """Nothing in them first, judged perhaps, and then records under the same name."""
        names = [self.place() for _ in range(files)]
        for path in names:
            path.touch()
        for path in names:
            self.write(path)

    def blow(self, batch: int) -> None:
        kinds = (self.created, self.renamed, self.moved_in, self.copied, self.rewritten)
        for kind in itertools.cycle(kinds):
            if self.written >= self.files:
                return
            kind(min(batch, self.files - self.written))


class ShareStorm(Storm):
    """On an rclone mount, whose program ends where something is renamed while it is uploaded."""

    server = Path()
    in_a_folder = 1_000

    def uploaded(self, top: Path, files: int) -> None:
        there = self.server / top.relative_to(self.outside.parent)
        while sum(len(names) for _, _, names in os.walk(there)) < files:
            time.sleep(0.2)
        time.sleep(2)

    def renamed(self, files: int) -> None:
        targets = [self.place() for _ in range(files)]
        parts = {target: target.with_name(target.name + ".part") for target in targets}
        for target, part in parts.items():
            self.write(part, target)
        plain = [part for target, part in parts.items() if target not in self.planted]
        there = [self.server / part.relative_to(self.root.parent) for part in plain]
        while there:
            time.sleep(0.2)
            there = [path for path in there if not path.exists()]
        time.sleep(2)
        for target, part in parts.items():
            with suppress(FileNotFoundError):  # records may have been taken by then
                part.rename(target)


def set_up(service, top: Path, files: int, made_up, kind: type[Storm] = Storm) -> Storm:
    for name in ("root", "outside"):
        (top / name).mkdir()
    service.settings["policy"]["first_contact"] = "enforce"
    service.settings["service"]["stuck_seconds"] = 120
    service.roots.append({"path": top / "root", "zone": "removable"})
    service.start()
    return kind(top / "root", top / "outside", files, lambda seed: made_up.survey(60, seed=seed))


def run(service, storm: Storm, wait_until) -> None:
    """The whole storm, in which the watcher is killed twice."""
    batch = max(30, storm.files // 50)
    total = storm.files
    for part in (3, 1.5, 1):
        storm.files = int(total / part)
        storm.blow(batch)
        if part > 1:
            wait_until(lambda: service.kill("keeper"), "the watcher is killed")
    not_one_is_left(service, storm, wait_until)


def not_one_is_left(service, storm: Storm, wait_until) -> None:
    begun = time.monotonic()
    wait_until(
        lambda: not any(path.exists() for path in storm.planted),
        f"all of {len(storm.planted)} are taken; left: "
        f"{[str(p) for p in storm.planted if p.exists()][:5]}\n{service.log()}",
        60 + storm.written * 0.2,
    )
    digests = {sha256(content) for content in storm.planted.values()}
    wait_until(lambda: digests <= set(service.vault_digests().values()), "all are in the vault", 60)
    seconds = time.monotonic() - begun
    print(f"{storm.written} files, {len(storm.planted)} of records, {seconds:.0f} s after the last one")


COUNTS = [pytest.param(SAMPLE, id="sample"), pytest.param(FULL, marks=pytest.mark.system, id="full")]


@pytest.mark.parametrize("files", COUNTS)
def test_not_one_is_missed_on_ext4(service, drive, made_up, wait_until, files):
    volume = drive(64 + files // 40)
    storm = set_up(service, volume.plug(), files, made_up)
    run(service, storm, wait_until)
    assert next(r for r in service.status()["roots"])["state"] == "native"


@pytest.mark.parametrize("files", COUNTS)
def test_not_one_is_missed_on_exfat(service, exfat_drive, made_up, wait_until, files):
    storm = set_up(service, exfat_drive(64 + files // 20), files, made_up)
    run(service, storm, wait_until)


@pytest.mark.system
def test_not_one_is_missed_on_a_share(service, samba, made_up, wait_until):
    """Slow by nature: each file is a conversation with the server."""
    ShareStorm.server, mnt = samba
    storm = set_up(service, mnt, FULL, made_up, ShareStorm)
    run(service, storm, wait_until)


def test_a_kernel_queue_that_overflows_is_on_record_and_nothing_is_missed(
    service, exfat_drive, made_up, wait_until
):
    storm = set_up(service, exfat_drive(256), BURST, made_up)
    (keeper,) = service.processes("keeper")
    keeper.suspend()
    storm.renamed(BURST)  # all in one folder: one that has no watch yet has no events
    keeper.resume()
    wait_until(lambda: "overflow" in (service.state / "audit.jsonl").read_text(), "it is on record", 60)
    not_one_is_left(service, storm, wait_until)
