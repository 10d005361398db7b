"""The bundle of papers that a console publishes and workstations take: what it is, signed and opened.

A DSSE envelope (`agent.statements`) of a type of its own, with one signature, by the console's key:

    {"made_at": SECONDS, "papers": [ENVELOPE, ...], "serial": NUMBER}

The serial only ever grows. The signature says that these papers come from that console and are not older
than what was seen before. It says nothing for the papers: each is an envelope with its approvers' own
signatures, and counts by those alone. Pure, and used by service and console alike.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.signing import PUBLIC, holds, sign
from agent.statements import Envelope

MOST_BYTES = 8 * 1024 * 1024
MOST_PAPERS = 2000
REFUSALS = frozenset({"too_large", "malformed", "bad_signature", "older"})
"""Why a bundle is not taken."""
_KIND = "papers"


class BadBundle(ValueError):
    """A bundle that is not taken. `code` is for the audit, the text for people; both are ours alone."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class PaperBundle:
    """A bundle whose signature held. Of its papers nothing is known yet but that they are JSON values."""

    serial: int
    made_at: int
    untrusted_papers: tuple[Any, ...]
    digest: str
    """SHA-256 of what was signed."""


def key_bytes(text: str) -> bytes:
    """The 32 bytes of a public key that is written as `ed25519:BASE64`; raises `ValueError`."""
    try:
        found = base64.b64decode(text.removeprefix(PUBLIC), validate=True)
    except binascii.Error:
        found = b""
    if not text.startswith(PUBLIC) or len(found) != 32:
        raise ValueError("not a public key: ed25519: and 44 characters")
    return found


def seal_bundle(serial: int, made_at: int, papers: Sequence[dict[str, Any]], pem: bytes) -> str:
    """The bundle as text, signed; raises `BadBundle` for more than workstations take."""
    plain = {"made_at": made_at, "papers": list(papers), "serial": serial}
    payload = json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")
    text = json.dumps(sign(Envelope(_KIND, payload), pem)[0].to_json()) + "\n"
    if len(papers) > MOST_PAPERS or len(text) > MOST_BYTES:
        raise BadBundle("too_large", "more papers than a bundle holds")
    return text


def open_bundle(untrusted: bytes | str, key: str) -> PaperBundle:
    """The bundle, if `key` signed it; raises `BadBundle`. Nothing of its payload is read before that."""
    if len(untrusted) > MOST_BYTES:
        raise BadBundle("too_large", "it is too large")
    if not untrusted.isascii():
        raise BadBundle("malformed", "it is not a bundle of papers")
    envelope, sig = _outside(untrusted)
    if not holds(key_bytes(key), sig, envelope.signed_bytes()):
        raise BadBundle("bad_signature", "it is not signed by the console that this machine was enrolled at")
    try:
        plain = json.loads(envelope.payload)
        serial, made_at, papers = plain["serial"], plain["made_at"], plain["papers"]
        whole = set(plain) == {"made_at", "papers", "serial"} and isinstance(papers, list)
        numbers = all(type(n) is int and 0 <= n < 2**53 for n in (serial, made_at))
    except (ValueError, RecursionError, KeyError, TypeError):
        raise BadBundle("malformed", "it is not a bundle of papers") from None
    if not whole or not numbers or len(papers) > MOST_PAPERS:
        raise BadBundle("malformed", "it is not a bundle of papers")
    return PaperBundle(serial, made_at, tuple(papers), hashlib.sha256(envelope.payload).hexdigest())


def _outside(untrusted: bytes | str) -> tuple[Envelope, bytes]:
    try:
        plain = json.loads(untrusted)
        (signature,) = plain["signatures"]
        envelope = Envelope(_KIND, base64.b64decode(plain["payload"], validate=True))
        if plain["payloadType"] != Envelope(_KIND, b"").to_json()["payloadType"]:
            raise ValueError
        return envelope, base64.b64decode(signature["sig"], validate=True)
    except (ValueError, RecursionError, KeyError, TypeError):
        raise BadBundle("malformed", "it is not a bundle of papers") from None
