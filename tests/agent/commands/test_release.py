"""A release as people do it: request, two signatures, rewrap elsewhere, complete. And what is refused.

One story runs through `agent.commands.release`, `agent.commands.approving`, `agent.commands.handover` and, at
its end, `agent.commands.dispose`.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path

import pytest
from running_service import until

from agent import audit
from agent.cli import run
from agent.commands.demo_service import DemoService
from agent.demo_files import demo_files

CONTENT = {file.name: file.content for file in demo_files()}["survey_2026.csv"]
RESTRICTED = """
[[watch.roots]]
path = "{base}/restricted"
handling = "restricted"
"""


class Office:
    """A workstation with one file in custody, two approvers, and the security team's other machine."""

    def __init__(self, base: Path, owner, officer, both) -> None:
        self.base, self.owner, self.officer, self.both = base, owner, officer, both
        self.service = DemoService(base)
        self.service.prepare()
        (base / "restricted").mkdir()
        approvers = "".join(person.stanza() for person in (owner, officer, both))
        self.service.config.write_text(
            self.service.config.read_text() + RESTRICTED.format(base=base) + approvers
        )
        (base / "approvers.toml").write_text(approvers)
        self.file = self.service.watched / "survey_2026.csv"

    def open_up(self) -> None:
        self.service.start()
        self.service.wait_until_up()
        self.file.write_bytes(CONTENT)
        self.file.chmod(0o640)
        self.entry = self.service.entry_of(self.file)

    @property
    def entry_id(self) -> str:
        return self.entry["entry_id"]


@pytest.fixture(scope="module")
def office(signatory):
    with tempfile.TemporaryDirectory(prefix="rw-release-") as folder, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RECORDWARDEN_")]:
            patch.delenv(name)
        office = Office(
            Path(folder).resolve(),
            signatory("A. Owner", "information_asset_owner"),
            signatory("B. Officer", "data_protection_officer"),
            signatory("C. Both", "information_asset_owner", "data_protection_officer"),
        )
        try:
            office.open_up()
            yield office
        finally:
            office.service.stop()


@pytest.fixture
def typed(office, capsys):
    def typed(*arguments, config=office.service.config):
        capsys.readouterr()
        code = run([*map(str, arguments), *(("--config", str(config)) if config else ())])
        out, err = capsys.readouterr()
        return code, out, err

    return typed


@pytest.fixture
def requested(office, typed, tmp_path):
    """(request file, destination) of a release into the restricted root."""
    number = len(list((office.base / "restricted").iterdir()))
    to = office.base / "restricted" / f"survey-{number}-{os.urandom(3).hex()}.csv"
    file = tmp_path / "release.json"
    code, out, err = typed(
        "quarantine", "release", "request", office.entry_id[:8], "--to", to, "--holder", "D. Analyst",
        "--purpose", "checking the tables", "--out", file,
    )  # fmt: skip
    assert code == 0, err
    assert str(to) in out and "D. Analyst" in out
    return file, to


@pytest.fixture
def approve(typed, tmp_path):
    def approve(file, *people):
        for person in people:
            key = person.key_file(tmp_path)
            code, _, err = typed("quarantine", "release", "approve", file, "--key", key, "--yes", config=None)
            assert code == 0, err

    return approve


@pytest.fixture
def rewrapped(office, typed, tmp_path):
    def rewrapped(file):
        name = os.urandom(3).hex()
        bundle, new = tmp_path / f"bundle-{name}", tmp_path / f"new-{name}"
        assert typed("quarantine", "export", office.entry_id, "--to", bundle)[0] == 0
        code, _, err = typed(
            "quarantine", "rewrap", bundle, "--request", file, "--identity", office.service.identity,
            "--out", new, config=office.base / "approvers.toml",
        )  # fmt: skip
        assert code == 0, err
        return new

    return rewrapped


@pytest.fixture
def complete(typed):
    return lambda file, bundle: typed("quarantine", "release", "complete", file, "--from", bundle)


def keys(office):
    return list((office.service.settings.state_dir / "releases").iterdir())


