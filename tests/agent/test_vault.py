"""The vault: what comes out is what was there, or nothing went in."""

from __future__ import annotations

import errno
import json
import os
import subprocess

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from agent import streams, vault
from agent.sealing import Source
from agent.streams import DepositFailed
from agent.vault import BadRecipient, Vault, VaultError

ENTRY = "entry-000001"


@pytest.fixture
def source(tmp_path):
    made = []

    def make(content=b"content", name="f.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        made.append(os.open(path, os.O_RDONLY))
        return Source(made[-1], os.fstat(made[-1]), "root-1", "/media/x", name)

    yield make
    for fd in made:
        os.close(fd)


def opened(safe, identity, tmp_path, entry_id=ENTRY):
    with (tmp_path / "out").open("wb") as out:
        found = vault.decrypt_to(safe.directory, entry_id, [identity], out.fileno())
    return (tmp_path / "out").read_bytes(), found


def nothing_in(safe):
    return not [*(safe.directory / "tmp").iterdir(), *(safe.directory / "entries").iterdir()]


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 3_500_000])
def test_what_comes_out_is_what_went_in(safe, identity, source, tmp_path, size):
    content = os.urandom(size)
    deposit = safe.deposit(ENTRY, source(content), 1.0)
    back, found = opened(safe, identity, tmp_path)
    assert back == content
    assert (deposit.size, found.size, found.sha256) == (size, size, deposit.sha256)
    vault.verify(safe.directory, ENTRY)
    assert deposit.ciphertext_size == (safe.directory / "entries" / f"{ENTRY}.age").stat().st_size


def test_the_offset_of_the_descriptor_changes_nothing(safe, identity, source, tmp_path):
    one = source(b"0123456789")
    os.lseek(one.fd, 7, os.SEEK_SET)
    safe.deposit(ENTRY, one, 1.0)
    assert opened(safe, identity, tmp_path)[0] == b"0123456789"
    assert os.lseek(one.fd, 0, os.SEEK_CUR) == 7


def test_the_manifest_says_where_from_and_what_it_was_but_nothing_of_the_content(safe, identity, source):
    one = source(b"canary-in-content", os.fsdecode(b"na\xffme\n.csv"))
    os.setxattr(one.fd, "user.comment", b"canary-in-attribute")
    os.fchmod(one.fd, 0o640)
    one = Source(one.fd, os.fstat(one.fd), "root-1", "/media/x", one.relpath)
    safe.deposit(ENTRY, one, 5.0)
    raw = (safe.directory / "entries" / f"{ENTRY}.json").read_bytes()
    assert b"canary" not in raw
    found = vault.manifest(safe.directory, ENTRY)
    assert os.fsencode(found.relpath) == b"na\xffme\n.csv"
    assert (found.mode, found.uid, found.deposited_at) == (0o640, os.getuid(), 5.0)
    assert found.mtime_ns == one.status.st_mtime_ns
    assert vault.unseal_xattrs(found, [identity])["user.comment"] == b"canary-in-attribute"
    with pytest.raises(VaultError):
        vault.unseal_xattrs(found, [pyrage.x25519.Identity.generate()])


def test_entries_can_be_read_by_nobody_else(safe, source):
    safe.deposit(ENTRY, source(), 1.0)
    for path in (safe.directory / "entries").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_changes_meanwhile_is_not_taken(safe, source, tmp_path):
    one = source(b"x" * 100)
    with pytest.raises(DepositFailed, match="changed"):
        safe.deposit(ENTRY, one, 1.0, lambda: (tmp_path / "f.csv").write_bytes(b"y" * 100))
    assert nothing_in(safe)


@pytest.mark.parametrize("change", [b"x" * 50, b"x" * 200])
def test_a_file_that_shrinks_or_grows_is_not_taken(safe, source, tmp_path, change):
    one = source(b"x" * 100)
    (tmp_path / "f.csv").write_bytes(change)
    with pytest.raises(DepositFailed, match="changed"):
        safe.deposit(ENTRY, one, 1.0)
    assert nothing_in(safe)


def test_whatever_ends_a_deposit_leaves_nothing_behind(safe, source):
    class Ended(Exception):
        pass

    def end():
        raise Ended

    with pytest.raises(Ended):
        safe.deposit(ENTRY, source(b"x" * 100), 1.0, end)
    assert nothing_in(safe)


def test_a_reserve_is_kept(safe, source):
    safe.reserve_bytes = 1 << 60
    with pytest.raises(DepositFailed, match="vault_full"):
        safe.deposit(ENTRY, source(), 1.0)
    assert nothing_in(safe)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(errno.ENOSPC, "vault_full"), (errno.EDQUOT, "vault_full"), (errno.EIO, "vault_error")],
)
@pytest.mark.parametrize("call", ["fsync", "pread"])
def test_a_fault_of_a_disk_has_a_name(safe, source, monkeypatch, call, code, reason):
    def fail(*_):
        raise OSError(code, "made up")

    monkeypatch.setattr(streams.os, call, fail)
    with pytest.raises(DepositFailed, match="io_error" if call == "pread" else reason):
        safe.deposit(ENTRY, source(), 1.0)
    assert nothing_in(safe)


@pytest.mark.root
def test_a_truly_full_disk_takes_nothing_and_loses_nothing(safe, source, identity, tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(safe.directory)], check=True)
    try:
        for name in ("tmp", "entries"):
            (safe.directory / name).mkdir()
        safe._check_room = lambda size: None  # somebody else filled it after the check
        with pytest.raises(DepositFailed, match="vault_full"):
            safe.deposit(ENTRY, source(os.urandom(1_000_000)), 1.0)
        assert nothing_in(safe)
        safe.deposit(ENTRY, source(b"small", "g"), 1.0)
    finally:
        subprocess.run(["umount", str(safe.directory)], check=True)


