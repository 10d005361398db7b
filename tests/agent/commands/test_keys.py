"""Keys are made once, for one reader, and never shown."""

from __future__ import annotations

import stat

import pyrage
import pytest

from agent.cli import run
from agent.commands.keys import read_identities, write_identity
from agent.errors import Mistyped
from agent.signing import is_locked
from config.settings import Approver


def test_a_new_key_is_closed_to_others_and_never_overwrites(tmp_path, capsys):
    file = tmp_path / "key.txt"
    assert run(["keys", "new", str(file)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("age1") and len(out.splitlines()) == 1
    assert "AGE-SECRET-KEY" not in out + err
    assert "keep it off every workstation" in err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert run(["keys", "new", str(file)]) == 2
    assert file.read_bytes() == before


def test_a_key_is_not_written_through_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert run(["keys", "new", str(tmp_path / "link")]) != 0
    assert not (tmp_path / "target").exists()


def test_what_was_written_opens_what_was_encrypted_for_it(tmp_path):
    recipient = write_identity(tmp_path / "key.txt")
    sealed = pyrage.encrypt(b"made up", [pyrage.x25519.Recipient.from_str(recipient)])
    assert pyrage.decrypt(sealed, read_identities(tmp_path / "key.txt")) == b"made up"


@pytest.mark.parametrize("content", [b"", b"# only a comment\n", b"AGE-SECRET-KEY-1NONSENSE", b"\xff\xfe"])
def test_a_file_that_is_no_key_is_refused_without_repeating_it(tmp_path, content):
    (tmp_path / "key.txt").write_bytes(content)
    with pytest.raises(Mistyped) as caught:
        read_identities(tmp_path / "key.txt")
    assert "NONSENSE" not in str(caught.value)


def test_a_missing_key_file_is_said_so(tmp_path):
    with pytest.raises(Mistyped, match="cannot be read"):
        read_identities(tmp_path / "none.txt")


def test_a_signing_key_is_closed_to_others_and_its_public_half_fits_the_configuration(tmp_path, capsys):
    file = tmp_path / "signing.pem"
    assert run(["keys", "new", "--signing", str(file)]) == 0
    out, err = capsys.readouterr()
    approver = Approver(name="A. Example", key=out.strip(), roles=["data_protection_officer"])
    assert len(approver.key_bytes) == 32
    assert "PRIVATE KEY" not in out + err and "give it to nobody" in err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"BEGIN PRIVATE KEY" in file.read_bytes()
    before = file.read_bytes()
    assert run(["keys", "new", "--signing", str(file)]) == 2
    assert file.read_bytes() == before


def test_a_passphrase_is_for_signing_keys(tmp_path, monkeypatch):
    monkeypatch.setattr("click.prompt", lambda *_, **__: "made-up words")
    assert run(["keys", "new", "--protect", str(tmp_path / "x")]) == 2
    assert run(["keys", "new", "--signing", "--protect", str(tmp_path / "y")]) == 0
    assert is_locked((tmp_path / "y").read_bytes())
