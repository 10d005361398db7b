"""What agents call: enrolment, alerts, heartbeats, the bundle of papers (docs/console-api.md)."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from console import bundle, enrolment, intake
from console.api.answers import ERRORS, SIGNED
from console.doors import Body, BySignature, Db, In, Now

router = APIRouter(prefix="/api/v1", tags=["agents"])
_Text = Annotated[str, Field(max_length=255)]


class Enrolment(BaseModel):
    """What an agent says of itself when it comes in."""

    model_config = ConfigDict(extra="ignore")
    token: _Text
    agent: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,64}$")]
    hostname: _Text
    public_key: Annotated[str, Field(pattern="^ed25519:[A-Za-z0-9+/]{43}=$")]
    version: _Text = ""


class Enrolled(BaseModel):
    """The agent is in. Bundles of papers are signed by `bundle_key`: it trusts no other from now on."""

    agent: str
    bundle_key: str


class RefusedRecord(BaseModel):
    """A record that will never be taken as it is."""

    index: int
    code: str


class Taken(BaseModel):
    """What became of each record."""

    accepted: int
    known: int
    refused: list[RefusedRecord]


class Malformed(ValueError):
    """A body that is not what is said of it."""


@router.post(
    "/enrol", status_code=201, responses={200: {"model": Enrolled}, **ERRORS(400, 403, 409, 413, 422)}
)
def enrol(wanted: Enrolment, response: Response, house: In, db: Db, now: Now) -> Enrolled:
    """Trade a token, which works once, for the right to send what is signed with a key of the agent's own."""
    new = enrolment.enrol(
        db, wanted.token, wanted.agent, wanted.hostname, wanted.public_key, wanted.version, now
    )
    response.status_code = 201 if new else 200
    return Enrolled(agent=wanted.agent, bundle_key=bundle.public_key(house.rules))


@router.post("/alerts", responses=ERRORS(400, 401, 413, 422), openapi_extra=SIGNED)
def alerts(body: Body, agent: BySignature, db: Db, now: Now) -> Taken:
    """Take OCSF records of class 2006, each once."""
    return _answer(intake.alerts(db, agent, _records(body), now))


@router.post("/heartbeats", responses=ERRORS(400, 401, 413, 422), openapi_extra=SIGNED)
def heartbeats(body: Body, agent: BySignature, db: Db, now: Now) -> Taken:
    """Take OCSF records of class 6007, of which the newest counts."""
    return _answer(intake.heartbeats(db, agent, _records(body), now))


@router.get(
    "/bundle",
    response_class=Response,
    responses={
        200: {"description": "the bundle", "content": {"application/json": {}}},
        204: {"description": "nothing newer"},
        **ERRORS(400, 401, 413, 422, 503),
    },
)
def papers(
    agent: BySignature, house: In, db: Db, now: Now, after: Annotated[int, Query(ge=0, lt=2**53)] = 0
) -> Response:
    """The signed bundle of papers, if it is newer than the one with the serial number `after`."""
    agent.seen_at, agent.bundle = now, after
    found = bundle.current(db, house.rules, house.approvers, now)
    if found.serial <= after:
        return Response(status_code=204)
    return Response(bundle.for_agent(found, house.rules, agent.id), media_type="application/json")


def _records(body: bytes) -> list[Any]:
    try:
        plain = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    records = plain.get("records") if isinstance(plain, dict) else None
    if not isinstance(records, list) or not 1 <= len(records) <= intake.MOST_RECORDS:
        raise Malformed(f"1 to {intake.MOST_RECORDS} records are needed")
    return records


def _answer(taken: intake.Taken) -> Taken:
    refused = [RefusedRecord(index=r["index"], code=r["code"]) for r in taken.refused]
    return Taken(accepted=taken.accepted, known=taken.known, refused=refused)
