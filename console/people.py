"""Accounts. Local ones are made by an administrator, entered by password and, where set up, a one-time code.
Those of an OpenID Connect provider (`console.provider`) are made when somebody first comes from there.

Passwords are kept as argon2id (RFC 9106, the library's parameters). After some failures in a row an
account lets nobody in for a while; which of name, password, code or lock it was is not told.
"""

from __future__ import annotations

import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.console import Console
from console import audit, totp
from console.roles import Caller, Deed, Role, roles_of, text_of
from console.schema import ApiToken, Person, WebSession

LEAST_CHARS, MOST_CHARS = 12, 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}", re.ASCII)
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("a password that nobody has")
"""Checked when a name does not exist, so that the answer takes as long."""


class Unfit(ValueError):
    """A name, password or role that cannot be accepted. The text says why."""


def add(db: Session, by: str, name: str, password: str, roles: frozenset[Role], now: float) -> Person:
    """A new account; raises `Unfit`."""
    if not _NAME.fullmatch(name):
        raise Unfit("a name is 1 to 63 letters, digits, dots, @, - or _")
    if not roles:
        raise Unfit("at least one role is needed")
    if db.get(Person, name) is not None:
        raise Unfit("there is an account of this name")
    person = Person(name=name, password=_hash(password), roles=text_of(roles), made_at=now, locked_until=0.0)
    db.add(person)
    db.flush()
    audit.append(db, now, by, "person_added", f"person:{name}", roles=text_of(roles))
    return person


def change(
    db: Session,
    by: Caller,
    name: str,
    now: float,
    *,
    roles: frozenset[Role] | None = None,
    disabled: bool | None = None,
    password: str | None = None,
    forget_totp: bool = False,
) -> Person:
    """By an administrator; whoever is changed is signed out. Raises `Unfit`, `Forbidden`, `LookupError`."""
    by.require(Deed.MANAGE_PEOPLE)
    person = _person(db, name)
    if person.subject and (roles is not None or password is not None):
        raise Unfit("the sign-in provider says who this is, and what roles they have")
    told: dict[str, object] = {}
    if roles is not None:
        if not roles:
            raise Unfit("at least one role is needed")
        person.roles = told["roles"] = text_of(roles)
    if disabled is not None:
        person.disabled = told["disabled"] = disabled
    if password is not None:
        person.password, told["password"] = _hash(password), "set"
        person.failures, person.locked_until = 0, 0.0
    if forget_totp:
        person.totp, told["totp"] = None, "removed"
    db.flush()
    _keep_an_administrator(db)
    sign_out_everywhere(db, name, tokens=bool(disabled) or password is not None)
    audit.append(db, now, by.name, "person_changed", f"person:{name}", **told)
    return person


def change_own_password(db: Session, by: Caller, old: str, new: str, now: float) -> None:
    """Raises `Unfit`. Other sessions of that person end."""
    person = _person(db, by.name)
    if person.subject or not _matches(person.password, old):
        raise Unfit("the old password is not right")
    person.password = _hash(new)
    for session in db.execute(select(WebSession).where(WebSession.person == by.name)).scalars():
        if session.digest != by.session:
            db.delete(session)
    audit.append(db, now, by.name, "password_changed", f"person:{by.name}")


def sign_in(db: Session, rules: Console, name: str, password: str, code: str, now: float) -> Person | None:
    """Who it is, or None. Counts failures; the caller must commit either way."""
    person = db.execute(select(Person).where(Person.name == name).with_for_update()).scalar_one_or_none()
    right = _matches((person and person.password) or _NOBODY, password)
    if person is None:
        audit.append(db, now, "", "sign_in_failed", why="unknown")
        return None
    why = ""
    if person.disabled:
        why = "disabled"
    elif person.locked_until > now:
        why = "locked"
    elif not right:
        why = "password"
    elif person.totp and not _code_counts(person, code, now):
        why = "code"
    if why:
        if why in ("password", "code"):
            _count_failure(person, rules, now)
        audit.append(db, now, "", "sign_in_failed", f"person:{name}", why=why)
        return None
    if _HASHER.check_needs_rehash(person.password):
        person.password = _HASHER.hash(password)
    person.failures, person.locked_until, person.seen_at = 0, 0.0, now
    audit.append(db, now, name, "signed_in", f"person:{name}")
    return person


