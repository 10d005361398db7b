"""Statements that people sign: what one says, the exact bytes that are signed, and the file that carries it.

The file is a DSSE envelope (https://github.com/secure-systems-lab/dsse, version 1):

    {"payload": BASE64, "payloadType": TYPE, "signatures": [{"keyid": HEX, "sig": BASE64}]}

What is signed with Ed25519 is `DSSEv1 LENGTH TYPE LENGTH PAYLOAD`, so a signature for one type never holds
for another one or for anything else that was ever signed with that key. The payload is a JSON object in its
one canonical form (keys sorted, no spaces, ASCII); another form of the same object is refused, so that nobody
reads another meaning out of the bytes than the signer. `keyid` is a hint only. Times are whole seconds
since 1970, days are ISO dates (UTC). `docs/decisions/0008-signed-statements.md` says why it is so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

from agent.statement_kinds import (
    GROUPS,
    KINDS,
    MAX_EXCEPTION_DAYS,
    MAX_TEXT,
    MAX_YEARS,
    BadStatement,
    Disposal,
    Release,
    Revocation,
    ScopedException,
    Statement,
    Terms,
    Tuning,
    check,
    day,
    number_of,
    years_after,
)

__all__ = [
    "GROUPS", "KINDS", "MAX_ENVELOPE_BYTES", "MAX_EXCEPTION_DAYS", "MAX_YEARS", "BadStatement", "Disposal",
    "Envelope", "Release", "Revocation", "ScopedException", "Signature", "Statement", "Terms", "Tuning",
    "as_text", "day", "from_json", "number_of", "read", "seal", "years_after",
]  # fmt: skip

MAX_ENVELOPE_BYTES = 56 * 1024
MAX_ITEMS = 400
MAX_SIGNATURES = 16
_TYPE = "application/vnd.recordwarden.{}.v1+json"
S = TypeVar("S", bound=Statement)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature; `keyid` says which key to try."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A statement's payload with the signatures that it has so far."""

    kind: str
    payload: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def digest(self) -> str:
        """What a revocation names."""
        return hashlib.sha256(self.payload).hexdigest()

    def signed_bytes(self) -> bytes:
        """The pre-authentication encoding: what an Ed25519 signature is made over."""
        kind = _TYPE.format(self.kind).encode()
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.payload), self.payload)

    def statement(self) -> Statement:
        """What it says; raises `BadStatement`."""
        return _parse(KINDS[self.kind], self.payload)

    def plain(self) -> dict[str, Any]:
        """What it says, as JSON values; raises `BadStatement`."""
        return asdict(self.statement())

    def as_kind(self, cls: type[S]) -> S:
        """What it says, if it is a statement of this kind; raises `BadStatement`."""
        if KINDS[self.kind] is not cls:
            wanted = next(kind for kind, known in KINDS.items() if known is cls)
            raise BadStatement(f"this is a statement of the kind {self.kind}, not {wanted}")
        return _parse(cls, self.payload)

    def with_signatures(self, others: Iterable[Signature]) -> Envelope:
        """With these too, one for each key."""
        by_key = {s.keyid: s for s in (*others, *self.signatures)}
        return replace(self, signatures=tuple(by_key[k] for k in sorted(by_key)))

    def to_json(self) -> dict[str, Any]:
        return {
            "payload": base64.b64encode(self.payload).decode(),
            "payloadType": _TYPE.format(self.kind),
            "signatures": [
                {"keyid": s.keyid, "sig": base64.b64encode(s.sig).decode()} for s in self.signatures
            ],
        }


def as_text(envelope: Envelope) -> str:
    """The envelope as its file holds it."""
    return json.dumps(envelope.to_json(), indent=1) + "\n"


def seal(statement: Statement) -> Envelope:
    """An envelope without signatures; raises `BadStatement` for a statement that may not be made."""
    kind = next(k for k, cls in KINDS.items() if isinstance(statement, cls))
    envelope = Envelope(kind, _canonical(asdict(statement)))
    envelope.statement()
    if len(json.dumps(envelope.to_json(), indent=1)) > MAX_ENVELOPE_BYTES - 1024 * MAX_SIGNATURES // 4:
        raise BadStatement("too large for a statement")
    return envelope


def read(untrusted: bytes | str) -> Envelope:
    """An envelope out of a file or a request; its payload is one whole statement. Raises `BadStatement`."""
    if len(untrusted) > MAX_ENVELOPE_BYTES:
        raise BadStatement("too large for a statement")
    try:
        return from_json(json.loads(untrusted))
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, BadStatement) else BadStatement("not a statement") from None


def from_json(untrusted: Any) -> Envelope:
    """The same out of a JSON value."""
    try:
        kind = next(k for k in KINDS if untrusted["payloadType"] == _TYPE.format(k))
        payload = base64.b64decode(untrusted["payload"], validate=True)
        signatures = untrusted["signatures"]
        whole = set(untrusted) == {"payload", "payloadType", "signatures"} and isinstance(signatures, list)
        if not whole or len(signatures) > MAX_SIGNATURES:
            raise BadStatement("not a statement")
        found = [Signature(str(s["keyid"]), base64.b64decode(s["sig"], validate=True)) for s in signatures]
    except (KeyError, TypeError, StopIteration, binascii.Error, ValueError):
        raise BadStatement("not a statement, or of a version that is not known here") from None
    envelope = Envelope(kind, payload).with_signatures(found)
    envelope.statement()
    return envelope


def _canonical(plain: dict[str, Any]) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def _parse(cls: type[S], payload: bytes) -> S:
    try:
        plain = json.loads(payload)
    except (ValueError, RecursionError):
        raise BadStatement("the payload is no JSON") from None
    if not isinstance(plain, dict) or _canonical(plain) != payload:
        raise BadStatement("the payload is not in its canonical form")
    wanted = {f.name: f.type for f in fields(cls)}
    if set(plain) != set(wanted):
        raise BadStatement("the payload has other fields than a statement of its kind")
    for name, type_ in wanted.items():
        if not _fits(plain[name], str(type_)):
            raise BadStatement(f"{name} is not what it must be")
        if type_ == "tuple[str, ...]":
            plain[name] = tuple(plain[name])
    statement = cls(**plain)
    check(statement)
    return statement


def _fits(value: Any, type_: str) -> bool:
    if type_ == "int":
        return type(value) is int and 0 <= value < 2**53
    if type_ == "str":
        return isinstance(value, str) and len(value) <= MAX_TEXT * 3
    return isinstance(value, list) and len(value) <= MAX_ITEMS and all(_fits(v, "str") for v in value)
