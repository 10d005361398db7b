"""Mounts and volumes, told from text and a made-up `/sys`."""

from __future__ import annotations

import json
import os
import select
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from agent.platform.linux import (
    SHARES,
    MountTable,
    facts,
    inside,
    mount_of,
    parse_mountinfo,
    visible,
)  # fmt: skip

LINE = b"36 27 8:17 / %s rw,nosuid shared:59 master:2 - vfat /dev/sdb1 rw,utf8\n"


OBSERVED = json.loads(Path(__file__).with_name("observed.json").read_text())


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


def test_what_is_mounted_over_is_not_seen(a_mount) -> None:
    mount = a_mount
    lower, upper, hidden = mount("8:1", point="/m"), mount("8:2", point="/m"), mount("8:3", point="/a/b")
    cover = mount("8:4", point="/a")
    assert visible([lower, upper]) == [upper]
    assert visible([hidden, cover]) == [cover]
    assert visible([cover, hidden]) == [cover, hidden]


def test_the_nearest_mount_carries_a_path(a_mount) -> None:
    mount = a_mount
    mounts = [mount("8:1", point="/"), mount("8:2", point="/media"), mount("8:3", point="/media/x")]
    for path, device in (("/media/x/y", "8:3"), ("/media/xy", "8:2"), ("/home", "8:1")):
        found = mount_of(path, mounts)
        assert found is not None and found.device == device
    assert inside("/a", "/a") and inside("/a/b", "/a") and inside("/a", "/") and not inside("/ab", "/a")


@pytest.mark.parametrize("drive", OBSERVED["drives"])
def test_a_drive_as_it_was_observed(made_up, drive) -> None:
    told = OBSERVED["drives"][drive]
    made_up.load(OBSERVED, [])
    [found] = parse_mountinfo(told["line"].encode())
    volume = facts(found, kernel=made_up.kernel)
    assert (volume.kind, volume.encryption_proof, volume.uuid) == (told["kind"], told["proof"], told["uuid"])


def test_a_drive_that_was_pulled_out_while_mounted_is_nothing_known(made_up) -> None:
    told = OBSERVED["pulled out while mounted by hand"]
    made_up.load(OBSERVED, told["gone"])
    [found] = parse_mountinfo(told["line"].encode())
    volume = facts(found, kernel=made_up.kernel)
    assert (volume.kind, volume.encrypted) == ("unknown", False)


@pytest.mark.parametrize("fstype", sorted(SHARES))
def test_shares(made_up, a_mount, fstype: str) -> None:
    assert made_up.kind(a_mount("0:50", fstype, "//server/share")) == "shared"
    assert {"cifs", "smb3", "nfs", "nfs4", "fuse.sshfs", "fuse.rclone"} <= SHARES


def test_what_has_no_device_is_unknown_and_unproven(made_up, a_mount) -> None:
    for of in (a_mount("0:50", "fuse.something", "x"), a_mount("8:99"), a_mount("../../etc", "ext4")):
        assert (made_up.kind(of), made_up.proof(of)) == ("unknown", "")
    assert made_up.kind(a_mount("0:51", "tmpfs", "tmpfs")) == "memory"


def test_globs_make_anything_removable_by_mount_point_or_source(made_up, a_mount) -> None:
    loop = a_mount("7:0", "ext4", "/dev/loop0", "/mnt/image")
    assert made_up.kind(loop, "/mnt/*") == made_up.kind(loop, "/dev/loop*") == "removable"
    assert made_up.kind(loop, "/mnt") == "unknown"


@pytest.mark.parametrize("crypt", [None, "CRYPT-LUKS2-" + "7" * 32 + "-x"])
def test_an_image_in_a_loop_device_is_where_its_file_is(made_up, a_mount, crypt) -> None:
    stick = made_up.stick(crypt=crypt)
    made_up.device("virtual/block/loop0", "7:0", removable="0", loop__backing_file="/media/x/a b/image")
    image = a_mount("7:0", "ext4", "/dev/loop0", "/mnt/image")
    assert made_up.kind(image, mounts=(stick, image)) == "removable"
    assert bool(made_up.proof(image, mounts=(stick, image))) is (crypt is not None)
    assert (made_up.kind(image), made_up.proof(image)) == ("fixed", "")


def test_an_image_that_lies_on_itself_ends(made_up, a_mount) -> None:
    made_up.device("virtual/block/loop0", "7:0", loop__backing_file="/mnt/image/image")
    image = a_mount("7:0", "ext4", "/dev/loop0", "/mnt/image")
    assert made_up.proof(image, mounts=(image,)) == ""


def test_a_share_on_which_an_encrypted_container_might_lie_proves_nothing(made_up, a_mount) -> None:
    of = made_up.stick(crypt="CRYPT-LUKS2-1-x")
    assert made_up.proof(of) and not made_up.proof(replace(of, fstype="nfs"))


def test_options_of_the_file_system_are_told_apart_from_those_of_the_mount() -> None:
    [found] = parse_mountinfo(LINE % b"/m")
    assert (found.options, found.super_options) == (("rw", "nosuid"), ("rw", "utf8"))


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
