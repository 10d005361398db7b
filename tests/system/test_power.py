"""Whole machines whose power is cut while files are taken: what their kernels had not written is lost.

`RECORDWARDEN_VM=FOLDER POWER_CUTS=200 make system`; FOLDER is made by tests/system/build_image.sh. One
machine boots, gets all it needs into its memory and is frozen. Others begin there, one after the other with
the same disks. Each is stopped at random instants (SIGSTOP leaves the disks as SIGKILL would), and killed at
the last; then copies of the disks are mounted here, where the service starts on them too and everything is
looked at.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyrage
import pytest
from custody_rig import Rig, nothing_open, survey
from machine import Machine

pytestmark = [pytest.mark.system, pytest.mark.root, pytest.mark.timeout(36_000)]

CUTS = int(os.environ.get("POWER_CUTS", "200"))
SEED = int(os.environ.get("POWER_SEED", "7"))
CUTS_OF_A_MACHINE = 5
MACHINES_OF_A_LIFE = 4
"""After so many, the disks are made anew."""
CHECKOUT = Path(__file__).parents[2]
MB = 1 << 20
PATIENCE = 300.0
DISKS = ("state", "root")
NAMES = "import sys, custody_rig; print(*{name.partition('.')[0] for name in sys.modules})"


def pack(folder: Path) -> Path:
    """A disk with what `taker.py` imports: an ext4 image."""
    tree, image = folder / "luggage", folder / "luggage.ext4"
    tree.mkdir()
    site = Path(pyrage.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{CHECKOUT / 'benchmarks'}:{CHECKOUT}"}
    found = subprocess.run(
        [sys.executable, "-c", NAMES], capture_output=True, text=True, check=True, env=environment
    )
    for name in found.stdout.split():
        if (site / name).is_dir():
            shutil.copytree(site / name, tree / name)
        elif (site / f"{name}.py").exists():
            shutil.copy(site / f"{name}.py", tree)
    for name in ("agent", "config", "detectors"):
        shutil.copytree(CHECKOUT / name, tree / name)
    for name in ("benchmarks/custody_rig.py", "tests/system/taker.py"):
        shutil.copy(CHECKOUT / name, tree)
    with image.open("wb") as file:
        file.truncate(256 * MB)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(tree), str(image)], check=True)
    return image


@dataclass(frozen=True)
class Instant:
    """When so many more files have arrived, and these seconds later."""

    files: int
    seconds: float

    @classmethod
    def somewhere(cls, chance: random.Random) -> Instant:
        return cls(chance.randrange(20), chance.uniform(0.0, 2.0))


class Life:
    """Two disks and the machines that use them, one after the other."""

    def __init__(self, folder: Path, frozen: Path, luggage: Path, image: Path) -> None:
        self.folder, self.frozen, self.luggage, self.image = folder, frozen, luggage, image
        self.identity = pyrage.x25519.Identity.generate()
        self.durable: dict[str, bytes] = {}
        self.first = 0
        for name in DISKS:
            (folder / name).mkdir()
            with (folder / f"{name}.img").open("wb") as file:
                file.truncate(64 * MB)
            options = ["-L", name, "-J", "size=4", "-E", "lazy_itable_init=0,nodiscard"]
            subprocess.run(["mkfs.ext4", "-q", "-F", *options, str(folder / f"{name}.img")], check=True)

    def machine(self, instants: Sequence[Instant], unsynced: bool = False) -> Iterator[list[str]]:
        """What is wrong at each of these instants of a machine that works with the disks.

        It is stopped there, which leaves the disks as SIGKILL would; and killed at the last one.
        """
        machine = Machine(self.image, {}, self.folder / "disk", self.luggage, self.frozen)
        try:
            for name in DISKS:
                machine.plug_disk(name, self.folder / f"{name}.img")
            orders = {
                "folder": str(self.folder), "identity": str(self.identity), "first": self.first,
                "time": time.time(), "random": os.urandom(64).hex(), "unsynced": unsynced,
            }  # fmt: skip
            machine.say(json.dumps(orders))
            machine.wait_for("begun")
            arrived = 0
            for number, instant in enumerate(instants):
                if number:
                    machine.go_on()
                wanted = arrived + instant.files
                machine.hear(lambda heard, wanted=wanted: heard.count("durable") >= wanted, PATIENCE)
                machine.hear(lambda heard: False, instant.seconds)
                machine.pause()
                arrived = self._note(machine.hear(lambda heard: False, 0.1))
                yield self.wrong()
        finally:
            machine.stop()
        self.first += 2  # one more may be there

    def _note(self, heard: str) -> int:
        """Remember what is durable by what the machine said; how many files of it are."""
        numbers = [int(number) for number in re.findall(r"durable (\d+)\.", heard)]
        for number in numbers:
            self.durable[f"wave{number}.csv"] = survey(number, rows=100 + 300 * (number % 4))
        self.first = max([self.first, *numbers])
        return len(numbers)

    def wrong(self) -> list[str]:
        """What the next start finds and leaves, on copies of the disks."""
        copies = [self.folder / f"{name}.copy" for name in DISKS]
        points = [self.folder / name for name in DISKS]
        try:
            for name, copy, point in zip(DISKS, copies, points, strict=True):
                copy.unlink(missing_ok=True)
                shutil.copyfile(self.folder / f"{name}.img", copy)
                subprocess.run(["mount", "-o", "loop", str(copy), str(point)], check=True)
            rig = Rig(points[0], points[1], self.identity)
            codes = rig.run(nothing_open(rig.root, list(self.durable)), PATIENCE)
            wrong = [] if codes == (0, 0) else [f"the next start ended with {codes}"]
            return wrong + rig.faults_after(self.durable, recovered=True)
        finally:
            for point in points:
                subprocess.run(["umount", "-l", str(point)], capture_output=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, Path]]:
    """The frozen machine, its luggage, and the image below it."""
    image = Path(os.environ.get("RECORDWARDEN_VM", "/nowhere"))
    if not image.exists():
        pytest.skip("RECORDWARDEN_VM names no machine: see tests/system/build_image.sh")
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the machine's Python is 3.11, and it borrows our packages")
    folder = tmp_path_factory.mktemp("power")
    luggage, frozen = pack(folder), folder / "frozen"
    machine = Machine(image, {}, frozen, luggage)
    try:
        machine.run("mkdir -p /luggage && mount -o ro /dev/vdb /luggage && modprobe -a sd_mod virtio_scsi")
        machine.say("exec python3 /luggage/taker.py")
        machine.wait_for("ready")
        machine.freeze()
    finally:
        machine.stop()
    yield frozen, luggage, image


def lives(folder: Path, made: tuple[Path, Path, Path]) -> Iterator[Life]:
    """One after the other, without end."""
    frozen, luggage, image = made
    while True:
        here = folder / "life"
        here.mkdir()
        yield Life(here, frozen, luggage, image)
        shutil.rmtree(here)


def test_no_power_cut_of_a_whole_machine_loses_or_doubles_anything(made, tmp_path):
    chance = random.Random(SEED)
    begun, cut, files, wrong = time.monotonic(), 0, 0, []
    for life in lives(tmp_path, made):
        for _ in range(MACHINES_OF_A_LIFE):
            instants = [Instant.somewhere(chance) for _ in range(min(CUTS_OF_A_MACHINE, CUTS - cut))]
            for found in life.machine(instants):
                wrong += [f"cut {cut}: {w}" for w in found]
                cut += 1
                took = time.monotonic() - begun
                told = f"{cut} cuts, {files + len(life.durable)} files, {len(wrong)} wrong, {took:.0f} s"
                print(told, *wrong[-1:], flush=True)
        files += len(life.durable)
        if cut >= CUTS:
            break
    assert not wrong, "\n".join(wrong)
    assert files >= CUTS, "files were to be taken"


def test_this_test_sees_a_missing_fsync(made, tmp_path):
    """What the vault's disk was not told to write is not there after the cut, and the original is gone."""
    chance = random.Random(8)
    for life, _ in zip(lives(tmp_path, made), range(10), strict=False):
        instants = [Instant(10 + chance.randrange(10), 1.0) for _ in range(CUTS_OF_A_MACHINE)]
        if any("NEITHER" in w for found in life.machine(instants, unsynced=True) for w in found):
            return
    pytest.fail("50 power cuts without harm: this test would not notice a missing fsync")
