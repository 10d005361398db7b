"""Drives that are really plugged in, and maps that the kernel really has.

`RECORDWARDEN_VM=FOLDER make system`; FOLDER is made by tests/system/build_image.sh. QEMU emulates, so this
takes minutes.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest
from machine import Machine

pytestmark = [pytest.mark.system, pytest.mark.timeout(3600)]
KEY = "0123456789abcdef" * 8


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = os.environ.get("RECORDWARDEN_VM")
    if not folder:
        pytest.skip("RECORDWARDEN_VM names no machine: see tests/system/build_image.sh")
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the machine's Python is 3.11, and it borrows our packages")
    drives = tmp_path_factory.mktemp("drives")
    for name in ("stick", "disk"):
        with (drives / name).open("wb") as file:
            file.truncate(48 << 20)
    shared = {"checkout": Path(__file__).parents[2], "packages": Path(pydantic.__file__).parents[1]}
    made = Machine(Path(folder), shared)
    try:
        made.plug("stick", drives / "stick", "sda", removable=True, serial="STICK1")
        made.plug("disk", drives / "disk", "sdb", removable=False, serial="DISK1")
        made.run("mkdir -p /mnt/a /mnt/b")
        yield made
    finally:
        made.stop()


def told(machine: Machine, *approved: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        machine.run(f"python3 /shared/checkout/tests/system/told.py {' '.join(approved)}").splitlines()[-1]
    )
    return found


def mapped(machine: Machine, table: str, uuid: str = "") -> dict[str, Any]:
    """What is told of a file system on a map over the second drive, made by hand."""
    word = f"-u {uuid}" if uuid else ""
    machine.run(f'n=$(blockdev --getsz /dev/sdb); echo "0 $n {table}" | dmsetup create {word} made')
    machine.run("mkfs.ext4 -q -F /dev/mapper/made && mount /dev/mapper/made /mnt/b")
    try:
        found: dict[str, Any] = told(machine)["/mnt/b"]
        return found
    finally:
        machine.run("umount /mnt/b && udevadm settle && dmsetup remove --retry made")


def test_a_stick_and_a_disk_that_says_it_stays(machine: Machine) -> None:
    machine.run(
        "for d in a b; do x=/dev/sda; [ $d = b ] && x=/dev/sdb; mkfs.ext4 -q -F $x; mount $x /mnt/$d; done"
    )
    found = told(machine)
    assert {found[p]["kind"] for p in ("/mnt/a", "/mnt/b")} == {"removable"}
    assert {found[p]["encryption_proof"] for p in ("/mnt/a", "/mnt/b")} == {""}
    stick = found["/mnt/a"]
    assert stick["serial"] and len(stick["vendor"]) == len(stick["product"]) == 4
    registered = told(machine, f"{stick['vendor']}:{stick['product']}:{stick['serial']}")
    assert registered["/mnt/a"]["encryption_proof"].startswith("approved device")
    assert registered["/mnt/b"]["encryption_proof"] == ""
    machine.run("umount /mnt/a /mnt/b")


def test_luks_is_told_with_its_header_and_its_cipher(machine: Machine) -> None:
    machine.run(
        "printf word > /run/k; cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2"
        " --pbkdf-force-iterations 1000 /dev/sdb /run/k && cryptsetup open -d /run/k /dev/sdb luks"
        " && mkfs.ext4 -q -F /dev/mapper/luks && mount /dev/mapper/luks /mnt/b"
    )
    found = told(machine)["/mnt/b"]
    uuid = machine.run("cryptsetup luksUUID /dev/sdb").replace("-", "")
    assert (found["kind"], found["serial"]) == ("removable", found["serial"])
    assert found["encryption_proof"] == f"dm-crypt LUKS2 {uuid} aes-xts-plain64"
    machine.run("umount /mnt/b && cryptsetup close luks")


def test_a_map_without_a_name_is_known_by_its_table(machine: Machine) -> None:
    found = mapped(machine, f"crypt aes-xts-plain64 {KEY} 0 /dev/sdb 0")
    assert (found["kind"], found["encryption_proof"]) == ("removable", "dm-crypt aes-xts-plain64")


def test_a_map_that_only_calls_itself_luks_is_no_proof(machine: Machine) -> None:
    uuid = f"CRYPT-LUKS1-{'0' * 32}-made"
    for table in ("crypt cipher_null-ecb - 0 /dev/sdb 0", "linear /dev/sdb 0"):
        found = mapped(machine, table, uuid)
        assert (found["kind"], found["encryption_proof"]) == ("removable", "")
