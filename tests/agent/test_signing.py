"""Two people, two keys, two roles: whatever else is shown is no approval."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace

import pytest

from agent.signing import (
    NoSigningKey,
    NotApproved,
    both_roles_exist,
    is_locked,
    new_key,
    sign,
    signers,
    two_people,
)
from agent.statements import Release, Signature, seal
from config.settings import Approver, Role

OWNER, OFFICER = Role.INFORMATION_ASSET_OWNER, Role.DATA_PROTECTION_OFFICER
ENVELOPE = seal(
    Release(
        "request-1", "host-1", "entry-1", "ab" * 32, 12, "age1x", "/srv/x", "r1", "restricted_root", "",
        "B. Sample", "review", "uid:0", 1, 2, 3,
    )
)  # fmt: skip


class Person:
    def __init__(self, name: str, *roles: Role, retired: bool = False) -> None:
        self.pem, public = new_key()
        self.approver = Approver(name=name, key=public, roles=roles, retired=retired)

    def sign(self, envelope=ENVELOPE):
        return sign(envelope, self.pem)[0]


@pytest.fixture
def owner():
    return Person("A. Owner", OWNER)


@pytest.fixture
def officer():
    return Person("B. Officer", OFFICER)


def approved(envelope, *people, **kind):
    return two_people(signers(envelope, [p.approver for p in people], **kind))


def test_an_owner_and_an_officer_approve_together(owner, officer):
    both = officer.sign(owner.sign())
    assert approved(both, officer, owner) == (owner.approver, officer.approver)


def test_one_signature_is_not_enough(owner, officer):
    with pytest.raises(NotApproved, match="data protection officer"):
        approved(owner.sign(), owner, officer)
    with pytest.raises(NotApproved, match=r"owner and of a data"):
        approved(ENVELOPE, owner, officer)


def test_one_person_with_both_roles_cannot_approve_alone():
    both = Person("A. Both", OWNER, OFFICER)
    with pytest.raises(NotApproved, match="takes two people"):
        approved(both.sign(both.sign()), both)


@pytest.mark.parametrize("name", ["A. Both", "a. both", " A.  Both ", "Ａ. Both"])
def test_one_person_with_two_keys_cannot_approve_alone(name):
    first, second = Person("A. Both", OWNER, OFFICER), Person(name, OWNER, OFFICER)
    with pytest.raises(NotApproved, match="takes two people"):
        approved(first.sign(second.sign()), first, second)


def test_one_of_two_people_may_hold_both_roles(owner):
    both = Person("C. Both", OWNER, OFFICER)
    assert approved(both.sign(owner.sign()), owner, both) == (owner.approver, both.approver)


def test_two_people_of_one_role_cannot_approve(owner):
    other = Person("D. Owner", OWNER)
    with pytest.raises(NotApproved, match="data protection officer"):
        approved(owner.sign(other.sign()), owner, other)


def test_the_same_signature_twice_counts_once(owner, officer):
    signed = owner.sign()
    twice = replace(signed, signatures=signed.signatures * 2)
    with pytest.raises(NotApproved):
        approved(twice, owner, officer)


def test_a_forged_approval_without_the_private_key_is_refused(owner, officer):
    """Somebody signs with a key of their own and writes the officer's name on it."""
    forger = Person("E. Forger", OFFICER)
    (forged,) = forger.sign().signatures
    keyid = officer.sign().signatures[0].keyid
    envelope = owner.sign().with_signatures([Signature(keyid, forged.sig)])
    with pytest.raises(NotApproved, match="edited or forged"):
        approved(envelope, owner, officer)
    with pytest.raises(NotApproved, match="no approver has"):
        approved(owner.sign(forger.sign()), owner, officer)


@pytest.mark.parametrize("sig", [b"", b"\0" * 64, b"x" * 64, b"x" * 63])
def test_nonsense_is_no_signature(owner, officer, sig):
    keyid = officer.sign().signatures[0].keyid
    with pytest.raises(NotApproved):
        approved(owner.sign().with_signatures([Signature(keyid, sig)]), owner, officer)


def test_a_signature_of_another_statement_does_not_hold_for_this_one(owner, officer):
    other = seal(replace(ENVELOPE.statement(), destination="/srv/elsewhere"))
    moved = replace(ENVELOPE, signatures=officer.sign(owner.sign(other)).signatures)
    with pytest.raises(NotApproved, match="edited or forged"):
        approved(moved, owner, officer)


def test_a_retired_approver_counts_only_for_what_was_accepted_before(owner):
    gone = Person("F. Gone", OFFICER, retired=True)
    both = gone.sign(owner.sign())
    with pytest.raises(NotApproved):
        approved(both, owner, gone)
    assert approved(both, owner, gone, retired=True)
    assert not both_roles_exist([owner.approver, gone.approver])


def test_whether_anybody_could_approve_is_known(owner, officer):
    assert both_roles_exist([owner.approver, officer.approver])
    assert not both_roles_exist([owner.approver])
    assert not both_roles_exist([])


def test_a_key_under_a_passphrase_needs_it():
    pem, public = new_key("made-up words")
    assert is_locked(pem) and not is_locked(new_key()[0])
    assert sign(ENVELOPE, pem, "made-up words")[1] == public
    for wrong in ("", "others"):
        with pytest.raises(NoSigningKey):
            sign(ENVELOPE, pem, wrong)


def test_what_is_no_signing_key_signs_nothing():
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )
    for pem in (b"", b"AGE-SECRET-KEY-1X", other):
        with pytest.raises(NoSigningKey):
            sign(ENVELOPE, pem)


def test_openssl_agrees_with_a_signature(owner, need, tmp_path):
    """Anybody can check an approval without this program."""
    need("openssl")
    signed = owner.sign()
    (tmp_path / "key.pem").write_bytes(owner.pem)
    (tmp_path / "bytes").write_bytes(signed.signed_bytes())
    (tmp_path / "sig").write_bytes(signed.signatures[0].sig)
    public = ["openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-in", "bytes"]
    subprocess.run(public, cwd=tmp_path, check=True)
    subprocess.run([*check, "-sigfile", "sig"], cwd=tmp_path, check=True)


def test_a_key_belongs_to_one_person_and_says_something():
    from config.load import ConfigError, validate

    _, public = new_key()
    one = {"name": "A", "key": public, "roles": ["information_asset_owner"]}
    validate({"approvers": [one]}, "x")
    short = "ed25519:" + base64.b64encode(b"x" * 31).decode()
    for wrong in (
        [one, {**one, "name": "B"}],
        [{**one, "key": "x"}], [{**one, "key": short}], [{**one, "key": public[8:]}],
        [{**one, "key": public + "!"}],
        [{**one, "name": " "}], [{**one, "roles": []}], [{**one, "roles": ["owner"]}],
    ):  # fmt: skip
        with pytest.raises(ConfigError, match="approvers"):
            validate({"approvers": wrong}, "x")
