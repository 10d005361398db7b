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
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, TypeVar

MAX_ENVELOPE_BYTES = 56 * 1024
MAX_TEXT = 2000
MAX_ITEMS = 400
MAX_SIGNATURES = 16
MAX_YEARS = 5
MAX_EXCEPTION_DAYS = 366
_TYPE = "application/vnd.recordwarden.{}.v1+json"
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LAYOUT = re.compile(r"[bdnt]{8,300}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}", re.ASCII)


class BadStatement(ValueError):
    """No statement, not whole, or one that may not be made. The text is ours alone."""


@dataclass(frozen=True, slots=True)
class Release:
    """The content of one entry may be put at `destination` on one machine, once.

    `basis` and `proof` say by what policy allows it there; `recipient` is the one-time age key of that
    machine; until `holds_until` the file is not taken there again.
    """

    request_id: str
    host_id: str
    entry_id: str
    sha256: str
    size: int
    recipient: str
    destination: str
    root_id: str
    basis: str
    proof: str
    holder: str
    purpose: str
    requested_by: str
    made_at: int
    expires_at: int
    holds_until: int


@dataclass(frozen=True, slots=True)
class Disposal:
    """One entry is deleted from the vault of one machine, for good."""

    request_id: str
    host_id: str
    entry_id: str
    sha256: str
    size: int
    ciphertext_sha256: str
    path: str
    reason: str
    requested_by: str
    made_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Terms:
    """A Data Access Agreement: who may hold which data where, for what, under which conditions, how long.

    The scope: `content` (SHA-256 digests) or `layouts` (one letter for each variable, as verdicts tell them)
    name the data set, `roots` (folders) or `devices` (volume UUIDs) the place. An empty list does not narrow;
    all four empty is no agreement.
    """

    agreement_id: str
    holder: str
    purpose: str
    conditions: tuple[str, ...]
    content: tuple[str, ...]
    layouts: tuple[str, ...]
    roots: tuple[str, ...]
    devices: tuple[str, ...]
    valid_from: str
    valid_until: str
    review_by: str
    made_at: int


@dataclass(frozen=True, slots=True)
class ScopedException:
    """What is like a false alarm's file, by `content` or `layouts`, is let be. An empty list narrows not."""

    exception_id: str
    alert_id: str
    decided_by: str
    reason: str
    content: tuple[str, ...]
    layouts: tuple[str, ...]
    agents: tuple[str, ...]
    roots: tuple[str, ...]
    devices: tuple[str, ...]
    valid_until: str
    made_at: int


@dataclass(frozen=True, slots=True)
class Revocation:
    """An agreement or an exception ends; `terms_sha256` is the digest of the very terms that are revoked."""

    agreement_id: str
    terms_sha256: str
    reason: str
    made_at: int


Statement = Release | Disposal | Terms | ScopedException | Revocation
KINDS: dict[str, type[Statement]] = {
    "release": Release, "disposal": Disposal, "agreement": Terms, "revocation": Revocation,
    "exception": ScopedException,
}  # fmt: skip
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
    _check(statement)
    return statement


def _fits(value: Any, type_: str) -> bool:
    if type_ == "int":
        return type(value) is int and 0 <= value < 2**53
    if type_ == "str":
        return isinstance(value, str) and len(value) <= MAX_TEXT * 3
    return isinstance(value, list) and len(value) <= MAX_ITEMS and all(_fits(v, "str") for v in value)


def _check(statement: Statement) -> None:
    """What no statement may lack."""
    match statement:
        case Release():
            _check_request(statement.request_id, statement.made_at, statement.expires_at)
            _check_text(holder=statement.holder, purpose=statement.purpose, recipient=statement.recipient)
            if not statement.destination.startswith("/") or statement.holds_until < statement.made_at:
                raise BadStatement("destination or holds_until is not what it must be")
        case Disposal():
            _check_request(statement.request_id, statement.made_at, statement.expires_at)
            _check_text(reason=statement.reason)
        case Revocation():
            _check_text(reason=statement.reason)
        case Terms():
            _check_terms(statement)
        case ScopedException():
            _check_exception(statement)


def _check_request(request_id: str, made_at: int, expires_at: int) -> None:
    if not _ID.fullmatch(request_id) or expires_at <= made_at:
        raise BadStatement("request_id or expires_at is not what it must be")


def _check_text(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip() or len(text) > MAX_TEXT:
            raise BadStatement(f"{name} must say something, in at most {MAX_TEXT} characters")


def _check_terms(terms: Terms) -> None:
    if not _ID.fullmatch(terms.agreement_id):
        raise BadStatement("agreement_id: 4 to 64 letters, digits, dots, dashes and underscores")
    _check_text(holder=terms.holder, purpose=terms.purpose)
    if not (terms.content or terms.layouts or terms.roots or terms.devices):
        raise BadStatement("an agreement without a scope would allow anything anywhere")
    if terms.layouts and not (terms.content or terms.roots or terms.devices):
        raise BadStatement("a layout alone is no data set: name a root or a device too")
    _check_scope(terms)
    first, last, review = (day(d) for d in (terms.valid_from, terms.valid_until, terms.review_by))
    if last < first:
        raise BadStatement("valid_until lies before valid_from")
    if not first <= review <= years_after(_day_of(terms.made_at), MAX_YEARS):
        raise BadStatement(f"review_by must lie after valid_from and at most {MAX_YEARS} years ahead")


def _check_exception(wanted: ScopedException) -> None:
    _check_text(reason=wanted.reason, alert_id=wanted.alert_id, decided_by=wanted.decided_by)
    if not _ID.fullmatch(wanted.exception_id) or bool(wanted.content) == bool(wanted.layouts):
        raise BadStatement("an exception has an id, and names either content or a layout")
    if wanted.layouts and not (any(wanted.agents) or wanted.roots or wanted.devices):
        raise BadStatement("a layout alone would allow too much: name a workstation, a root or a device too")
    _check_scope(wanted)
    if not 0 <= (day(wanted.valid_until) - _day_of(wanted.made_at)).days <= MAX_EXCEPTION_DAYS:
        raise BadStatement("an exception ends at most a year after it was proposed, and not before")


def _check_scope(scope: Terms | ScopedException) -> None:
    if not all(_DIGEST.fullmatch(d) for d in scope.content):
        raise BadStatement("content is named by SHA-256 digests in hex")
    if not all(_LAYOUT.fullmatch(layout) for layout in scope.layouts):
        raise BadStatement("a layout is named by 8 to 300 letters out of b, d, n and t")
    if not all(r.startswith("/") for r in scope.roots) or not all(scope.devices):
        raise BadStatement("roots are absolute paths, devices are UUIDs")


def _day_of(made_at: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + made_at // 86400)


def day(text: str) -> date:
    """A day out of `YYYY-MM-DD`; raises `BadStatement`."""
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise BadStatement("a day is written as YYYY-MM-DD") from None


def years_after(start: date, years: int) -> date:
    """The same day so many years later; 29 February becomes 28."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)
