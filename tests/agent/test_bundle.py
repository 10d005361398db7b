"""Bundles: whole or not there, checkable by anybody, and no plain content on any disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pyrage
import pytest

from agent.bundle import Bundle, entries_in, entry_in
from agent.errors import NotPermitted, Refused, VaultTrouble
from agent.sealing import Source
from agent.vault import Vault, decrypt_file, manifest, parse_recipients, unseal_xattrs

CONTENT = os.urandom(100) + b"caseid,sex\n1,2\n" * 200_000
IDS = ("01234567-one", "01234567-two")


class Desk:
    def __init__(self, base: Path) -> None:
        self.base, self.vault = base, base / "vault"
        self.mine, self.other = (pyrage.x25519.Identity.generate() for _ in range(2))
        for folder in (self.vault / "tmp", self.vault / "entries"):
            folder.mkdir(parents=True)
        for entry_id in IDS:
            file = base / f"{entry_id}.csv"
            file.write_bytes(CONTENT)
            os.setxattr(file, "user.origin", b"made up")
            fd = os.open(file, os.O_RDONLY)
            try:
                source = Source(fd, os.fstat(fd), "root", str(base), file.name)
                Vault(self.vault, [str(self.mine.to_public())], 0).deposit(entry_id, source, time.time())
            finally:
                os.close(fd)

    def export(self, folder: Path) -> Path:
        with Bundle(folder, "host-1") as bundle:
            for entry_id in IDS:
                bundle.copy(manifest(self.vault, entry_id), self.vault / "entries" / f"{entry_id}.age")
        return folder

    def rewrap(self, source: Path, target: Path, *ids: str, identity: Any = None) -> Path:
        recipients = parse_recipients([str(self.other.to_public())])
        with Bundle(target, "") as bundle:
            for entry_id in ids or IDS:
                bundle.rewrap(*entry_in(source, entry_id), [identity or self.mine], recipients)
        return target


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def content_of(folder: Path, entry_id: str, identity: Any) -> bytes:
    found, ciphertext = entry_in(folder, entry_id)
    fd = os.memfd_create("content")
    try:
        decrypt_file(ciphertext, found.sha256, [identity], fd)
        return os.pread(fd, found.size + 1, 0)
    finally:
        os.close(fd)


def test_a_bundle_is_checked_with_sha256sum(desk: Desk, tmp_path: Path) -> None:
    for folder in (desk.export(tmp_path / "b"), desk.rewrap(tmp_path / "b", tmp_path / "c")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        check = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
        done = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=True)
        assert len(done.stdout.splitlines()) == 5
        assert entries_in(folder) == sorted(IDS)
        assert {p.name for p in folder.iterdir()} == {
            "SHA256SUMS", "bundle.json", *(f"{i}{end}" for i in IDS for end in (".age", ".json"))
        }  # fmt: skip
        listed = json.loads((folder / "bundle.json").read_text())
        assert [e["entry_id"] for e in listed["entries"]] == list(IDS)


def test_rewrapped_entries_open_with_the_other_key_only(desk: Desk, tmp_path: Path) -> None:
    new = desk.rewrap(desk.export(tmp_path / "b"), tmp_path / "c")
    for entry_id in IDS:
        assert content_of(new, entry_id, desk.other) == CONTENT
        found = entry_in(new, entry_id)[0]
        assert unseal_xattrs(found, [desk.other]) == {"user.origin": b"made up"}
        assert found.ciphertext_size == (new / f"{entry_id}.age").stat().st_size


def test_the_plain_content_is_on_no_disk_meanwhile(desk: Desk, tmp_path: Path) -> None:
    new = desk.rewrap(desk.export(tmp_path / "b"), tmp_path / "c")
    marks = (CONTENT[:100], b"caseid,sex", b"made up")
    assert not [p for p in new.iterdir() for mark in marks if mark in p.read_bytes()]


@pytest.mark.parametrize("damage", ["bit", "half", "empty", "missing", "other"])
def test_nothing_stays_of_a_bundle_that_failed(desk: Desk, tmp_path: Path, damage: str) -> None:
    folder = desk.export(tmp_path / "b")
    file = folder / f"{IDS[1]}.age"
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "other":
        key = pyrage.x25519.Recipient.from_str(str(desk.mine.to_public()))
        file.write_bytes(pyrage.encrypt(b"another content", [key]))
    else:
        bad = {"bit": whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], "half": whole[:9999], "empty": b""}
        file.write_bytes(bad[damage])
    with pytest.raises(VaultTrouble):
        desk.rewrap(folder, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_the_wrong_key_makes_no_bundle(desk: Desk, tmp_path: Path) -> None:
    folder = desk.export(tmp_path / "b")
    with pytest.raises(VaultTrouble, match="identity"):
        desk.rewrap(folder, tmp_path / "c", identity=desk.other)
    assert not (tmp_path / "c").exists()


def test_a_changed_ciphertext_is_not_exported(desk: Desk, tmp_path: Path) -> None:
    file = desk.vault / "entries" / f"{IDS[0]}.age"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(VaultTrouble, match="changed"):
        desk.export(tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_bundle_never_goes_into_a_folder_that_is_there(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").write_bytes(b"mine")
    with pytest.raises(Refused):
        desk.export(tmp_path / "b")
    with pytest.raises(NotPermitted):
        desk.export(tmp_path / "none" / "b")
    assert (tmp_path / "b" / "mine").read_bytes() == b"mine"


def test_a_manifest_of_another_entry_is_refused(desk: Desk, tmp_path: Path) -> None:
    folder = desk.export(tmp_path / "b")
    (folder / f"{IDS[0]}.json").write_bytes((folder / f"{IDS[1]}.json").read_bytes())
    with pytest.raises(VaultTrouble, match="holds no entry"):
        entry_in(folder, IDS[0])
