"""Accounts, for administrators."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console import people
from console.doors import ByCookie, Db, Now, Posted
from console.roles import Deed, Role, roles_of
from console.templates import page

router = APIRouter(include_in_schema=False)


@router.get("/people")
def show(request: Request, caller: ByCookie, db: Db) -> Response:
    caller.require(Deed.MANAGE_PEOPLE)
    return page(request, "people.html", everybody=people.everybody(db), roles=list(Role), roles_of=roles_of)


@router.post("/people")
def add(caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    caller.require(Deed.MANAGE_PEOPLE)
    people.add(db, caller.name, form.one("name").strip(), form.one("password"), form.roles, now)
    return RedirectResponse("/people", status_code=303)


@router.post("/people/{name}")
def change(name: str, caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    """`what` says which of the page's forms it was."""
    match form.one("what"):
        case "roles":
            people.change(db, caller, name, now, roles=form.roles)
        case "disable" | "enable" as what:
            people.change(db, caller, name, now, disabled=what == "disable")
        case "password":
            people.change(db, caller, name, now, password=form.one("password"))
        case "totp":
            people.change(db, caller, name, now, forget_totp=True)
        case _:
            caller.require(Deed.MANAGE_PEOPLE)
            raise people.Unfit("nothing was asked")
    return RedirectResponse("/people", status_code=303)
