"""Signed requests of agents, as docs/console-api.md has them: who signed, when, and never twice."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import delete
from sqlalchemy.orm import Session

from console.database import insert_new
from console.schema import Agent, Nonce

SKEW_SECONDS = 300
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)


class Unsigned(Exception):
    """Not a request of an agent of ours; `code` is for the agent to branch on."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What was received. `target` is path and query as they stand in the request line."""

    method: str
    target: str
    agent: str
    time: str
    nonce: str
    signature: str
    body: bytes

    @property
    def signed_bytes(self) -> bytes:
        digest = hashlib.sha256(self.body).hexdigest()
        lines = (
            "recordwarden-request-1",
            self.method,
            self.target,
            self.agent,
            self.time,
            self.nonce,
            digest,
        )
        return "\n".join(lines).encode()


def accept(db: Session, request: SignedRequest, now: float) -> Agent:
    """The agent that signed, its row locked until the transaction ends; raises `Unsigned`."""
    if not _NONCE.fullmatch(request.nonce) or not _TIME.fullmatch(request.time):
        raise Unsigned("bad_signature")
    agent = db.get(Agent, request.agent[:64], with_for_update=True)
    if agent is None:
        raise Unsigned("unknown_agent")
    if not _holds(agent.public_key, request):
        raise Unsigned("bad_signature")
    if agent.revoked_at is not None:
        raise Unsigned("revoked")
    if abs(now - int(request.time)) > SKEW_SECONDS:
        raise Unsigned("stale")
    if not insert_new(db, Nonce, [{"agent": agent.id, "nonce": request.nonce, "at": now}]):
        raise Unsigned("replayed")
    return agent


def tidy(db: Session, now: float) -> None:
    """Forget the nonces whose requests would be stale by now: a stamp may lie ahead as far as behind."""
    db.execute(delete(Nonce).where(Nonce.at < now - 2 * SKEW_SECONDS - 60))


def _holds(public_key: str, request: SignedRequest) -> bool:
    try:
        signature = base64.b64decode(request.signature, validate=True)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        key.verify(signature, request.signed_bytes)
    except (InvalidSignature, ValueError):
        return False
    return True
