"""The agents: how far they see, which are silent; letting in and shutting out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from console import bundle, enrolment, fleet
from console.doors import ByCookie, Db, In, Now, Posted
from console.roles import Caller, Deed
from console.templates import page

router = APIRouter(include_in_schema=False)


@router.get("/agents")
def show(
    request: Request, caller: ByCookie, house: In, db: Db, now: Now, state: str = "all", after: str = ""
) -> Response:
    return _page(request, caller, house, db, now, state, after.replace("\0", "")[:64])


@router.get("/agents/{agent_id}")
def one(request: Request, agent_id: str, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    found = fleet.one(db, caller, agent_id, now)
    silent = fleet.is_silent(found.agent, house.rules, now)
    return page(request, "agent.html", seen=found, agent=found.agent, silent=silent)


@router.post("/agents/token")
def token(request: Request, caller: ByCookie, form: Posted, house: In, db: Db, now: Now) -> Response:
    only = form.one("agent").strip() or None
    secret = enrolment.new_token(db, caller, form.one("note"), only, now)
    return _page(request, caller, house, db, now, "all", "", secret)


@router.post("/agents/{agent_id}/revoke")
def revoke(agent_id: str, caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    enrolment.revoke(db, caller, agent_id, now)
    return RedirectResponse("/agents", status_code=303)


def _page(
    request: Request,
    caller: Caller,
    house: In,
    db: Session,
    now: float,
    state: str,
    after: str,
    secret: str = "",
) -> Response:
    state = state if state in fleet.STATES else "all"
    newest = bundle.newest(db, house.rules, house.approvers, now)
    return page(
        request,
        "agents.html",
        fleet=fleet.fleet(db, caller, house.rules, newest, state, after, now),
        bundle_key=bundle.public_key(house.rules),
        state=state,
        states=fleet.STATES,
        tokens=fleet.open_tokens(db, now) if caller.may(Deed.ENROL_AGENTS) else [],
        silent=lambda agent: fleet.is_silent(agent, house.rules, now),
        secret=secret,
    )
