"""What people sign with their own keys, for programs of people, by personal token."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from agent.statements import MAX_ENVELOPE_BYTES
from console import bundle, exceptions, papers, tuning
from console.api.alerts import AlertId
from console.api.answers import ERRORS
from console.doors import ByToken, Db, In, Now

router = APIRouter(prefix="/api/v1", tags=["papers"], responses=ERRORS(400, 401, 403, 413))
_Kind = Literal["agreement", "exception", "tuning", "release", "disposal"]
_Text = Annotated[str, Field(max_length=64)]
_Number = Annotated[str, Path(min_length=1, max_length=64)]


class PaperLine(BaseModel):
    """One paper as it stands today; `why` is what it lacks."""

    kind: str
    id: str
    standing: str
    why: str
    approved_by: list[str]
    review_overdue: bool
    revoked_because: str
    added_by: str
    added_at: float
    accepted_at: float | None
    revoked_at: float | None
    statement: dict[str, Any]
    """What is signed."""


class PaperWhole(BaseModel):
    """With the document itself."""

    paper: PaperLine
    document: dict[str, Any]


class HandedIn(BaseModel):
    """A document (a DSSE envelope) as JSON text, with the signatures that it has."""

    document: Annotated[str, Field(max_length=MAX_ENVELOPE_BYTES)]


class Proposal(BaseModel):
    """An exception for what is like the file of an alert that was found a false positive."""

    scope: Literal["content", "layout"]
    every_agent: bool = False
    place: Literal["anywhere", "folder", "device"] = "anywhere"
    days: Annotated[int, Field(ge=1, le=365)] = exceptions.DEFAULT_DAYS
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class TuningWanted(BaseModel):
    """How detectors shall judge: TOML with `[detectors.NAME]` tables; no `agents`: on every workstation."""

    settings: Annotated[str, Field(min_length=1, max_length=40_000)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    agents: Annotated[list[_Text], Field(max_length=400)] = []
    review_days: Annotated[int, Field(ge=1, le=1825)] = tuning.REVIEW_DAYS


@router.get("/papers", responses=ERRORS(422))
def list_papers(caller: ByToken, house: In, db: Db, now: Now, kind: _Kind = "agreement") -> list[PaperLine]:
    """The register: what waits for somebody comes first."""
    return [_line(told) for told in papers.register(db, house.approvers, caller, (kind,), now)]


@router.get("/agreements.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def report(caller: ByToken, house: In, db: Db, now: Now) -> Response:
    """Every detail of every agreement, as a table."""
    found = papers.register(db, house.approvers, caller, ("agreement",), now)
    return Response(papers.as_csv(found), media_type="text/csv")


@router.get("/papers/bundle", response_class=Response, responses=ERRORS(503))
def download(caller: ByToken, house: In, db: Db, now: Now) -> Response:
    """All papers that two people have signed, as a bundle for workstations without a link."""
    found = bundle.download(db, house.rules, house.approvers, caller, now)
    return Response(found.document, media_type="application/json")


@router.get("/papers/{kind}/{number}", responses=ERRORS(404, 422))
def show_paper(kind: _Kind, number: _Number, caller: ByToken, house: In, db: Db, now: Now) -> PaperWhole:
    """One paper with its document, which the next approver signs."""
    told = papers.one(db, house.approvers, caller, kind, number, now)
    return PaperWhole(paper=_line(told), document=told.envelope.to_json())


@router.get("/papers/{kind}/{number}/revocation", responses=ERRORS(404, 422))
def revocation(
    kind: _Kind,
    number: _Number,
    caller: ByToken,
    house: In,
    db: Db,
    now: Now,
    reason: Annotated[str, Query(max_length=2000)] = "",
) -> dict[str, Any]:
    """The revocation of an agreement, an exception or a tuning, to be signed; it does nothing before that."""
    told = papers.one(db, house.approvers, caller, kind, number, now)
    return papers.revocation(told, reason, now).to_json()


@router.post("/alerts/{alert_id}/exception", status_code=201, responses=ERRORS(404, 422))
def propose(alert_id: AlertId, proposal: Proposal, caller: ByToken, house: In, db: Db, now: Now) -> PaperLine:
    """Propose an exception; it counts once two people have signed it."""
    wanted = exceptions.Wanted(**proposal.model_dump())
    return _line(exceptions.propose(db, house.approvers, caller, alert_id, wanted, now))


@router.post("/tuning", status_code=201, responses=ERRORS(422))
def propose_tuning(wanted: TuningWanted, caller: ByToken, house: In, db: Db, now: Now) -> PaperLine:
    """Propose a tuning of the fleet's detectors; it counts once two people have signed it."""
    chosen = tuning.Wanted(wanted.settings, wanted.reason, tuple(wanted.agents), wanted.review_days)
    return _line(tuning.propose(db, house.approvers, caller, chosen, now))


@router.post("/papers", status_code=201, responses=ERRORS(404, 422))
def hand_in(wanted: HandedIn, caller: ByToken, house: In, db: Db, now: Now) -> PaperLine:
    """Hand in a paper, more signatures for it, or a revocation."""
    return _line(papers.hand_in(db, house.approvers, caller, wanted.document, now))


def _line(told: papers.Told) -> PaperLine:
    paper, found = told.paper, told.validity
    return PaperLine(
        kind=paper.kind, id=paper.id, standing=told.standing, why=found.why,
        approved_by=list(found.approved_by),
        review_overdue=told.overdue, revoked_because=told.reason, added_by=paper.added_by,
        added_at=paper.added_at, accepted_at=paper.accepted_at, revoked_at=paper.revoked_at,
        statement=told.envelope.plain(),
    )  # fmt: skip
