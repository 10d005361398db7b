"""Whole machines whose power is cut while files are taken: what their kernels had not written is lost.

`RECORDWARDEN_VM=FOLDER POWER_CUTS=200 make system`; FOLDER is made by tests/system/build_image.sh. One
machine boots, gets all it needs into its memory and is frozen; each cut begins there, with the disks of the
cut before, and ends with SIGKILL for QEMU. After it, copies of the disks are mounted here, where the service
starts on them too and everything is looked at.
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
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from custody_rig import Rig, nothing_open, survey
from machine import Machine

pytestmark = [pytest.mark.system, pytest.mark.root, pytest.mark.timeout(36_000)]

CUTS = int(os.environ.get("POWER_CUTS", "200"))
CUTS_OF_A_LIFE = 5
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

    def until_a_cut(self, files: int, seconds: float, unsynced: bool = False) -> None:
        """A machine works with the disks until so many files have arrived, and a little longer."""
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
            machine.hear(lambda heard: heard.count("durable") >= files, PATIENCE)
            heard = machine.hear(lambda heard: False, seconds)
        finally:
            machine.stop()
        for number in map(int, re.findall(r"durable (\d+)\.", heard)):
            self.durable[f"wave{number}.csv"] = survey(number, rows=100 + 300 * (number % 4))
            self.first = number + 1
        self.first += 1  # one more may be there

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
            codes = rig.run(nothing_open(rig.root, list(self.durable)), 60)
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
    chance = random.Random(7)
    begun, files, wrong = time.monotonic(), 0, []
    for number, life in enumerate(lives(tmp_path, made)):
        for cut in range(number * CUTS_OF_A_LIFE, min((number + 1) * CUTS_OF_A_LIFE, CUTS)):
            before = len(life.durable)
            life.until_a_cut(chance.randrange(20), chance.uniform(0.0, 2.0))
            wrong += [f"cut {cut}: {w}" for w in life.wrong()]
            files += len(life.durable) - before
            print(
                f"cut {cut}: {files} files, {len(wrong)} wrong, {time.monotonic() - begun:.0f} s", flush=True
            )
        if (number + 1) * CUTS_OF_A_LIFE >= CUTS:
            break
    assert not wrong, "\n".join(wrong)
    assert files >= CUTS, "files were to be taken"


def test_this_test_sees_a_missing_fsync(made, tmp_path):
    """What the vault's disk was not told to write is not there after the cut, and the original is gone."""
    chance = random.Random(8)
    for life, _ in zip(lives(tmp_path, made), range(20), strict=False):
        life.until_a_cut(10 + chance.randrange(20), 3.0, unsynced=True)
        if any("NEITHER" in w for w in life.wrong()):
            return
    pytest.fail("20 power cuts without harm: this test would not notice a missing fsync")