def test_a_file_comes_back_by_two_signatures_and_only_once(
    office, requested, approve, rewrapped, complete, typed
):
    file, to = requested
    assert len(keys(office)) == 1 and stat.S_IMODE(keys(office)[0].stat().st_mode) == 0o600
    assert "AGE-SECRET" not in file.read_text()
    approve(file, office.owner, office.officer)
    bundle = rewrapped(file)
    code, out, err = complete(file, bundle)
    assert code == 0, err
    assert "A. Owner and B. Officer" in out
    assert to.read_bytes() == CONTENT and stat.S_IMODE(to.stat().st_mode) == 0o640
    assert (to.stat().st_uid, to.stat().st_mtime_ns) == (os.geteuid(), to.stat().st_mtime_ns)
    assert keys(office) == []
    assert [p.name for p in to.parent.iterdir() if p.name.startswith(".")] == []
    # a replayed request is refused, also when its file is gone
    for gone in (False, True):
        if gone:
            to.unlink()
        code, _, err = complete(file, bundle)
        assert code == 1 and "cannot be used (again)" in err
        assert to.exists() is not gone
    log = office.service.settings.state_dir / "audit.jsonl"

    def told():
        mine = [line for _, line in audit.lines(log) if line and line.get("entry") == office.entry_id]
        return [line for line in mine if line["event"].startswith("release")]

    until(lambda: len(told()) == 3, "it is in the audit log")
    assert [t["event"] for t in told()] == ["release_requested", "release_approved", "released"]
    assert (told()[-1]["holder"], told()[-1]["approved_by"]) == ("D. Analyst", ["A. Owner", "B. Officer"])
    assert audit.verify(log)[1] == []


@pytest.mark.parametrize("who", [(), ("owner",), ("officer",), ("both",), ("owner", "owner")])
def test_fewer_than_two_people_release_nothing(
    office, requested, approve, rewrapped, complete, typed, tmp_path, who
):
    file, to = requested
    approve(file, *(getattr(office, name) for name in who))
    bundle = tmp_path / "bundle"
    assert typed("quarantine", "export", office.entry_id, "--to", bundle)[0] == 0
    code, _, err = typed(
        "quarantine", "rewrap", bundle, "--request", file, "--identity", office.service.identity,
        "--out", tmp_path / "new", config=office.base / "approvers.toml",
    )  # fmt: skip
    assert code == 1 and "not approved" in err
    assert not (tmp_path / "new").exists()
    code, _, err = complete(file, bundle)
    assert code == 1 and "not approved" in err
    assert not to.exists()


def test_a_forged_approval_is_refused(office, requested, approve, complete, signatory, tmp_path):
    """Somebody without the officer's private key writes the officer's key id on a signature of their own."""
    file, to = requested
    approve(file, office.owner)
    forger = signatory("B. Officer", "data_protection_officer")
    from agent.statements import Signature, read

    envelope = read(file.read_text())
    real = office.officer.sign(envelope).signatures
    (keyid,) = {s.keyid for s in real} - {s.keyid for s in envelope.signatures}
    (sig,) = [s.sig for s in forger.sign(envelope).signatures if s.keyid not in {x.keyid for x in real}]
    forged = envelope.with_signatures([Signature(keyid, sig)])
    for attempt in (forged, forger.sign(envelope)):
        file.write_text(json.dumps(attempt.to_json()))
        code, _, err = complete(file, tmp_path)
        assert code == 1 and "not approved" in err
    assert not to.exists()


@pytest.mark.parametrize(
    "field", ["destination", "recipient", "holds_until", "expires_at", "entry_id", "sha256"]
)
def test_an_edited_request_is_refused(office, requested, approve, complete, tmp_path, field):
    from dataclasses import replace

    from agent.statements import read, seal

    file, to = requested
    approve(file, office.owner, office.officer)
    envelope = read(file.read_text())
    old = getattr(envelope.statement(), field)
    new = old + 1000 if isinstance(old, int) else old[:-1] + ("0" if old[-1] != "0" else "1")
    edited = seal(replace(envelope.statement(), **{field: new}))
    for attempt in (
        replace(edited, signatures=envelope.signatures),
        office.both.sign(office.owner.sign(edited)),
    ):
        file.write_text(json.dumps(attempt.to_json()))
        code, _, err = complete(file, tmp_path)
        assert code == 1 and "not a request that was made on this machine" in err
    assert not to.exists()