def arrive(db: Session, subject: str, name: str, roles: frozenset[Role], now: float) -> Person:
    """Somebody whom the provider has signed in, with the roles that it gives today.

    An account is known by its subject, never by its name: a name that another account has is refused.
    Raises `Unfit`; whoever has no role any more is signed out everywhere by then.
    """
    person = db.execute(select(Person).where(Person.subject == subject)).scalar_one_or_none()
    if person is None:
        if not roles:
            raise Unfit("no_role")
        if not _NAME.fullmatch(name) or db.get(Person, name) is not None:
            raise Unfit("no_such_name" if not _NAME.fullmatch(name) else "name_taken")
        person = Person(
            name=name, password="", roles=text_of(roles), made_at=now, locked_until=0.0, subject=subject
        )
        db.add(person)
        db.flush()
        audit.append(db, now, "provider", "person_added", f"person:{name}", roles=person.roles)
    if person.roles != text_of(roles):
        person.roles = text_of(roles)
        audit.append(db, now, "provider", "person_changed", f"person:{person.name}", roles=person.roles)
        sign_out_everywhere(db, person.name, tokens=not roles)
    if not roles or person.disabled:
        raise Unfit("no_role" if not roles else "disabled")
    person.seen_at = now
    audit.append(db, now, person.name, "signed_in", f"person:{person.name}", by="provider")
    return person


def confirm_totp(db: Session, by: Caller, secret: str, code: str, now: float) -> bool:
    """Whether the code fits; from then on sign-in asks for one."""
    person = _person(db, by.name)
    step = totp.matching_step(secret, code, now, 0)
    if step is None:
        return False
    person.totp, person.totp_step = secret, step
    audit.append(db, now, by.name, "totp_set_up", f"person:{by.name}")
    return True


def everybody(db: Session) -> list[Person]:
    """All accounts, by name."""
    return list(db.execute(select(Person).order_by(Person.name)).scalars())


def sign_out_everywhere(db: Session, name: str, *, tokens: bool) -> None:
    """End all sessions of a person, and their tokens if wanted."""
    for session in db.execute(select(WebSession).where(WebSession.person == name)).scalars():
        db.delete(session)
    if tokens:
        for token in db.execute(select(ApiToken).where(ApiToken.person == name)).scalars():
            db.delete(token)


def _person(db: Session, name: str) -> Person:
    found = db.get(Person, name.replace("\0", ""))
    if found is None:
        raise LookupError(name)
    return found


def _keep_an_administrator(db: Session) -> None:
    """Nobody could ever let anybody in again."""
    if not any(Role.ADMINISTRATOR in roles_of(p.roles) and not p.disabled for p in everybody(db)):
        raise Unfit("one administrator must remain")


def _hash(password: str) -> str:
    if not LEAST_CHARS <= len(password) <= MOST_CHARS:
        raise Unfit(f"a password has at least {LEAST_CHARS} characters")
    return _HASHER.hash(password)


def _matches(kept: str, given: str) -> bool:
    try:
        return _HASHER.verify(kept, given[: MOST_CHARS + 1])
    except (VerificationError, InvalidHashError):
        return False


def _code_counts(person: Person, code: str, now: float) -> bool:
    step = totp.matching_step(person.totp or "", code, now, person.totp_step)
    if step is None:
        return False
    person.totp_step = step
    return True


def _count_failure(person: Person, rules: Console, now: float) -> None:
    person.failures += 1
    if person.failures >= rules.lockout_failures:
        person.failures = 0
        person.locked_until = now + rules.lockout_minutes * 60
