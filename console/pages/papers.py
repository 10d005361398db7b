"""What people sign with their own keys, for people: the registers, one paper, handing in, the report."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from agent.statements import GROUPS, Tuning, as_text
from config.tuning import may_find_less
from console import bundle, exceptions, papers, tuning
from console.doors import ByCookie, Db, In, Now, Posted
from console.templates import page

router = APIRouter(include_in_schema=False)


@router.get("/agreements")
def agreements(request: Request, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    found = papers.register(db, house.approvers, caller, ("agreement",), now)
    return page(request, "agreements.html", found=found, approvers=house.approvers)


@router.get("/agreements/report")
def report(request: Request, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    """Every detail of every agreement, laid out to be printed."""
    rows = papers.lines(papers.register(db, house.approvers, caller, ("agreement",), now))
    return page(request, "report.html", rows=rows, now=now)


@router.get("/agreements.csv")
def table(caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    found = papers.register(db, house.approvers, caller, ("agreement",), now)
    headers = {"Content-Disposition": 'attachment; filename="agreements.csv"'}
    return Response(papers.as_csv(found), media_type="text/csv", headers=headers)


@router.get("/agreements/bundle")
def carried(caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    """All papers for workstations without a link: `recordwarden agreements import` takes the file."""
    found = bundle.download(db, house.rules, house.approvers, caller, now)
    headers = {"Content-Disposition": f'attachment; filename="papers-{found.serial}.json"'}
    return Response(found.document, media_type="application/json", headers=headers)


@router.get("/exceptions")
def excepted(request: Request, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    found = papers.register(db, house.approvers, caller, ("exception",), now)
    return page(request, "exceptions.html", found=found)


@router.post("/alerts/{alert_id}/exception")
def propose(alert_id: str, caller: ByCookie, form: Posted, house: In, db: Db, now: Now) -> Response:
    wanted = exceptions.Wanted(
        form.one("scope"),
        form.one("agents") == "all",
        form.one("place"),
        _days(form.one("days")),
        form.one("reason"),
    )
    told = exceptions.propose(db, house.approvers, caller, alert_id, wanted, now)
    return RedirectResponse(f"/papers/exception/{told.paper.id}", status_code=303)


@router.get("/tuning")
def tunings(request: Request, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    found = tuning.register(db, house.approvers, caller, now)
    return page(request, "tuning.html", found=found, review_days=tuning.REVIEW_DAYS)


@router.post("/tuning")
def propose_tuning(caller: ByCookie, form: Posted, house: In, db: Db, now: Now) -> Response:
    agents = tuple(form.one("agents").split())
    wanted = tuning.Wanted(form.one("settings"), form.one("reason"), agents, _days(form.one("review_days")))
    told = tuning.propose(db, house.approvers, caller, wanted, now)
    return RedirectResponse(f"/papers/tuning/{told.paper.id}", status_code=303)


@router.get("/papers/{kind}/{number}/revocation")
def revocation(
    kind: str, number: str, caller: ByCookie, house: In, db: Db, now: Now, reason: str = ""
) -> Response:
    """What an approver signs to end it."""
    told = papers.one(db, house.approvers, caller, kind, number, now)
    headers = {"Content-Disposition": f'attachment; filename="{told.paper.id}-revocation.json"'}
    text = as_text(papers.revocation(told, reason, now))
    return Response(text, media_type="application/json", headers=headers)


@router.get("/requests")
def requests(request: Request, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    found = papers.register(db, house.approvers, caller, ("release", "disposal"), now)
    return page(request, "requests.html", found=found)


@router.get("/papers/{kind}/{number}")
def one(request: Request, kind: str, number: str, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    told = papers.one(db, house.approvers, caller, kind, number, now)
    less = may_find_less(told.statement.stanzas) if isinstance(told.statement, Tuning) else []
    return page(request, "paper.html", told=told, kind=told.paper.kind, less=less, groups=GROUPS)


@router.get("/papers/{kind}/{number}/file")
def file(kind: str, number: str, caller: ByCookie, house: In, db: Db, now: Now) -> Response:
    """The document, for the next approver to sign."""
    told = papers.one(db, house.approvers, caller, kind, number, now)
    headers = {"Content-Disposition": f'attachment; filename="{told.paper.id}.json"'}
    return Response(as_text(told.envelope), media_type="application/json", headers=headers)


@router.post("/papers")
def hand_in(caller: ByCookie, form: Posted, house: In, db: Db, now: Now) -> Response:
    told = papers.hand_in(db, house.approvers, caller, form.one("document").strip(), now)
    return RedirectResponse(f"/papers/{told.paper.kind}/{told.paper.id}", status_code=303)


def _days(typed: str) -> int:
    """A number of days; 0 for what is none."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 0