def test_a_request_of_another_machine_is_refused(office, requested, complete, tmp_path):
    from dataclasses import replace

    from agent.statements import read, seal

    file, _ = requested
    moved = seal(replace(read(file.read_text()).statement(), host_id="another"))
    file.write_text(json.dumps(office.officer.sign(office.owner.sign(moved)).to_json()))
    code, _, err = complete(file, tmp_path)
    assert code == 1 and "another machine" in err


def test_a_cancelled_request_is_over_and_its_key_is_gone(
    office, requested, approve, rewrapped, complete, typed
):
    file, to = requested
    approve(file, office.owner, office.officer)
    bundle = rewrapped(file)
    before = len(keys(office))
    assert typed("quarantine", "release", "cancel", file)[0] == 0
    assert len(keys(office)) == before - 1
    code, _, err = complete(file, bundle)
    assert code == 1 and "cancelled" in err
    assert not to.exists()


def test_nothing_is_overwritten_and_it_can_be_tried_again(office, requested, approve, rewrapped, complete):
    file, to = requested
    approve(file, office.owner, office.officer)
    bundle = rewrapped(file)
    to.write_bytes(b"somebody else's")
    code, _, err = complete(file, bundle)
    assert code == 1 and "nothing was overwritten" in err
    assert to.read_bytes() == b"somebody else's"
    to.unlink()
    assert complete(file, bundle)[0] == 0
    assert to.read_bytes() == CONTENT


def test_what_was_encrypted_for_the_key_by_somebody_else_is_refused(
    office, requested, approve, rewrapped, complete
):
    """The one-time recipient stands in the request: anybody can encrypt anything to it."""
    import pyrage

    from agent.statements import read

    file, to = requested
    approve(file, office.owner, office.officer)
    bundle = rewrapped(file)
    key = pyrage.x25519.Recipient.from_str(read(file.read_text()).statement().recipient)
    (bundle / f"{office.entry_id}.age").write_bytes(pyrage.encrypt(b"something else", [key]))
    code, _, err = complete(file, bundle)
    assert code == 74 and "not what was taken" in err
    assert not to.exists() and not [p for p in to.parent.iterdir() if p.name.startswith(".")]


def test_policy_must_allow_the_file_where_it_goes(office, typed, tmp_path):
    common = ("--holder", "D. Analyst", "--purpose", "x", "--out", tmp_path / "request.json")
    for to in (office.service.watched / "again.csv", tmp_path / "open.csv"):
        code, _, err = typed("quarantine", "release", "request", office.entry_id, "--to", to, *common)
        assert code == 1 and "policy does not allow this file there" in err
    assert not (tmp_path / "request.json").exists()
    before = len(keys(office))
    assert typed("quarantine", "release", "request", office.entry_id, *common)[0] == 1
    assert len(keys(office)) == before


def test_a_person_is_asked_before_anything_is_signed(office, requested, typed, tmp_path):
    file, _ = requested
    key = office.owner.key_file(tmp_path)
    before = file.read_text()
    code, out, err = typed("quarantine", "release", "approve", file, "--key", key, config=None)
    assert code == 1 and "--yes" in err and "D. Analyst" in out
    assert file.read_text() == before


def test_the_hand_over_bundle_can_be_checked_by_anybody(office, typed, tmp_path):
    import subprocess

    bundle = tmp_path / "bundle"
    assert typed("quarantine", "export", office.entry_id, "--to", bundle)[0] == 0
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o700
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=bundle, capture_output=True, check=False)
    assert done.returncode == 0
    listed = json.loads((bundle / "bundle.json").read_text())
    assert [e["entry_id"] for e in listed["entries"]] == [office.entry_id]
    assert all(
        b"caseid" not in p.read_bytes() and CONTENT[:40] not in p.read_bytes() for p in bundle.iterdir()
    )


