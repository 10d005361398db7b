"""Trends, custody and the audit."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from console import desk, reading, retention, trends
from console.choice import PAGE
from console.doors import ByCookie, Db, In, Now, Posted
from console.roles import Deed
from console.templates import page

router = APIRouter(include_in_schema=False)
SPANS = (7, 30, 90, 365)


@router.get("/trends")
def show_trends(request: Request, caller: ByCookie, db: Db, now: Now, days: str = "30") -> Response:
    chosen = int(days) if days in map(str, SPANS) else 30
    found = trends.trends(db, caller, chosen, now)
    return page(request, "trends.html", trends=found, spans=SPANS, kinds=trends.KINDS)


@router.get("/custody")
def show_custody(request: Request, caller: ByCookie, db: Db, now: Now, after: str = "") -> Response:
    found = desk.custody(db, caller, now, after.replace("\0", "")[:200])
    more = len(found) > PAGE
    following = f"{found[PAGE - 1].updated!r}~{found[PAGE - 1].id}" if more else ""
    return page(request, "custody.html", entries=found[:PAGE], following=following)


@router.get("/audit")
def show_audit(
    request: Request, caller: ByCookie, db: Db, now: Now, actor: str = "", subject: str = "", before: str = ""
) -> Response:
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else 0
    found = reading.entries(db, caller, now, actor[:80], subject[:200], start)
    return page(request, "audit.html", found=found, actor=actor, subject=subject, checked=None)


@router.post("/audit/verify")
def verify_audit(request: Request, caller: ByCookie, form: Posted, db: Db, now: Now) -> Response:
    checked = reading.verify(db, caller, now)
    found = reading.entries(db, caller, now)
    return page(request, "audit.html", found=found, actor="", subject="", checked=checked)


@router.get("/erasure")
def ask_erasure(request: Request, caller: ByCookie, house: In) -> Response:
    caller.require(Deed.ERASE)
    return page(request, "erasure.html", retention_days=house.rules.retention_days, erased=None)


@router.post("/erasure")
def erase(request: Request, caller: ByCookie, form: Posted, house: In, db: Db, now: Now) -> Response:
    days = form.one("days")
    number = int(days) if days.isascii() and days.isdigit() and len(days) < 9 else 0
    erased = retention.erase(db, caller, number, now)
    return page(request, "erasure.html", retention_days=house.rules.retention_days, erased=erased)
