"""Coming in and going out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console import people, sessions
from console.doors import ByCookie, Db, In, Now, Posted, Unproved, same_origin
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
def ask(request: Request, next: str = "/") -> Response:
    return page(request, "sign_in.html", back=_local(next), failed=False)


@router.post("/sign-in")
def sign_in(request: Request, form: Unproved, house: In, db: Db, now: Now) -> Response:
    """The failure is counted although nothing is raised: the transaction ends well either way."""
    same_origin(request)
    back = _local(form.one("next"))
    person = people.sign_in(
        db, house.rules, form.one("name").strip(), form.one("password"), form.one("code").strip(), now
    )
    if person is None:
        return page(request, "sign_in.html", status=401, back=back, failed=True)
    sessions.tidy(db, house.rules, now)
    answer = RedirectResponse(back, status_code=303)
    answer.set_cookie(
        house.cookie,
        sessions.begin(db, person, now),
        httponly=True,
        secure=house.rules.is_secure,
        samesite="strict",
        path="/",
    )
    return answer


@router.post("/sign-out")
def sign_out(caller: ByCookie, form: Posted, house: In, db: Db, now: Now) -> Response:
    sessions.end(db, caller, now)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(house.cookie, path="/", secure=house.rules.is_secure, samesite="strict")
    return answer


def _local(path: str) -> str:
    """A path of this very console; anything else becomes its start."""
    fine = (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isprintable()
        and "\\" not in path
    )
    return path if fine else "/"