def test_rewrap_for_other_recipients_keeps_content_and_metadata(office, typed, tmp_path):
    from agent import vault
    from agent.commands.keys import read_identities, write_identity

    bundle, new = tmp_path / "bundle", tmp_path / "new"
    recipient = write_identity(tmp_path / "other.txt")
    assert typed("quarantine", "export", office.entry_id, "--to", bundle)[0] == 0
    arguments = ("--identity", office.service.identity, "--to", recipient, "--out", new)
    assert typed("quarantine", "rewrap", bundle, *arguments, config=None)[0] == 0
    out = tmp_path / "content"
    fd = os.open(out, os.O_CREAT | os.O_RDWR)
    file = new / f"{office.entry_id}.age"
    vault.decrypt_file(file, office.entry["sha256"], read_identities(tmp_path / "other.txt"), fd)
    os.close(fd)
    assert out.read_bytes() == CONTENT
    old, again = (vault.manifest_at(b / f"{office.entry_id}.json", office.entry_id) for b in (bundle, new))
    assert (old.sha256, old.mode, old.mtime_ns) == (again.sha256, again.mode, again.mtime_ns)
    with pytest.raises(vault.VaultError):
        vault.decrypt_file(file, old.sha256, read_identities(office.service.identity), os.open(os.devnull, 1))


def test_a_damaged_bundle_leaves_no_bundle_behind(office, typed, tmp_path):
    from agent.commands.keys import write_identity

    bundle = tmp_path / "bundle"
    recipient = write_identity(tmp_path / "other.txt")
    assert typed("quarantine", "export", office.entry_id, "--to", bundle)[0] == 0
    whole = (bundle / f"{office.entry_id}.age").read_bytes()
    damaged = (whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], whole[: len(whole) // 2], b"", None)
    arguments = ("--identity", office.service.identity, "--to", recipient, "--out", tmp_path / "new")
    for content in damaged:
        if content is None:
            (bundle / f"{office.entry_id}.age").unlink()
            arguments = (*arguments, office.entry_id)
        else:
            (bundle / f"{office.entry_id}.age").write_bytes(content)
        code, _, err = typed("quarantine", "rewrap", bundle, *arguments, config=None)
        assert code in (2, 74), err
        assert not (tmp_path / "new").exists()


def test_disposal_takes_two_people_and_is_for_good(office, typed, tmp_path):
    """Last in this file: the entry is gone after it."""
    file = tmp_path / "disposal.json"
    request = ("dispose", "request", office.entry_id, "--reason", "kept too long", "--out", file)
    releases = [json.loads(line) for line in typed("quarantine", "release", "list", "--json")[1].splitlines()]
    assert releases
    # an entry is not pulled away from under whoever waits for its release
    code, _, err = typed("quarantine", *request)
    assert code == 1 and "about to be released" in err
    for row in releases:
        assert typed("quarantine", "release", "cancel", row["request_id"])[0] == 0
    assert typed("quarantine", *request)[0] == 0
    ciphertext = office.service.settings.state_dir / "vault" / "entries" / f"{office.entry_id}.age"
    sign = ("quarantine", "dispose", "approve", file, "--yes", "--key")
    assert typed(*sign, office.both.key_file(tmp_path), config=None)[0] == 0
    code, _, err = typed("quarantine", "dispose", "complete", file)
    assert code == 1 and "one person alone" in err and ciphertext.exists()
    assert typed(*sign, office.officer.key_file(tmp_path), config=None)[0] == 0
    code, out, err = typed("quarantine", "dispose", "complete", file)
    assert code == 0, err
    assert "C. Both and B. Officer" in out
    assert not ciphertext.exists() and not ciphertext.with_suffix(".json").exists()
    code, _, err = typed("quarantine", "dispose", "complete", file)
    assert code == 1 and "cannot be used (again)" in err
    assert json.loads(typed("quarantine", "show", office.entry_id, "--json")[1])["state"] == "disposed"
    assert typed("quarantine", "restore", office.entry_id, "--identity", office.service.identity)[0] == 74
    assert typed("status")[0] == 0
