"""Attributes: sealed whole, known again, and nothing to be guessed from what lies open."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import pyrage
import pytest

from agent.attributes import MAX_BYTES, BadAttributes, named, seal, seal_those_of, unseal

IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENTS = [IDENTITY.to_public()]


@pytest.fixture
def file(tmp_path: Path) -> int:
    path = tmp_path / "x"
    path.write_bytes(b"x")
    os.setxattr(path, "user.note", b"made up")
    return os.open(path, os.O_RDONLY)


def test_they_come_back_by_name(file: int) -> None:
    sealed, digest = seal_those_of(file, RECIPIENTS)
    assert named(unseal(sealed, digest, [IDENTITY])) == {"user.note": b"made up"}


def test_a_file_without_any_has_nothing_sealed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    assert seal_those_of(os.open(tmp_path / "x", os.O_RDONLY), RECIPIENTS) == ("", "")
    assert named(unseal("", "", [])) == {}


def test_the_digest_cannot_be_guessed_from_what_an_attribute_may_say(file: int) -> None:
    first, second = (seal_those_of(file, RECIPIENTS)[1] for _ in range(2))
    guess = json.dumps({"user.note": base64.b64encode(b"made up").decode()}).encode()
    assert first != second and hashlib.sha256(guess).hexdigest() not in (first, second)


def test_others_than_were_taken_are_refused(file: int) -> None:
    _, digest = seal_those_of(file, RECIPIENTS)
    with pytest.raises(BadAttributes, match="not what was taken"):
        unseal(seal(b"{}", RECIPIENTS), digest, [IDENTITY])


@pytest.mark.parametrize("sealed", ["x", "AAAA", base64.b64encode(b"age-encryption.org/v1\n").decode()])
def test_what_does_not_open_is_refused(sealed: str) -> None:
    with pytest.raises(BadAttributes):
        unseal(sealed, "", [IDENTITY])


@pytest.mark.parametrize("plain", [b"[]", b"x", b'{"a": 1}', b'{"a": "?"}'])
def test_what_is_no_list_of_attributes_is_refused(plain: bytes) -> None:
    with pytest.raises(BadAttributes):
        named(plain)


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch, file: int) -> None:
    monkeypatch.setattr(os, "listxattr", lambda fd: ["user.a", "user.b"])
    monkeypatch.setattr(os, "getxattr", lambda fd, name: b"x" * (MAX_BYTES - 100))
    sealed, digest = seal_those_of(file, RECIPIENTS)
    assert list(named(unseal(sealed, digest, [IDENTITY]))) == ["user.a"]
