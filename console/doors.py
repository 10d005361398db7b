"""The ways in: who calls, with a browser's session, a personal token or an agent's signature.

Each way is a dependency of FastAPI; what waits for nothing is `async`, and takes no thread. A transaction
ends before the answer is sent, so that what was answered is kept; cookies count for pages only and tokens
for the interface only, so that no page of others can act.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jinja2 import Environment
from sqlalchemy.orm import Session

from config.console import Console
from config.settings import Approver
from console import sessions, signatures
from console.database import Database
from console.provider import Provider
from console.roles import Caller, Role
from console.schema import Agent


@dataclass(frozen=True, slots=True)
class House:
    """What every request needs: made once, by `console.web`."""

    rules: Console
    database: Database
    templates: Environment
    clock: Callable[[], float] = field(default=time.time)
    provider: Provider | None = None
    approvers: tuple[Approver, ...] = ()

    @property
    def handshake_cookie(self) -> str:
        """Goes along when the browser comes back from the provider; holds for that sign-in only."""
        return self.cookie + "-sign-in"

    @property
    def cookie(self) -> str:
        """The session's cookie; the prefix makes browsers refuse it from elsewhere (RFC 6265bis §4.1.3)."""
        return "__Host-recordwarden" if self.rules.is_secure else "recordwarden"


class SignInNeeded(Exception):
    """No session, or one that has run out."""


class SetUpNeeded(Exception):
    """The rules ask for a second factor, and there is none yet."""


class NoToken(Exception):
    """No personal token, or one that is unknown or has run out."""


class Foreign(Exception):
    """A form that did not come out of this session's own page."""


async def house_of(request: Request) -> House:
    house: House = request.app.state.house
    return house


In = Annotated[House, Depends(house_of)]


async def now_of(house: In) -> float:
    return house.clock()


Now = Annotated[float, Depends(now_of)]


def transaction(house: In) -> Iterator[Session]:
    with house.database.transaction() as db:
        yield db


Db = Annotated[Session, Depends(transaction, scope="function")]


_SETTING_UP = frozenset({"/account", "/account/totp", "/account/password", "/sign-out"})


def by_cookie(request: Request, house: In, db: Db, now: Now) -> Caller:
    secret = request.cookies.get(house.cookie, "")
    caller = sessions.caller_of_cookie(db, house.rules, secret, now) if secret else None
    if caller is None:
        raise SignInNeeded
    request.state.caller = caller
    if house.rules.require_totp and not caller.has_totp and request.url.path not in _SETTING_UP:
        raise SetUpNeeded
    return caller


ByCookie = Annotated[Caller, Depends(by_cookie)]


def same_origin(request: Request) -> None:
    """Raises `Foreign` where the browser says that another site sent it."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Foreign
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Foreign


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form."""

    fields: dict[str, list[str]]

    def one(self, name: str) -> str:
        return self.fields.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        return self.fields.get(name, [])

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that were ticked."""
        return frozenset(Role(word) for word in self.all("role") if word in set(Role))


async def form_of(request: Request) -> Form:
    """Text fields only, bounded."""
    read = await request.form(max_files=0, max_fields=1200)
    fields: dict[str, list[str]] = {}
    for name, value in read.multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value.replace("\0", ""))
    return Form(fields)


Unproved = Annotated[Form, Depends(form_of)]


def posted(request: Request, caller: ByCookie, form: Unproved) -> Form:
    """A form out of this session's own page; raises `Foreign`."""
    same_origin(request)
    given = form.one("csrf") or request.headers.get("x-csrf-token", "")
    if not sessions.csrf_counts(caller, given):
        raise Foreign
    return form


Posted = Annotated[Form, Depends(posted)]


async def body_of(request: Request) -> bytes:
    """The whole body, which `console.envelope` bounds."""
    return await request.body()


Body = Annotated[bytes, Depends(body_of)]
_BEARER = HTTPBearer(auto_error=False, scheme_name="personal token")


def by_token(
    request: Request,
    db: Db,
    now: Now,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Caller:
    caller = sessions.caller_of_token(db, given.credentials, now) if given else None
    if caller is None:
        raise NoToken
    request.state.caller = caller
    return caller


ByToken = Annotated[Caller, Depends(by_token)]
_Named = Annotated[str, Header(max_length=512)]


def by_signature(
    request: Request,
    db: Db,
    now: Now,
    body: Body,
    recordwarden_agent: _Named,
    recordwarden_time: _Named,
    recordwarden_nonce: _Named,
    recordwarden_signature: _Named,
) -> Agent:
    """The agent that signed this request, in the transaction of the request; raises `Unsigned`."""
    query = request.scope["query_string"]
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    signed = signatures.SignedRequest(
        request.method,
        (path + (b"?" + query if query else b"")).decode("ascii", "replace"),
        recordwarden_agent,
        recordwarden_time,
        recordwarden_nonce,
        recordwarden_signature,
        body,
    )
    return signatures.accept(db, signed, now)


BySignature = Annotated[Agent, Depends(by_signature)]
