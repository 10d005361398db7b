"""Approvers' keys (Ed25519), and who of the approvers has truly signed a statement.

A two-person act needs an Information Asset Owner and a Data Protection Officer: two different people with
two different keys. A person who holds both roles counts for one of them. `cryptography` is imported where a
signature is made or checked, because a service that never sees one need not hold it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from itertools import permutations

from agent.statements import Envelope, Signature
from config.settings import Approver, Role

PUBLIC = "ed25519:"
_NAMES = {
    Role.INFORMATION_ASSET_OWNER: "an information asset owner",
    Role.DATA_PROTECTION_OFFICER: "a data protection officer",
}


class NotApproved(ValueError):
    """The approvals do not make up what is needed. The text says what is missing or wrong."""


class NoSigningKey(ValueError):
    """A file that holds no Ed25519 private key, or a passphrase that does not open it."""


def new_key(passphrase: str = "") -> tuple[bytes, str]:
    """(a new private key as PKCS#8 PEM, its public half as it stands in the configuration)."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    closed: form.KeySerializationEncryption = form.NoEncryption()
    if passphrase:
        closed = form.BestAvailableEncryption(passphrase.encode())
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, closed)
    return pem, _public_text(key.public_key().public_bytes_raw())


def public_of(pem: bytes) -> str:
    """The public half of a private key without a passphrase, as text; raises `NoSigningKey`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoSigningKey("holds no key that signs") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoSigningKey("holds a key of another kind than Ed25519")
    return _public_text(key.public_key().public_bytes_raw())


def is_locked(pem: bytes) -> bool:
    """Whether a key file needs a passphrase."""
    return b"ENCRYPTED PRIVATE KEY" in pem


def sign(envelope: Envelope, pem: bytes, passphrase: str = "") -> tuple[Envelope, str]:
    """(the envelope with one more signature, the public key that made it); raises `NoSigningKey`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NoSigningKey("no key that signs, or the passphrase does not open it") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NoSigningKey("a key of another kind than Ed25519")
    public = key.public_key().public_bytes_raw()
    made = Signature(keyid_of(public), key.sign(envelope.signed_bytes()))
    return envelope.with_signatures([made]), _public_text(public)


def keyid_of(public: bytes) -> str:
    """The short name of a public key, to find it by."""
    return hashlib.sha256(public).hexdigest()[:16]


def signers(
    envelope: Envelope, approvers: Sequence[Approver], *, retired: bool = False
) -> tuple[Approver, ...]:
    """Those who signed, each with the key that did; raises `NotApproved` for any signature that is none.

    With `retired`, approvers who have left count too: for what was accepted while they were in office.
    """
    known = {keyid_of(a.key_bytes): a for a in approvers if retired or not a.retired}
    found = []
    for signature in envelope.signatures:
        approver = known.get(signature.keyid)
        if approver is None:
            raise NotApproved("it is signed with a key that no approver has")
        if not holds(approver.key_bytes, signature.sig, envelope.signed_bytes()):
            raise NotApproved(f"the signature of {approver.name} does not hold: it was edited or forged")
        found.append(approver)
    return tuple(found)


def two_people(found: Sequence[Approver]) -> tuple[Approver, Approver]:
    """(the Information Asset Owner, the Data Protection Officer) among the signers; raises `NotApproved`."""
    for owner, officer in permutations(found, 2):
        if (
            Role.INFORMATION_ASSET_OWNER in owner.roles
            and Role.DATA_PROTECTION_OFFICER in officer.roles
            and owner.person != officer.person
            and owner.key_bytes != officer.key_bytes
        ):
            return owner, officer
    lacking = [words for role, words in _NAMES.items() if not any(role in a.roles for a in found)]
    if lacking:
        raise NotApproved(f"it lacks the approval of {' and of '.join(lacking)}")
    raise NotApproved("one person alone cannot approve it in both roles: it takes two people")


def are_two_people(found: Sequence[Approver]) -> bool:
    """Whether these make up what a two-person act needs."""
    try:
        two_people(found)
    except NotApproved:
        return False
    return True


def both_roles_exist(approvers: Sequence[Approver]) -> bool:
    """Whether any two of the approvers could ever approve something together."""
    return are_two_people([a for a in approvers if not a.retired])


def holds(public: bytes, sig: bytes, signed: bytes) -> bool:
    """Whether `sig` is the signature of these bytes with the key of 32 bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(sig, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public_text(public: bytes) -> str:
    return PUBLIC + base64.b64encode(public).decode()
