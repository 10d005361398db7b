"""Giving back: the very bytes and metadata, over nobody's file, through nobody's link."""

from __future__ import annotations

import os
import stat
import struct
import time

import pyrage
import pytest

from agent.errors import Refused, VaultTrouble
from agent.giving_back import give_back
from agent.sealing import Source
from agent.vault import Vault, manifest

CONTENT = b"caseid,sex\n1,2\n" * 5000
ENTRY = "01234567-entry"


@pytest.fixture
def place(tmp_path, identity):
    """(vault, root, manifest of a deposited file that is gone from its place)."""
    vault, root = tmp_path / "vault", tmp_path / "root"
    for folder in (vault / "tmp", vault / "entries", root / "sub"):
        folder.mkdir(parents=True)
    file = root / "sub" / "a.csv"
    file.write_bytes(CONTENT)
    file.chmod(0o640)
    os.utime(file, ns=(1_600_000_000_000_000_001, 1_500_000_000_000_000_002))
    try:
        os.setxattr(file, "user.origin", b"made up")
    except OSError:
        pass
    fd = os.open(file, os.O_RDONLY)
    try:
        source = Source(fd, os.fstat(fd), "root", str(root), "sub/a.csv")
        Vault(vault, [str(identity.to_public())], 0).deposit(ENTRY, source, time.time())
    finally:
        os.close(fd)
    file.unlink()
    return vault, root, manifest(vault, ENTRY)


def test_bytes_and_metadata_come_back(place, identity):
    vault, root, entry = place
    assert give_back(vault, entry, [identity], root, "sub/a.csv") == []
    back = root / "sub" / "a.csv"
    known = back.stat()
    assert back.read_bytes() == CONTENT
    assert stat.S_IMODE(known.st_mode) == 0o640
    assert known.st_mtime_ns == 1_500_000_000_000_000_002
    assert (known.st_uid, known.st_gid) == (entry.uid, entry.gid)
    if entry.sealed_xattrs:
        assert os.getxattr(back, "user.origin") == b"made up"
    assert os.listdir(root / "sub") == ["a.csv"]


def test_nothing_is_overwritten(place, identity):
    vault, root, entry = place
    (root / "sub" / "a.csv").write_bytes(b"somebody else's")
    with pytest.raises(Refused, match="nothing was overwritten"):
        give_back(vault, entry, [identity], root, "sub/a.csv")
    assert (root / "sub" / "a.csv").read_bytes() == b"somebody else's"
    assert os.listdir(root / "sub") == ["a.csv"]


def test_a_file_that_appears_meanwhile_is_not_overwritten(place, identity, monkeypatch):
    vault, root, entry = place
    monkeypatch.setattr("agent.giving_back.refuse_taken", lambda parent, name: None)
    (root / "sub" / "a.csv").write_bytes(b"somebody else's")
    with pytest.raises(Refused):
        give_back(vault, entry, [identity], root, "sub/a.csv")
    assert (root / "sub" / "a.csv").read_bytes() == b"somebody else's"
    assert os.listdir(root / "sub") == ["a.csv"]


@pytest.mark.parametrize("with_links", [True, False])
def test_without_the_rename_flag_it_still_never_overwrites(place, identity, monkeypatch, with_links):
    vault, root, entry = place

    def unknown(*_):
        raise OSError(22, "Invalid argument")

    def no_links(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("agent.giving_back.rename_no_replace", unknown)
    if not with_links:
        monkeypatch.setattr(os, "link", no_links)
    assert give_back(vault, entry, [identity], root, "sub/a.csv") == []
    assert (root / "sub" / "a.csv").read_bytes() == CONTENT
    assert os.listdir(root / "sub") == ["a.csv"]
    monkeypatch.setattr("agent.giving_back.refuse_taken", lambda parent, name: None)
    with pytest.raises(Refused):
        give_back(vault, entry, [identity], root, "sub/a.csv")
    assert os.listdir(root / "sub") == ["a.csv"]


def test_a_link_on_the_way_is_refused(place, identity, tmp_path):
    vault, root, entry = place
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "sub").rmdir()
    (root / "sub").symlink_to(outside)
    with pytest.raises(Refused):
        give_back(vault, entry, [identity], root, "sub/a.csv")
    assert os.listdir(outside) == []


def test_a_folder_that_is_gone_is_said_so(place, identity):
    vault, root, entry = place
    (root / "sub").rmdir()
    with pytest.raises(Refused, match="not there any more"):
        give_back(vault, entry, [identity], root, "sub/a.csv")


def test_the_wrong_key_leaves_nothing_behind(place):
    vault, root, entry = place
    with pytest.raises(VaultTrouble):
        give_back(vault, entry, [pyrage.x25519.Identity.generate()], root, "sub/a.csv")
    assert os.listdir(root / "sub") == []


def test_a_damaged_entry_leaves_nothing_behind(place, identity):
    vault, root, entry = place
    file = vault / "entries" / f"{ENTRY}.age"
    damaged = bytearray(file.read_bytes())
    damaged[-20] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(VaultTrouble):
        give_back(vault, entry, [identity], root, "sub/a.csv")
    assert os.listdir(root / "sub") == []


@pytest.mark.root
def test_a_right_to_become_somebody_else_never_comes_back(tmp_path, identity):
    """A stick that was mounted nosuid may call its files what it likes."""
    vault, root = tmp_path / "vault", tmp_path / "root"
    for folder in (vault / "tmp", vault / "entries", root):
        folder.mkdir(parents=True)
    file = root / "a.csv"
    file.write_bytes(CONTENT)
    file.chmod(0o6755)
    capability = bytes.fromhex("0000000200200000000000000000000000000000")
    os.setxattr(file, "security.capability", capability)
    fd = os.open(file, os.O_RDONLY)
    try:
        source = Source(fd, os.fstat(fd), "root", str(root), "a.csv")
        Vault(vault, [str(identity.to_public())], 0).deposit(ENTRY, source, time.time())
    finally:
        os.close(fd)
    file.unlink()
    assert give_back(vault, manifest(vault, ENTRY), [identity], root, "a.csv") == ["set_id"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o755
    assert "security.capability" not in os.listxattr(file)


@pytest.mark.root
def test_owner_and_access_list_come_back(tmp_path, identity):
    vault, root = tmp_path / "vault", tmp_path / "root"
    for folder in (vault / "tmp", vault / "entries", root):
        folder.mkdir(parents=True)
    file = root / "a.csv"
    file.write_bytes(CONTENT)
    os.chown(file, 1, 2)
    # acl(5): version 2, then (tag, permissions, id): owner, user 1, group, mask, others
    entries = [(1, 6, 2**32 - 1), (2, 4, 1), (4, 4, 2**32 - 1), (16, 6, 2**32 - 1), (32, 0, 2**32 - 1)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(file, "system.posix_acl_access", access)
    mode = stat.S_IMODE(file.stat().st_mode)
    fd = os.open(file, os.O_RDONLY)
    try:
        source = Source(fd, os.fstat(fd), "root", str(root), "a.csv")
        Vault(vault, [str(identity.to_public())], 0).deposit(ENTRY, source, time.time())
    finally:
        os.close(fd)
    file.unlink()
    assert give_back(vault, manifest(vault, ENTRY), [identity], root, "a.csv") == []
    assert os.getxattr(file, "system.posix_acl_access") == access
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert (file.stat().st_uid, file.stat().st_gid) == (1, 2)
