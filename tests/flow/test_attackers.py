"""Attackers in a tight loop beside a service that takes and gives back files: they gain nothing.

One swaps folders for links, one renames, replaces, hard-links and truncates files, one (root) mounts over
folders. Outside the root lie canaries that the service must never open, change or remove, though each
looks like microdata. What no attacker destroys must not be lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import random
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from custody_rig import Rig, survey

from agent import vault
from agent.errors import Problem
from agent.giving_back import give_back

pytestmark = pytest.mark.root

USER = 12345
FOLDERS = 6
STAYS = ".stays"
"""In each folder: an empty one could be replaced by a rename, and with it the place of the files."""
IN_OPEN, IN_MODIFY, IN_DELETE, IN_CREATE, IN_MOVE, IN_ISDIR = 0x20, 0x2, 0x200, 0x100, 0xC0, 0x40000000


class Outside:
    """Canaries, and a watch that tells whether anybody has opened or changed one by its name there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for number in range(5):
            (folder / f"wave{number}.csv").write_bytes(survey(900_000 + number, rows=50))
        for path in (folder, *folder.iterdir()):
            os.chown(path, USER, USER)
        self.before = self.now()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._watch = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        mask = IN_OPEN | IN_MODIFY | IN_DELETE | IN_CREATE | IN_MOVE
        assert self._libc.inotify_add_watch(self._watch, os.fsencode(folder), mask) >= 0

    def now(self) -> dict[str, tuple[object, ...]]:
        found = {}
        for path in sorted(self.folder.iterdir()):
            status = path.lstat()
            found[path.name] = (
                status.st_ino,
                status.st_mode,
                status.st_uid,
                status.st_size,
                status.st_mtime_ns,
            )
        return found

    def touched(self) -> list[str]:
        """What happened to files by their names here."""
        told, found = b"", []
        with contextlib.suppress(BlockingIOError):
            while block := os.read(self._watch, 1 << 16):
                told += block
        while told:
            _, mask, _, length = struct.unpack_from("iIII", told)
            name = told[16 : 16 + length].rstrip(b"\0").decode()
            told = told[16 + length :]
            if not mask & IN_ISDIR and name:
                found.append(f"{name}: {mask:#x}")
        os.close(self._watch)
        return found


def forked(work: Callable[[random.Random], None], user: int | None, seed: int) -> int:
    """A process that does this again and again, whatever fails."""
    pid = os.fork()
    if pid:
        return pid
    try:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        chance = random.Random(seed)
        while True:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                work(chance)
    finally:
        os._exit(0)


