"""Mounts and volumes, told from text and a made-up `/sys`."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import pytest

from agent.platform.linux import (
    Mount,
    MountTable,
    block_chain,
    facts,
    inside,
    mount_of,
    parse_mountinfo,
    visible,
)  # fmt: skip

LINE = b"36 27 8:17 / %s rw,nosuid shared:59 master:2 - vfat /dev/sdb1 rw,utf8\n"


class Sys:
    """A tree like `/sys`: devices with real paths, and links to them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "dev" / "block").mkdir(parents=True)

    def device(self, path: str, number: str, **files: str) -> Path:
        folder = self.root / "devices" / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            file = folder / name.replace("__", "/")
            file.parent.mkdir(exist_ok=True)
            file.write_text(content + "\n")
        (self.root / "dev" / "block" / number).symlink_to(folder)
        return folder

    def slave(self, of: Path, device: Path) -> None:
        (of / "slaves").mkdir(exist_ok=True)
        (of / "slaves" / device.name).symlink_to(device)


USB = "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block"
SATA = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block"
MMC = "pci0000:00/0000:00:1e.0/mmc_host/mmc0/mmc0:1234/block"


@pytest.fixture
def sysfs(tmp_path: Path) -> Sys:
    return Sys(tmp_path / "sys")


def mount(
    device: str = "8:17", fstype: str = "vfat", source: str = "/dev/sdb1", point: str = "/media/x"
) -> Mount:
    return Mount(1, device, "/", point, ("rw",), fstype, source)


def kind(sysfs: Sys, of: Mount, *globs: str) -> str:
    return facts(of, globs, sysfs.root, sysfs.root / "udev").kind


def proof(sysfs: Sys, of: Mount) -> str:
    return facts(of, (), sysfs.root, sysfs.root / "udev").encryption_proof


def test_escaped_and_invalid_names_are_read_as_they_are() -> None:
    [found] = parse_mountinfo(LINE % rb"/media/a\040b\011c\012d\134e\xff".replace(rb"\xff", b"\xff"))
    assert found.mount_point == "/media/a b\tc\nd\\e\udcff"
    assert (found.device, found.fstype, found.source, found.mount_id) == ("8:17", "vfat", "/dev/sdb1", 36)
    assert not found.read_only


def test_any_number_of_optional_fields() -> None:
    none = b"36 27 8:17 / /m ro - ext4 /dev/sdb1 rw\n"
    many = b"36 27 8:17 / /m rw shared:1 master:2 propagate_from:3 unbindable - ext4 /dev/sdb1 rw\n"
    assert [m.fstype for m in parse_mountinfo(none + many)] == ["ext4", "ext4"]
    assert parse_mountinfo(none)[0].read_only


@pytest.mark.parametrize("line", [b"", b"nonsense\n", b"1 2 3\n", b"x 27 8:1 / /m rw - ext4 /dev/x rw\n"])
def test_lines_that_are_not_understood_are_left_out(line: bytes) -> None:
    assert parse_mountinfo(line) == []


def test_the_live_table_is_understood() -> None:
    table = MountTable()
    assert {m.mount_point for m in table.read()} & {"/", "/proc"}  # in a chroot "/" need be no mount
    table.close()


def test_what_is_mounted_over_is_not_seen() -> None:
    lower, upper, hidden = mount("8:1", point="/m"), mount("8:2", point="/m"), mount("8:3", point="/a/b")
    cover = mount("8:4", point="/a")
    assert visible([lower, upper]) == [upper]
    assert visible([hidden, cover]) == [cover]
    assert visible([cover, hidden]) == [cover, hidden]


def test_the_nearest_mount_carries_a_path() -> None:
    mounts = [mount("8:1", point="/"), mount("8:2", point="/media"), mount("8:3", point="/media/x")]
    for path, device in (("/media/x/y", "8:3"), ("/media/xy", "8:2"), ("/home", "8:1")):
        found = mount_of(path, mounts)
        assert found is not None and found.device == device
    assert inside("/a", "/a") and inside("/a/b", "/a") and inside("/a", "/") and not inside("/ab", "/a")


def test_a_usb_stick_by_its_flag(sysfs: Sys) -> None:
    sysfs.device(f"{USB}/sdb", "8:16", removable="1")
    sysfs.device(f"{USB}/sdb/sdb1", "8:17", partition="1")
    assert kind(sysfs, mount()) == "removable"


def test_a_usb_hard_disk_that_says_it_is_not_removable(sysfs: Sys) -> None:
    sysfs.device(f"{USB}/sdb", "8:16", removable="0")
    sysfs.device(f"{USB}/sdb/sdb1", "8:17", partition="1")
    assert kind(sysfs, mount()) == "removable"


def test_the_machines_own_disk(sysfs: Sys) -> None:
    sysfs.device(f"{SATA}/sda", "8:0", removable="0")
    sysfs.device(f"{SATA}/sda/sda2", "8:2", partition="2")
    assert kind(sysfs, mount("8:2")) == "fixed"


