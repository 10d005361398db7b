"""What a block device lies on, told from a made-up `/sys`."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.platform.linux_devices import (
    Device,
    block_chain,
    device_of,
    file_system_uuid,
    members,
)  # fmt: skip

USB = "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block"
SATA = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block"
MMC = "pci0000:00/0000:00:1e.0/mmc_host/mmc0/mmc0:1234/block"
NVME = "pci0000:00/0000:00:1d.0/0000:3c:00.0/nvme/nvme0/nvme0n1"


def test_a_usb_stick_by_its_flag(made_up) -> None:
    assert made_up.kind(made_up.stick()) == "removable"


def test_a_usb_hard_disk_that_says_it_is_not_removable(made_up, a_mount) -> None:
    made_up.device(f"{USB}/sdb", "8:16", removable="0")
    made_up.device(f"{USB}/sdb/sdb1", "8:17", partition="1")
    assert made_up.kind(a_mount()) == "removable"


def test_the_machines_own_disk(made_up, a_mount) -> None:
    made_up.device(f"{SATA}/sda", "8:0", removable="0")
    made_up.device(f"{SATA}/sda/sda2", "8:2", partition="2")
    assert made_up.kind(a_mount("8:2")) == "fixed"


@pytest.mark.parametrize(("card", "expected"), [("SD", "removable"), ("MMC", "fixed")])
def test_an_sd_card_but_no_soldered_memory(made_up, a_mount, card: str, expected: str) -> None:
    made_up.device(f"{MMC}/mmcblk0", "179:0", removable="0", device__type=card)
    made_up.device(f"{MMC}/mmcblk0/mmcblk0p1", "179:1", partition="1")
    assert made_up.kind(a_mount("179:1")) == expected


@pytest.mark.parametrize(("says", "expected"), [("removable", "removable"), ("fixed", "fixed")])
def test_a_disk_behind_a_port_from_which_it_can_be_pulled(made_up, a_mount, says: str, expected: str) -> None:
    made_up.files("pci0000:00/0000:00:1d.0/0000:3c:00.0", removable=says)
    made_up.device(NVME, "259:0", removable="0")
    assert made_up.kind(a_mount("259:0")) == expected


def test_a_map_on_a_stick_is_as_removable_as_the_stick(made_up) -> None:
    assert made_up.kind(made_up.stick(crypt="")) == "removable"


def test_a_loop_of_slaves_ends(made_up, a_mount) -> None:
    one = made_up.device("virtual/block/dm-0", "253:0")
    two = made_up.device("virtual/block/dm-1", "253:1")
    made_up.slave(one, two)
    made_up.slave(two, one)
    assert block_chain("253:0", made_up.root)
    assert made_up.proof(a_mount("253:0")) == ""


def test_all_disks_of_a_btrfs_file_system_are_its_ways_down(made_up, a_mount) -> None:
    """Its mounts have a device number that no block device has."""
    disk = made_up.device(f"{SATA}/sda", "8:0", removable="0")
    crypt = made_up.device("virtual/block/dm-0", "253:0", dm__uuid="CRYPT-LUKS2-x", dm__name="luks-home")
    made_up.slave(crypt, disk)
    system = made_up.root / "fs" / "btrfs" / "8f3e" / "devices"
    system.mkdir(parents=True)
    (system / "dm-0").symlink_to(crypt)
    home = a_mount("0:40", "btrfs", "/dev/mapper/luks-home", "/home")
    assert members("/dev/mapper/luks-home", made_up.root) == members("/dev/dm-0", made_up.root) == ["253:0"]
    assert (made_up.kind(home), made_up.proof(home)) == ("fixed", "dm-crypt LUKS2")
    (system / "sdc").symlink_to(made_up.device(f"{USB}/sdc", "8:32", removable="1"))
    assert (made_up.kind(home), made_up.proof(home)) == ("removable", "")
    assert made_up.kind(a_mount("0:40", "btrfs", "/dev/sdx")) == "unknown"


def test_a_usb_device_is_known_by_what_it_says(made_up) -> None:
    made_up.stick()
    made_up.files(USB.partition("/2-1:1.0")[0], idVendor="0951", idProduct="16D5", serial="A1 B2")
    disk = made_up.root / "devices" / USB / "sdb"
    assert device_of(disk) == Device("0951", "16d5", "A1 B2")
    assert device_of(made_up.device(f"{SATA}/sda", "8:0")) == Device()


def test_the_file_systems_uuid_comes_from_udev(made_up) -> None:
    (made_up.udev / "b8:17").write_text("S:disk\nE:ID_FS_UUID=3249-86FE\nE:ID_FS_TYPE=vfat\n")
    assert file_system_uuid("8:17", made_up.udev) == "3249-86FE"
    assert file_system_uuid("../8:17", made_up.udev) == file_system_uuid("8:18", made_up.udev) == ""


def test_nothing_is_looked_at_outside_the_tree(made_up) -> None:
    assert block_chain("../../x", made_up.root) == block_chain("8:17", Path("/nowhere")) == []
