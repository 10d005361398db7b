"""One alert: all that is known, and the decision."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from console import desk, exceptions
from console.choice import DETERMINATIONS
from console.doors import ByCookie, Db, In, Now, Posted
from console.portrait import SEVERITIES, portrait
from console.roles import Deed
from console.templates import page

router = APIRouter(include_in_schema=False)


@router.get("/alerts/{alert_id}")
def show(request: Request, alert_id: str, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    found = desk.look(db, caller, alert_id, now)
    return page(
        request,
        "alert.html",
        alert=found,
        portrait=portrait(found),
        related=desk.related(db, found),
        timeline=desk.timeline(db, found),
        people=desk.assignees(db) if caller.may(Deed.ASSIGN) else [],
        severities=SEVERITIES,
        determinations=DETERMINATIONS,
        excepted=exceptions.of_alerts(db, house.approvers, [found.id], now).get(found.id, []),
        offer=exceptions.offer(found) if exceptions.is_open_to(found) else None,
        days=exceptions.DEFAULT_DAYS,
    )


@router.post("/alerts/{alert_id}/reopen")
def reopen(alert_id: str, caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    found = desk.reopen(db, caller, alert_id, now)
    return RedirectResponse(f"/alerts/{found.id}", status_code=303)
