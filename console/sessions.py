"""Sessions of browsers and personal tokens of programs: random secrets, of which only digests are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.console import Console
from console import audit, totp
from console.roles import Caller, roles_of
from console.schema import ApiToken, Person, WebSession

TOKEN_PREFIX = "rwp_"  # noqa: S105 - what a token begins with
MOST_DAYS = 366
_TOUCH_SECONDS = 30.0


def digest_of(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so a plain hash cannot be guessed backwards."""
    return hashlib.sha256(secret.encode()).hexdigest()


def begin(db: Session, person: Person, now: float) -> str:
    """A new session; gives back what the cookie holds."""
    secret = secrets.token_urlsafe(32)
    db.add(
        WebSession(
            digest=digest_of(secret),
            person=person.name,
            csrf=secrets.token_urlsafe(32),
            made_at=now,
            seen_at=now,
        )
    )
    return secret


def caller_of_cookie(db: Session, rules: Console, secret: str, now: float) -> Caller | None:
    """Who a cookie belongs to, or None if it is unknown, too old or was idle for too long."""
    session = db.get(WebSession, digest_of(secret)) if secret else None
    if session is None:
        return None
    person = db.get(Person, session.person)
    too_old = now - session.made_at > rules.session_hours * 3600
    if person is None or person.disabled or too_old or now - session.seen_at > rules.idle_minutes * 60:
        db.delete(session)
        return None
    if now - session.seen_at > _TOUCH_SECONDS:
        session.seen_at = now
    has_totp = bool(person.totp or person.subject)  # the provider asks for its own
    return Caller(person.name, roles_of(person.roles), session.digest, session.csrf, has_totp)


def csrf_counts(caller: Caller, given: str) -> bool:
    """Whether a form came out of this very session."""
    return bool(caller.csrf) and hmac.compare_digest(caller.csrf.encode(), given.encode())


def end(db: Session, caller: Caller, now: float) -> None:
    """Sign out."""
    db.execute(delete(WebSession).where(WebSession.digest == caller.session))
    audit.append(db, now, caller.name, "signed_out", f"person:{caller.name}")


def pending_totp(db: Session, caller: Caller) -> str:
    """The secret that this session is about to set up; the same until it is confirmed."""
    session = db.execute(select(WebSession).where(WebSession.digest == caller.session)).scalar_one()
    session.pending_totp = session.pending_totp or totp.new_secret()
    return session.pending_totp


def new_token(db: Session, caller: Caller, note: str, days: int, now: float) -> str:
    """A personal token for `days` days; shown once, never again."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    days = max(1, min(days, MOST_DAYS))
    digest = digest_of(secret)
    db.add(
        ApiToken(
            digest=digest, person=caller.name, note=note[:200], made_at=now, expires_at=now + days * 86400
        )
    )
    audit.append(db, now, caller.name, "token_made", f"token:{digest[:12]}", days=days)
    return secret


def tokens_of(db: Session, name: str) -> list[ApiToken]:
    """All personal tokens of one person."""
    return list(
        db.execute(select(ApiToken).where(ApiToken.person == name).order_by(ApiToken.made_at)).scalars()
    )


def revoke_token(db: Session, caller: Caller, short: str, now: float) -> None:
    """End one of the caller's own tokens, by the first 12 digits of its digest; raises `LookupError`."""
    found = [t for t in tokens_of(db, caller.name) if t.digest[:12] == short]
    if not found:
        raise LookupError(short)
    db.delete(found[0])
    audit.append(db, now, caller.name, "token_revoked", f"token:{short}")


def caller_of_token(db: Session, secret: str, now: float) -> Caller | None:
    """Who a personal token belongs to, or None."""
    token = db.get(ApiToken, digest_of(secret)) if secret.startswith(TOKEN_PREFIX) else None
    person = db.get(Person, token.person) if token else None
    if token is None or person is None or person.disabled or token.expires_at <= now:
        return None
    if now - (token.used_at or 0) > _TOUCH_SECONDS:
        token.used_at = now
    return Caller(person.name, roles_of(person.roles))


def tidy(db: Session, rules: Console, now: float) -> None:
    """Forget what has run out."""
    db.execute(delete(WebSession).where(WebSession.made_at < now - rules.session_hours * 3600))
    db.execute(delete(ApiToken).where(ApiToken.expires_at < now - 30 * 86400))
