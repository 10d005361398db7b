"""Letting agents in: a token that works once brings in the public half of a key that the agent keeps."""

from __future__ import annotations

import base64
import re
import secrets

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console import audit
from console.roles import Caller, Deed
from console.schema import Agent, EnrolmentToken
from console.sessions import digest_of
from console.shown import shown

TOKEN_PREFIX = "rwe_"  # noqa: S105 - what a token begins with
KEY_PREFIX = "ed25519:"
AGENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
HOURS = 24


class Unfit(ValueError):
    """An id that no agent can have."""


class Refused(Exception):
    """An enrolment that is not accepted; `code` is for the agent to branch on."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def new_token(db: Session, by: Caller, note: str, agent: str | None, now: float) -> str:
    """A token for one agent; shown once. `agent`: only for that one, which may be enrolled already."""
    by.require(Deed.ENROL_AGENTS)
    if agent is not None and not AGENT_ID.fullmatch(agent):
        raise Unfit("an agent's id is 1 to 64 letters, digits, dots, - or _")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    digest = digest_of(secret)
    expires = now + HOURS * 3600
    db.execute(delete(EnrolmentToken).where(EnrolmentToken.expires_at < now - 30 * 86400))
    db.add(
        EnrolmentToken(
            digest=digest, agent=agent, note=note[:200], made_by=by.name, made_at=now, expires_at=expires
        )
    )
    audit.append(db, now, by.name, "enrolment_token_made", f"enrolment:{digest[:12]}", agent=agent or "")
    return secret


def enrol(
    db: Session, token: str, agent: str, hostname: str, public_key: str, version: str, now: float
) -> bool:
    """True for a new agent or key, False where the same call came again; raises `Refused`."""
    if not AGENT_ID.fullmatch(agent) or (key := _key(public_key)) is None:
        raise Refused("malformed")
    found = db.execute(
        select(EnrolmentToken).where(EnrolmentToken.digest == digest_of(token)).with_for_update()
    ).scalar_one_or_none()
    if found is None or found.expires_at <= now or found.agent not in (None, agent):
        raise Refused("token_refused")
    known = db.get(Agent, agent)
    if found.used_at is not None:
        if known is not None and found.used_by == agent and known.public_key == key:
            return False
        raise Refused("token_refused")
    if known is not None and found.agent != agent:
        raise Refused("already_enrolled")
    found.used_at, found.used_by = now, agent
    if known is None:
        known = Agent(id=agent, enrolled_at=now, config_digest="", beat_at=None, heartbeat=None)
        db.add(known)
    known.hostname, known.version = shown(hostname)[:255], shown(version)[:40]
    known.public_key, known.seen_at, known.revoked_at = key, now, None
    db.flush()
    audit.append(
        db, now, f"agent:{agent}", "agent_enrolled", f"agent:{agent}", by=found.made_by, key=public_key
    )
    return True


def revoke(db: Session, by: Caller, agent: str, now: float) -> Agent:
    """From now on nothing that it signs is taken; raises `LookupError`."""
    by.require(Deed.ENROL_AGENTS)
    known = db.get(Agent, agent.replace("\0", ""))
    if known is None:
        raise LookupError(agent)
    known.revoked_at = now
    audit.append(db, now, by.name, "agent_revoked", f"agent:{agent}")
    return known


def _key(text: str) -> str | None:
    """The base64 of 32 bytes, or None."""
    try:
        raw = base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
    except ValueError:
        return None
    return base64.b64encode(raw).decode() if text.startswith(KEY_PREFIX) and len(raw) == 32 else None