@pytest.mark.parametrize(("card", "expected"), [("SD", "removable"), ("MMC", "fixed")])
def test_an_sd_card_but_no_soldered_memory(sysfs: Sys, card: str, expected: str) -> None:
    sysfs.device(f"{MMC}/mmcblk0", "179:0", removable="0", device__type=card)
    sysfs.device(f"{MMC}/mmcblk0/mmcblk0p1", "179:1", partition="1")
    assert kind(sysfs, mount("179:1")) == expected


def luks(sysfs: Sys, uuid: str) -> Mount:
    sysfs.device(f"{USB}/sdb", "8:16", removable="1")
    part = sysfs.device(f"{USB}/sdb/sdb1", "8:17", partition="1")
    mapped = sysfs.device("virtual/block/dm-0", "253:0", removable="0", dm__uuid=uuid)
    sysfs.slave(mapped, part)
    return mount("253:0", source="/dev/mapper/secret")


def test_luks_on_a_stick_is_removable_and_proven(sysfs: Sys) -> None:
    opened = luks(sysfs, "CRYPT-LUKS2-77948fd5-secret")
    assert kind(sysfs, opened) == "removable"
    assert proof(sysfs, opened) == "dm-crypt LUKS2 on sdb1"


@pytest.mark.parametrize("uuid", ["CRYPT-LUKS1-77-x", "CRYPT-PLAIN-x", "CRYPT-TCRYPT-x", "CRYPT-BITLK-77-x"])
def test_every_map_that_encrypts_is_a_proof(sysfs: Sys, uuid: str) -> None:
    assert proof(sysfs, luks(sysfs, uuid)).startswith("dm-crypt ")


@pytest.mark.parametrize(
    "uuid", ["", "LVM-abc", "CRYPT-VERITY-77-x", "CRYPT-INTEGRITY-x", "crypt-luks2-x", "XCRYPT-LUKS2"]
)
def test_anything_else_counts_as_unencrypted(sysfs: Sys, uuid: str) -> None:
    assert proof(sysfs, luks(sysfs, uuid)) == ""


def test_a_volume_on_luks_is_proven_and_one_with_a_plain_leg_is_not(sysfs: Sys) -> None:
    disk = sysfs.device(f"{SATA}/sda", "8:0", removable="0")
    crypt = sysfs.device("virtual/block/dm-0", "253:0", dm__uuid="CRYPT-LUKS2-1-x")
    sysfs.slave(crypt, disk)
    volume = sysfs.device("virtual/block/dm-1", "253:1", dm__uuid="LVM-abc")
    sysfs.slave(volume, crypt)
    assert proof(sysfs, mount("253:1")) == "dm-crypt LUKS2 on sda"
    sysfs.slave(volume, sysfs.device(f"{SATA}/sdc", "8:32", removable="0"))
    assert proof(sysfs, mount("253:1")) == ""


def test_a_loop_of_slaves_ends(sysfs: Sys) -> None:
    one = sysfs.device("virtual/block/dm-0", "253:0")
    two = sysfs.device("virtual/block/dm-1", "253:1")
    sysfs.slave(one, two)
    sysfs.slave(two, one)
    assert block_chain("253:0", sysfs.root)
    assert proof(sysfs, mount("253:0")) == ""


@pytest.mark.parametrize("fstype", ["cifs", "smb3", "nfs", "nfs4", "fuse.sshfs", "fuse.rclone"])
def test_shares(sysfs: Sys, fstype: str) -> None:
    assert kind(sysfs, mount("0:50", fstype, "//server/share")) == "shared"


def test_what_has_no_device_is_unknown_and_unproven(sysfs: Sys) -> None:
    assert kind(sysfs, mount("0:50", "fuse.something", "x")) == "unknown"
    assert kind(sysfs, mount("8:99")) == "unknown"
    assert kind(sysfs, mount("../../etc", "ext4")) == "unknown"
    assert kind(sysfs, mount("0:51", "tmpfs", "tmpfs")) == "memory"


def test_globs_make_anything_removable_by_mount_point_or_source(sysfs: Sys) -> None:
    loop = mount("7:0", "ext4", "/dev/loop0", "/mnt/image")
    assert kind(sysfs, loop, "/mnt/*") == kind(sysfs, loop, "/dev/loop*") == "removable"
    assert kind(sysfs, loop, "/mnt") == "unknown"


def test_the_file_systems_uuid_comes_from_udev(sysfs: Sys) -> None:
    udev = sysfs.root / "udev"
    udev.mkdir()
    (udev / "b8:17").write_text("S:disk\nE:ID_FS_UUID=3249-86FE\nE:ID_FS_TYPE=vfat\n")
    assert facts(mount(), (), sysfs.root, udev).uuid == "3249-86FE"


@pytest.mark.root
def test_a_mount_is_noticed_at_once(tmp_path: Path) -> None:
    table = MountTable()
    table.read()
    poll = select.poll()
    poll.register(table, select.POLLIN)
    assert not poll.poll(0)
    subprocess.run(["mount", "-t", "tmpfs", "none", tmp_path], check=True)
    try:
        assert poll.poll(1000)
        assert os.fspath(tmp_path) in {m.mount_point for m in table.read()}
        assert not poll.poll(0)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert poll.poll(1000)
    assert os.fspath(tmp_path) not in {m.mount_point for m in table.read()}
    table.close()