def test_an_entry_is_on_the_disk_before_it_has_its_name(safe, source, monkeypatch):
    calls = []
    real_fsync, real_rename = os.fsync, os.rename
    monkeypatch.setattr(
        os, "fsync", lambda fd: (calls.append(os.readlink(f"/proc/self/fd/{fd}")), real_fsync(fd))
    )
    monkeypatch.setattr(os, "rename", lambda *a, **k: (calls.append("rename"), real_rename(*a, **k)))
    safe.deposit(ENTRY, source(), 1.0)
    tmp, entries = safe.directory / "tmp", safe.directory / "entries"
    assert calls == [f"{tmp}/{ENTRY}", f"{tmp}/{ENTRY}.json", "rename", "rename", str(entries)]


def test_what_may_not_stay_leaves_nothing(safe, source):
    seen = []

    def may_stay():
        seen.append(sorted(p.name for p in (safe.directory / "entries").iterdir()))
        return False

    with pytest.raises(DepositFailed, match="changed"):
        safe.deposit(ENTRY, source(), 1.0, may_stay=may_stay)
    assert seen == [[f"{ENTRY}.age", f"{ENTRY}.json"]] and nothing_in(safe)


def test_two_deposits_never_share_an_entry_under_way(safe, source):
    (safe.directory / "tmp" / ENTRY).write_bytes(b"")
    with pytest.raises(DepositFailed, match="vault_error"):
        safe.deposit(ENTRY, source(), 1.0)


@pytest.mark.parametrize("bad", ["../../etc", "a/b", "", "x" * 100, "..", "entry\n00001"])
def test_an_entry_id_is_no_path(safe, source, bad):
    with pytest.raises(VaultError):
        safe.deposit(bad, source(), 1.0)
    with pytest.raises(VaultError):
        vault.verify(safe.directory, bad)


def test_each_recipient_can_open_it(tmp_path, safe, source, identity):
    second = pyrage.x25519.Identity.generate()
    both = Vault(safe.directory, [str(identity.to_public()), str(second.to_public())], 0)
    both.deposit(ENTRY, source(b"content"), 1.0)
    assert opened(both, identity, tmp_path)[0] == opened(both, second, tmp_path)[0] == b"content"
    with pytest.raises(VaultError):
        opened(both, pyrage.x25519.Identity.generate(), tmp_path)


def ssh_key(kind):
    """(private key as OpenSSH writes it, public line)."""
    made = (
        ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    )
    private = made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return private, made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.root
def test_age_keys_and_ssh_keys_side_by_side_each_open_an_entry_and_so_does_debians_age(
    tmp_path, safe, source, identity, need
):
    need("age")
    keys = {kind: ssh_key(kind) for kind in ("ed25519", "rsa")}
    lines = [str(identity.to_public()), *(public for _, public in keys.values())]
    Vault(safe.directory, lines, 0).deposit(ENTRY, source(b"content"), 1.0)
    entry = safe.directory / "entries" / f"{ENTRY}.age"
    (tmp_path / "age").write_text(f"{identity}\n")
    for kind, (private, _) in keys.items():
        (tmp_path / kind).write_bytes(private)
        assert opened(safe, pyrage.ssh.Identity.from_buffer(private), tmp_path)[0] == b"content"
    for kind in ("age", *keys):
        (tmp_path / kind).chmod(0o600)
        done = subprocess.run(["age", "-d", "-i", tmp_path / kind, entry], capture_output=True, check=True)
        assert done.stdout == b"content", kind


@pytest.mark.parametrize("lines", [[], ["age1nonsense"], ["ssh-rsa nonsense"], ["AGE-SECRET-KEY-1XYZ"], [""]])
def test_a_recipient_that_is_none_is_refused_and_not_repeated(lines):
    with pytest.raises(BadRecipient) as caught:
        vault.parse_recipients(lines)
    assert not any(line and line in str(caught.value) for line in lines)


@pytest.mark.parametrize("damage", ["flip", "truncate", "header", "remove"])
def test_damage_is_found_without_the_key(safe, source, identity, tmp_path, damage):
    safe.deposit(ENTRY, source(b"content" * 1000), 1.0)
    path = safe.directory / "entries" / f"{ENTRY}.age"
    raw = bytearray(path.read_bytes())
    if damage == "flip":
        raw[-1] ^= 1
    elif damage == "truncate":
        del raw[-10:]
    elif damage == "header":
        raw[0] ^= 1
    path.write_bytes(raw)
    if damage == "remove":
        path.unlink()
    with pytest.raises(VaultError):
        vault.verify(safe.directory, ENTRY)
    with pytest.raises(VaultError):
        opened(safe, identity, tmp_path)


def test_a_damaged_manifest_is_named_and_hides_no_other(safe, source):
    safe.deposit(ENTRY, source(), 1.0)
    safe.deposit("entry-000002", source(b"2", "g"), 1.0)
    path = safe.directory / "entries" / f"{ENTRY}.json"
    for damage in (b"{", b"[]", b"{}", json.dumps({**json.loads(path.read_bytes()), "more": 1}).encode()):
        path.write_bytes(damage)
        assert [m.entry_id for m in vault.manifests(safe.directory)] == ["entry-000002"]
        with pytest.raises(VaultError):
            vault.manifest(safe.directory, ENTRY)


def test_a_discarded_entry_is_gone_and_can_be_discarded_again(safe, source):
    safe.deposit(ENTRY, source(), 1.0)
    safe.discard(ENTRY)
    safe.discard(ENTRY)
    assert nothing_in(safe)
