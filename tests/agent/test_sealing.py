"""What is encrypted ahead proves nothing by itself: it counts when the source, read again, is still that."""

from __future__ import annotations

import hashlib
import os

import pyrage
import pytest

from agent import sealing
from agent.sealing import Source, reads_as
from agent.streams import DepositFailed

ENTRY = "entry-000001"
CONTENT = b"id,sex,age\n" + b"1,2,34\n" * 30_000


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "f.csv"
    path.write_bytes(CONTENT)
    with path.open("rb") as file:
        yield Source(file.fileno(), os.fstat(file.fileno()), "root-1", "/media/x", "f.csv")


def left_in(safe):
    return [p.name for folder in ("tmp", "entries") for p in (safe.directory / folder).iterdir()]


def test_what_was_sealed_ahead_opens_as_what_is_there(safe, source, identity):
    ahead = safe.seal_ahead(source)
    assert not left_in(safe), "nothing of it is on the disk before it is known whether the file is taken"
    deposit = safe.deposit(ENTRY, source, 1.0, ahead=ahead)
    ciphertext = (safe.directory / "entries" / f"{ENTRY}.age").read_bytes()
    assert pyrage.decrypt(ciphertext, [identity]) == CONTENT
    assert (deposit.sha256, deposit.size) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    assert (deposit.ciphertext_sha256, deposit.ciphertext_size) == (
        hashlib.sha256(ciphertext).hexdigest(),
        len(ciphertext),
    )


def test_a_source_that_is_another_by_now_is_not_deposited_though_size_and_times_are_the_same(
    safe, source, tmp_path, monkeypatch
):
    ahead = safe.seal_ahead(source)
    (tmp_path / "f.csv").write_bytes(CONTENT[::-1])
    monkeypatch.setattr("agent.vault.os.fstat", lambda fd: source.status)
    for was_held in (False, True):  # a lease that is held now says nothing about the time of the sealing
        with pytest.raises(DepositFailed) as failure:
            safe.deposit(ENTRY, source, 1.0, was_held=lambda held=was_held: held, ahead=ahead)
        assert failure.value.reason == "changed" and not left_in(safe)


def test_large_and_empty_files_are_not_sealed_ahead(safe, source, tmp_path, monkeypatch):
    monkeypatch.setattr(sealing, "MOST_AHEAD_BYTES", len(CONTENT) - 1)
    assert safe.seal_ahead(source) is None
    (tmp_path / "f.csv").write_bytes(b"")
    assert safe.seal_ahead(Source(source.fd, os.fstat(source.fd), "r", "/", "f.csv")) is None


def test_a_source_that_shrinks_or_cannot_be_read_is_not_sealed_ahead(safe, source, tmp_path):
    (tmp_path / "f.csv").write_bytes(CONTENT[:100])
    assert safe.seal_ahead(source) is None
    assert safe.seal_ahead(Source(-1, source.status, "r", "/", "f.csv")) is None
    assert not reads_as(source, hashlib.sha256(CONTENT).hexdigest(), lambda: None)


def test_nothing_gets_a_name_without_permission(safe, source):
    seen = []

    def asked():
        seen.append(left_in(safe))
        return False

    with pytest.raises(DepositFailed) as failure:
        safe.deposit(ENTRY, source, 1.0, may_place=asked)
    assert failure.value.reason == "revoked" and failure.value.passing
    assert seen == [[ENTRY, f"{ENTRY}.json"]] or seen == [[f"{ENTRY}.json", ENTRY]]
    assert not left_in(safe)
