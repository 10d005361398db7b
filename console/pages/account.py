"""One's own account: password, second factor, personal tokens."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from sqlalchemy.orm import Session

from console import people, sessions, totp
from console.doors import ByCookie, Db, Now, Posted
from console.roles import Caller
from console.schema import Person
from console.templates import page

router = APIRouter(include_in_schema=False)


@router.get("/account")
def show(request: Request, caller: ByCookie, db: Db) -> Response:
    return _page(request, caller, db)


@router.post("/account/password")
def password(request: Request, caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    if form.one("new") != form.one("again"):
        raise people.Unfit("the new password was not typed the same twice")
    people.change_own_password(db, caller, form.one("old"), form.one("new"), now)
    return _page(request, caller, db, told="The password is changed; other sessions have ended.")


@router.post("/account/totp")
def second_factor(request: Request, caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    secret = sessions.pending_totp(db, caller)
    if not people.confirm_totp(db, caller, secret, form.one("code"), now):
        raise people.Unfit("the code does not fit: is the clock of that device right?")
    return _page(request, caller, db, told="From now on signing in takes a code too.")


@router.post("/account/tokens")
def new_token(request: Request, caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    days = form.one("days")
    number = int(days) if days.isascii() and days.isdigit() and len(days) < 9 else 30
    secret = sessions.new_token(db, caller, form.one("note"), number, now, form.roles)
    return _page(request, caller, db, secret=secret)


@router.post("/account/tokens/revoke")
def revoke(caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    sessions.revoke_token(db, caller, form.one("token"), now)
    return RedirectResponse("/account", status_code=303)


def _page(request: Request, caller: Caller, db: Session, told: str = "", secret: str = "") -> Response:
    person = db.get_one(Person, caller.name)
    pending = "" if person.totp or person.subject else sessions.pending_totp(db, caller)
    return page(
        request,
        "account.html",
        person=person,
        rules=request.app.state.house.rules,
        tokens=sessions.tokens_of(db, caller.name),
        pending=pending,
        picture=Markup(totp.picture(pending, caller.name)) if pending else "",  # noqa: S704 - made by us
        told=told,
        secret=secret,
    )
