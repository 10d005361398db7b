"""What counts as a proof of encryption, and what only looks like one."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from agent.platform.linux import MountTable, facts
from agent.platform.linux_encryption import VIEWS
from agent.volume_facts import Device

USB = "pci0000:00/0000:00:14.0/usb2/2-1"
SATA = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block"
UUID = "77948fd5a7bf4300bb0a5d7ceaab01ef"


@pytest.mark.parametrize("kind", ["LUKS1", "LUKS2", "PLAIN", "TCRYPT", "BITLK"])
def test_every_map_of_cryptsetups_that_encrypts_is_a_proof(made_up, kind: str) -> None:
    of = made_up.stick(crypt=f"CRYPT-{kind}-{UUID}-x")
    assert made_up.proof(of) == f"dm-crypt {kind} {UUID}"
    made_up.tables = {"253:0": ("crypt aes-xts-plain64",)}
    assert made_up.proof(of) == f"dm-crypt {kind} {UUID} aes-xts-plain64"


@pytest.mark.parametrize(
    "uuid", ["", "LVM-abc", "CRYPT-VERITY-77-x", "CRYPT-INTEGRITY-x", "crypt-luks2-x", "XCRYPT-LUKS2"]
)
def test_anything_else_counts_as_unencrypted(made_up, uuid: str) -> None:
    assert made_up.proof(made_up.stick(crypt=uuid)) == ""


def test_a_map_without_a_uuid_is_known_by_its_table(made_up) -> None:
    """VeraCrypt, and `dmsetup` by hand."""
    of = made_up.stick(crypt="")
    made_up.tables = {"253:0": ("crypt serpent-xts-plain64",)}
    assert made_up.proof(of) == "dm-crypt serpent-xts-plain64"


@pytest.mark.parametrize(
    "table", [("crypt cipher_null-ecb",), ("crypt ?",), ("linear",), ("crypt aes-xts-plain64", "linear"), ()]
)
def test_the_table_unmasks_what_the_uuid_only_claims(made_up, table: tuple[str, ...]) -> None:
    of = made_up.stick(crypt=f"CRYPT-LUKS1-{UUID}-x")
    made_up.tables = {"253:0": table}
    assert made_up.proof(of) == ""


def test_the_name_of_a_map_is_the_users_and_no_part_of_the_proof(made_up) -> None:
    assert made_up.proof(made_up.stick(crypt="CRYPT-PLAIN-anything\x1b[2J")) == "dm-crypt PLAIN"


@pytest.mark.parametrize(
    "tables", [None, {"253:0": ("crypt aes-xts-plain64",), "253:1": ("linear", "linear")}]
)
def test_a_volume_on_a_crypt_map_is_proven_and_one_with_a_plain_leg_is_not(made_up, a_mount, tables) -> None:
    made_up.tables = tables
    disk = made_up.device(f"{SATA}/sda", "8:0", removable="0")
    crypt = made_up.device("virtual/block/dm-0", "253:0", dm__uuid=f"CRYPT-LUKS2-{UUID}-x")
    made_up.slave(crypt, disk)
    volume = made_up.device("virtual/block/dm-1", "253:1", dm__uuid="LVM-abc")
    made_up.slave(volume, crypt)
    assert made_up.proof(a_mount("253:1")).startswith(f"dm-crypt LUKS2 {UUID}")
    made_up.slave(volume, made_up.device(f"{SATA}/sdc", "8:32", removable="0"))
    assert made_up.proof(a_mount("253:1")) == ""


@pytest.mark.parametrize(
    ("registered", "counts"),
    [
        (Device("0951", "16d5", "A1"), True),
        (Device("0951", "16d5", "A2"), False),
        (Device("0951", "16d6", "A1"), False),
        (Device("0952", "16d5", "A1"), False),
    ],
)
def test_a_device_of_the_register_by_all_that_it_says(made_up, registered: Device, counts: bool) -> None:
    of = made_up.stick()
    made_up.files(USB, idVendor="0951", idProduct="16d5", serial="A1")
    assert made_up.proof(of) == ""
    assert made_up.proof(of, registered) == ("approved device 0951:16d5 A1" if counts else "")


def test_a_device_that_says_no_serial_number_is_in_no_register(made_up) -> None:
    of = made_up.stick()
    made_up.files(USB, idVendor="0951", idProduct="16d5")
    assert made_up.proof(of, Device("0951", "16d5", "")) == ""


VIEW = ("0:50", "fuse.gocryptfs", "/home/a/cipher", "/home/a/plain")


def test_a_view_counts_if_the_systems_own_program_serves_it(made_up, a_mount) -> None:
    made_up.process(1, "/usr/lib/systemd/systemd", fuse=False)
    assert made_up.proof(a_mount(*VIEW)) == ""
    made_up.process(70, "/usr/bin/gocryptfs", "-fg", "/home/a/cipher", "/home/a/plain")
    assert made_up.proof(a_mount(*VIEW)) == "gocryptfs view"
    assert made_up.kind(a_mount(*VIEW)) == "unknown"


def test_a_view_is_known_by_a_relative_word_too(made_up, a_mount) -> None:
    made_up.process(1, "/usr/lib/systemd/systemd", fuse=False)
    made_up.process(70, "/usr/bin/gocryptfs", "cipher", "./plain")
    assert made_up.proof(a_mount(*VIEW)) == "gocryptfs view"


@pytest.mark.parametrize(
    "sham",
    [
        {"program": "/home/a/bin/gocryptfs"},
        {"program": "/usr/bin/sshfs"},
        {"words": ("/home/a/cipher", "/home/a/other")},
        {"namespace": "mnt:[2]"},
        {"fuse": False},
    ],
)
def test_a_file_system_that_only_calls_itself_so_is_no_proof(made_up, a_mount, sham) -> None:
    made_up.process(1, "/usr/lib/systemd/systemd", fuse=False)
    plain = {"program": "/usr/bin/gocryptfs", "words": ("/home/a/cipher", "/home/a/plain"), **sham}
    made_up.process(70, plain.pop("program"), *plain.pop("words"), **plain)
    assert made_up.proof(a_mount(*VIEW)) == ""


@pytest.mark.parametrize(
    ("options", "proof"),
    [
        (("rw", "ecryptfs_sig=1f", "ecryptfs_cipher=aes", "ecryptfs_key_bytes=16"), "ecryptfs aes"),
        (("rw", "ecryptfs_cipher=aes", "ecryptfs_passthrough"), ""),
        (("rw", "ecryptfs_cipher=aes", "ecryptfs_encrypted_view"), ""),
        (("rw",), ""),
    ],
)
def test_ecryptfs_by_its_options(made_up, a_mount, options: tuple[str, ...], proof: str) -> None:
    of = a_mount("0:51", "ecryptfs", "/home/.ecryptfs/a", "/home/a", options)
    assert made_up.proof(of) == proof


@pytest.mark.root
def test_a_real_view_is_proven_and_a_sham_of_its_name_is_not(tmp_path: Path, need) -> None:
    need("gocryptfs", "fusermount3")
    cipher, plain, sham = (tmp_path / name for name in ("cipher", "plain", "sham"))
    for folder in (cipher, plain, sham):
        folder.mkdir()
    (tmp_path / "word").write_text("made up")
    quiet = ["gocryptfs", "-q", "-nosyslog", "-passfile", str(tmp_path / "word")]
    subprocess.run([*quiet, "-init", "-scryptn", "10", str(cipher)], check=True)
    subprocess.run([*quiet, str(cipher), str(plain)], check=True, stdout=subprocess.DEVNULL)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        try:
            # anybody may give a file system of their own any name
            subprocess.run(
                ["fusermount3", "-o", "fsname=x,subtype=gocryptfs", "--", str(sham)],
                check=True, pass_fds=[theirs.fileno()],
                env={"PATH": os.environ["PATH"], "_FUSE_COMMFD": str(theirs.fileno())},
            )  # fmt: skip
            table = MountTable()
            mounts = table.read()
            table.close()
            proofs = {m.mount_point: facts(m, mounts).encryption_proof for m in mounts if m.fstype in VIEWS}
            assert proofs[str(plain)] == "gocryptfs view"
            assert proofs[str(sham)] == ""
        finally:
            for folder in (plain, sham):
                subprocess.run(["umount", "-l", str(folder)], check=False)