class Battle:
    def __init__(self, folder: Path) -> None:
        self.outside = Outside(folder / "outside")
        self.root = folder / "root"
        self.root.mkdir()
        self.root.chmod(0o777)
        self.names = [f"d{n}" for n in range(FOLDERS)]
        self.folders = []
        for name in self.names:
            (self.root / name).mkdir()
            os.chown(self.root / name, USER, USER)
            (self.root / name / STAYS).touch()
            # a descriptor is the folder itself, wherever its name leads by then
            self.folders.append(os.open(self.root / name, os.O_RDONLY | os.O_DIRECTORY))
        (folder / "state").mkdir()
        self.rig = Rig(folder / "state", self.root)
        self.rig.quiet_seconds = 0.05
        self._attackers: list[int] = []

    # -- the attackers

    def attack(self) -> None:
        self._attackers = [
            forked(self._swap, USER, 1), forked(self._swap, USER, 2), forked(self._play, USER, 3),
            forked(self._play, USER, 4), forked(self._mount, None, 5),
        ]  # fmt: skip

    def _swap(self, chance: random.Random) -> None:
        name = chance.choice(self.names)
        aside = self.root / f"aside-{os.getpid()}"
        (self.root / name).rename(aside)
        try:
            (self.root / name).symlink_to(self.outside.folder)
            (self.root / name).unlink()
        finally:
            aside.rename(self.root / name)

    def _play(self, chance: random.Random) -> None:
        folder = chance.choice(self.folders)
        other = chance.choice(self.folders)
        names = [name for name in os.listdir(folder) if name != STAYS]
        name = chance.choice(names)
        canary = self.outside.folder / f"wave{chance.randrange(5)}.csv"
        match chance.randrange(5):
            case 0:  # all may be moved; what is in it stays
                target = name.split("-")[0] + f"-{chance.randrange(1 << 30)}.csv"
                os.rename(name, target, src_dir_fd=folder, dst_dir_fd=other)
            case 1 if name.startswith("bait"):
                os.symlink(canary, f"link{os.getpid()}", dir_fd=folder)
                os.rename(f"link{os.getpid()}", name, src_dir_fd=folder, dst_dir_fd=folder)
            case 2 if name.startswith("bait"):
                os.close(
                    os.open(name, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
                )
            case 3 if len(names) < 2000:
                os.link(canary, f"bait{chance.randrange(1 << 30)}.csv", dst_dir_fd=folder)
            case _:
                time.sleep(0.0005)

    def _mount(self, chance: random.Random) -> None:
        name = str(self.root / chance.choice(self.names))
        if not os.path.islink(name):
            subprocess.run(
                ["mount", "--bind", str(self.outside.folder), name], capture_output=True, timeout=5
            )
            time.sleep(0.02)
            subprocess.run(["umount", "-l", name], capture_output=True, timeout=5)
        time.sleep(0.05)

    def cease(self) -> None:
        for pid in self._attackers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._attackers = []
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            point = line.split()[4]  # a mount through a link lies over the canaries themselves
            if point.startswith((f"{self.root}/", str(self.outside.folder))):
                subprocess.run(["umount", "-l", point], capture_output=True, check=False)
        self._settle()

    def _settle(self) -> None:
        """Every folder has its own name again, and no link is left in its place."""
        for name, folder in zip(self.names, self.folders, strict=True):
            path = self.root / name
            if path.is_symlink():
                path.unlink()
            if not path.exists():
                lost = [p for p in self.root.iterdir() if not p.is_symlink() and p.is_dir()]
                for one in lost:
                    if os.path.samestat(one.stat(), os.fstat(folder)):
                        one.rename(path)

    # -- those who work

    def feed(self, files: dict[str, bytes], seconds: float) -> None:
        for number, (name, content) in enumerate(files.items()):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            fd = os.open(name, flags, 0o666, dir_fd=self.folders[number % FOLDERS])
            os.write(fd, content)
            os.close(fd)
            time.sleep(seconds / len(files))

    def restore(self, count: int) -> int:
        """Give entries back into folders that are being swapped, till one lets each in; how many did not."""
        refused = 0
        for number, kept in enumerate(list(vault.manifests(self.rig.vault))[:count]):
            for name in itertools.cycle(self.names):
                place = f"{name}/restored{number}-{refused}.csv"
                try:
                    give_back(self.rig.vault, kept, [self.rig.identity], self.root, place)
                    break
                except (Problem, OSError):
                    refused += 1
                    assert refused < 1000 * count
        return refused

    def inside(self) -> list[bytes]:
        """What is in the root, by descriptors that lead nowhere else."""
        found = []
        for where, _, names, folder in os.fwalk(self.root):
            del where
            for name in names:
                with contextlib.suppress(OSError):
                    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
                    with os.fdopen(fd, "rb") as file:
                        found.append(file.read())
        return found

    def all_taken(self) -> Callable[[object], bool]:
        """Asked after each message, and looks once a second: nothing of worth has its name here any more."""
        last = 0.0

        def look(_: object) -> bool:
            nonlocal last
            if time.monotonic() - last < 1:
                return False
            names = [name for folder in self.folders for name in os.listdir(folder)]
            last = time.monotonic()
            return not any(n.startswith(("file", "restored")) and n.endswith(".csv") for n in names)

        return look


@pytest.fixture
def battle(public_path: Path) -> Iterator[Battle]:
    made = Battle(public_path)
    yield made
    made.cease()
    for folder in made.folders:
        os.close(folder)


@pytest.mark.parametrize(
    ("files", "restored"), [(200, 10), pytest.param(10_000, 100, marks=pytest.mark.system)]
)
def test_attackers_in_a_tight_loop_gain_nothing(battle, files, restored):
    precious = {f"file{n}-0.csv": survey(n, rows=30) for n in range(files)}
    feeding = threading.Thread(target=battle.feed, args=(precious, files / 100))
    battle.attack()
    feeding.start()
    began = time.monotonic()
    for _ in range(3):  # a keeper that has swept ends; events and sweeps of the next ones find the rest
        codes = battle.rig.run(lambda ledger: not feeding.is_alive(), 60 + files / 10)
        assert codes == (0, 0)
    feeding.join()
    refused = battle.restore(restored)
    battle.cease()
    codes = battle.rig.run(battle.all_taken(), 60 + files / 2)
    assert codes == (0, 0)
    took = time.monotonic() - began

    assert not battle.outside.touched(), "a canary was opened or changed by its own name"
    assert battle.outside.now() == battle.outside.before
    for number in range(5):
        assert (battle.outside.folder / f"wave{number}.csv").read_bytes() == survey(900_000 + number, rows=50)
    kept, here = battle.rig.in_vault(), battle.inside()
    lost = [name for name, content in precious.items() if content not in kept and content not in here]
    assert not lost, f"{len(lost)} lost, such as {lost[:3]}"
    untaken = sum(content in here for content in precious.values())
    print(f"\n{files} files, {len(kept)} entries, {restored} given back after {refused} refusals,"
          f" {untaken} not taken, {took:.0f} s")  # fmt: skip
    assert len(kept) >= files * 0.9
