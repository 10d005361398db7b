"""The inbox: which alerts there are, what is done with several at once, and views that are kept."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import RedirectResponse

from console import desk, exceptions
from console.choice import DAYS, DETERMINATIONS, STATES, Choice
from console.doors import ByCookie, Db, In, Now, Posted
from console.portrait import SEVERITIES
from console.roles import Deed
from console.templates import page

router = APIRouter(include_in_schema=False)
ZONES = ("removable", "shared", "local", "website")
TIERS = ("confirmed", "likely", "possible")
DISPOSITIONS = ("detected", "quarantined", "not_removed", "error", "restored")


@router.get("/alerts")
def inbox(
    request: Request, caller: ByCookie, house: In, db: Db, now: Now, hx_request: Annotated[str, Header()] = ""
) -> Response:
    choice = Choice.of(dict(request.query_params))
    found = desk.inbox(db, caller, choice, now)
    return page(
        request,
        "parts/alerts.html" if hx_request else "inbox.html",
        choice=choice,
        found=found,
        excepted=exceptions.excepted(db, house.approvers, found.alerts, now),
        views=desk.saved_views(db, caller),
        people=desk.assignees(db) if caller.may(Deed.VIEW_ALERTS) else [],
        severities=SEVERITIES,
        options={
            "states": STATES, "zones": ZONES, "tiers": TIERS, "dispositions": DISPOSITIONS,
            "determinations": DETERMINATIONS, "days": DAYS,
        },
    )  # fmt: skip


@router.post("/alerts/decide")
def decide(caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    desk.decide(db, caller, form.all("alert"), form.one("determination"), form.one("note"), now)
    return _back(form.one("back"))


@router.post("/alerts/note")
def note(caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    desk.note(db, caller, form.all("alert"), form.one("note"), now)
    return _back(form.one("back"))


@router.post("/alerts/assign")
def assign(caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    to = form.one("to")
    desk.assign(db, caller, form.all("alert"), "" if to == "nobody" else to, now)
    return _back(form.one("back"))


@router.post("/views")
def save(caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    choice = Choice.of(dict(parse_qsl(form.one("query"))))
    desk.save_view(db, caller, form.one("name"), choice, now)
    return _back("/alerts?" + choice.query)


@router.post("/views/forget")
def forget(caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    desk.forget_view(db, caller, form.one("name"), now)
    return _back("/alerts")


def _back(path: str) -> Response:
    fine = path.startswith("/alerts") and path.isascii() and path.isprintable() and "\\" not in path
    return RedirectResponse(path if fine else "/alerts", status_code=303)
