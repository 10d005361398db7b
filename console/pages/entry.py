"""Coming in and going out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console import audit, people, sessions
from console.doors import ByCookie, Db, House, In, Now, Posted, Unproved, same_origin
from console.provider import HANDSHAKE_SECONDS, RETURN_PATH, Provider, Refused, handshake_of, remember
from console.roles import Caller, Deed
from console.templates import page

router = APIRouter(include_in_schema=False)
_FIRST = (
    (Deed.VIEW_ALERTS, "/alerts"),
    (Deed.VIEW_AUDIT, "/audit"),
    (Deed.VIEW_AGENTS, "/agents"),
)


def home_of(caller: Caller) -> str:
    """The first page that somebody may see."""
    return next((path for deed, path in _FIRST if caller.may(deed)), "/account")


@router.get("/")
def start(caller: ByCookie) -> Response:
    return RedirectResponse(home_of(caller), status_code=303)


@router.get("/sign-in")
def ask(request: Request, house: In, next: str = "/") -> Response:
    return _ask(request, house, _local(next))


@router.post("/sign-in")
def sign_in(request: Request, form: Unproved, house: In, db: Db, now: Now) -> Response:
    """The failure is counted although nothing is raised: the transaction ends well either way."""
    same_origin(request)
    back = _local(form.one("next"))
    if not house.rules.local_sign_in:
        raise LookupError("local sign-in")
    person = people.sign_in(
        db, house.rules, form.one("name").strip(), form.one("password"), form.one("code").strip(), now
    )
    if person is None:
        return _ask(request, house, back, failed="password")
    sessions.tidy(db, house.rules, now)
    answer = RedirectResponse(back, status_code=303)
    _let_in(answer, house, sessions.begin(db, person, now))
    return answer


@router.get("/sign-in/provider")
def to_provider(request: Request, house: In, now: Now, next: str = "/") -> Response:
    """A link and no form: a form may lead to this console only."""
    provider = _provider_of(house)
    try:
        begun = provider.begin(_local(next), now)
    except Refused as error:
        return _refused(request, house, str(error), now)
    with house.database.transaction() as db:
        remember(db, begun, now)
    answer = RedirectResponse(begun.url, status_code=303)
    answer.set_cookie(
        house.handshake_cookie,
        begun.state,
        max_age=int(HANDSHAKE_SECONDS),
        httponly=True,
        secure=house.rules.is_secure,
        samesite="lax",
        path="/",
    )
    return answer


@router.get(RETURN_PATH)
def from_provider(request: Request, house: In, now: Now, code: str = "", state: str = "") -> Response:
    """The provider is asked between two transactions: nobody else waits for it."""
    provider = _provider_of(house)
    try:
        with house.database.transaction() as db:
            handshake = handshake_of(db, request.cookies.get(house.handshake_cookie, ""), state, now)
            db.expunge(handshake)
        claims = provider.claims(code, handshake, now)
    except Refused as error:
        return _refused(request, house, str(error), now)
    refused = secret = ""
    with house.database.transaction() as db:
        try:
            secret = sessions.begin(db, provider.sign_in(db, claims, now), now)
        except Refused as error:
            refused = str(error)
    if refused:
        return _refused(request, house, refused, now)
    # a page of our own goes on: what another site redirects to does not get the session's cookie
    answer = page(request, "signed_in.html", back=handshake.back)
    answer.delete_cookie(house.handshake_cookie, path="/", secure=house.rules.is_secure, samesite="lax")
    _let_in(answer, house, secret)
    return answer


@router.post("/sign-out")
def sign_out(caller: ByCookie, form: Posted, house: In, db: Db, now: Now) -> Response:
    sessions.end(db, caller, now)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(house.cookie, path="/", secure=house.rules.is_secure, samesite="strict")
    return answer


def _ask(request: Request, house: House, back: str, failed: str = "") -> Response:
    status = 401 if failed else 200
    return page(request, "sign_in.html", status=status, back=back, failed=failed, rules=house.rules)


def _let_in(answer: Response, house: House, secret: str) -> None:
    answer.set_cookie(
        house.cookie, secret, httponly=True, secure=house.rules.is_secure, samesite="strict", path="/"
    )


def _provider_of(house: House) -> Provider:
    if house.provider is None:
        raise LookupError("provider")
    return house.provider


def _refused(request: Request, house: House, why: str, now: float) -> Response:
    with house.database.transaction() as db:
        audit.append(db, now, "", "sign_in_failed", why=why, by="provider")
    return _ask(request, house, "/", failed=why)


def _local(path: str) -> str:
    """A path of this very console; anything else becomes its start."""
    fine = (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isprintable()
        and "\\" not in path
    )
    return path if fine else "/"
