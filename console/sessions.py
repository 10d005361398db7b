"""Sessions of browsers and personal tokens of programs: random secrets, of which only digests are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from config.console import Console
from console import audit, totp
from console.roles import Caller, Role, roles_of, text_of
from console.schema import ApiToken, Person, WebSession

TOKEN_PREFIX = "rwp_"  # noqa: S105 - what a token begins with
MOST_DAYS = 366
_TOUCH_SECONDS = 30.0
_OF_COOKIE = select(WebSession, Person).join(Person).where(WebSession.digest == bindparam("digest"))
_OF_TOKEN = select(ApiToken, Person).join(Person).where(ApiToken.digest == bindparam("digest"))
"""Made once: to make a statement costs more than to run it."""


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
    """Who a cookie belongs to, or None if it is unknown, too old or idle for too long: `forget` it then."""
    found = db.execute(_OF_COOKIE, {"digest": digest_of(secret)}).one_or_none()
    if found is None:
        return None
    session, person = found
    too_old = now - session.made_at > rules.session_hours * 3600
    if person.disabled or too_old or now - session.seen_at > rules.idle_minutes * 60:
        return None
    if now - session.seen_at > _TOUCH_SECONDS:
        session.seen_at = now
    has_totp = bool(person.totp or person.subject)  # the provider asks for its own
    return Caller(person.name, roles_of(person.roles), session.digest, session.csrf, has_totp)


def forget(db: Session, secret: str) -> None:
    """A session that ran out does not come back, whatever the clock does."""
    db.execute(delete(WebSession).where(WebSession.digest == digest_of(secret)))


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


def new_token(
    db: Session, caller: Caller, note: str, days: int, now: float, roles: frozenset[Role] = frozenset()
) -> str:
    """A personal token for `days` days; shown once, never again.

    It carries `roles` as long as its person has them; none named is all that its person has at the time.
    """
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    days = max(1, min(days, MOST_DAYS))
    digest, carried = digest_of(secret), text_of(roles)
    db.add(
        ApiToken(
            digest=digest, person=caller.name, note=note[:200], roles=carried, made_at=now,
            expires_at=now + days * 86400,
        )
    )  # fmt: skip
    audit.append(db, now, caller.name, "token_made", f"token:{digest[:12]}", days=days, roles=carried)
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
    if not secret.startswith(TOKEN_PREFIX):
        return None
    found = db.execute(_OF_TOKEN, {"digest": digest_of(secret)}).one_or_none()
    if found is None or found[1].disabled or found[0].expires_at <= now:
        return None
    token, person = found
    if now - (token.used_at or 0) > _TOUCH_SECONDS:
        token.used_at = now
    roles = roles_of(person.roles)
    return Caller(person.name, roles & roles_of(token.roles) if token.roles else roles)


def tidy(db: Session, rules: Console, now: float) -> None:
    """Forget what has run out."""
    db.execute(delete(WebSession).where(WebSession.made_at < now - rules.session_hours * 3600))
    db.execute(delete(ApiToken).where(ApiToken.expires_at < now - 30 * 86400))
