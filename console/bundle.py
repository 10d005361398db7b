"""The bundle of papers for the workstations: what is in it, when it is made anew, the key that signs it.

In it is what two people have signed and what is not over: agreements, exceptions and tunings (with their
revocation), releases and disposals. One row holds the newest; it is made anew when a paper came, ended or
lost a signer, and its serial number only grows, with the clock, so that it is not repeated after a backup was
brought back. The key is a file beside the database, made at the first start. It stands for no approver.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.paper_bundle import BadBundle, open_bundle, seal_bundle
from agent.signing import new_key, public_of
from agent.statements import Disposal, Release, ScopedException, Terms, day, from_json, read
from agent.validity import Standing, today, validity
from config.console import Console
from config.settings import Approver
from console import audit
from console.roles import Caller, Deed
from console.schema import Bundle, Paper

_FILE = "bundle-key.pem"
_DAY = 86400
_CARRIED = (Standing.IN_FORCE, Standing.NOT_YET, Standing.REVOKED)


def signing_key(rules: Console) -> bytes:
    """The private key (PEM), made if there is none yet. Raises `OSError`."""
    path = rules.folder / _FILE
    with suppress(FileNotFoundError):
        return path.read_bytes()
    rules.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{_FILE}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
        file.write(new_key()[0])
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):  # another console was faster
        os.link(beside, path)
    beside.unlink()
    return path.read_bytes()


def public_key(rules: Console) -> str:
    """What workstations are told when they are enrolled."""
    return public_of(signing_key(rules))


def current(db: Session, rules: Console, approvers: Sequence[Approver], now: float) -> Bundle:
    """The newest bundle, made anew if what it would hold has changed; `BadBundle` if that is too much."""
    pem = signing_key(rules)
    basis = _basis(approvers, public_of(pem))
    found = db.get_one(Bundle, 1)
    if found.basis == basis and not found.is_stale and now < found.fresh_until:
        return found
    found = db.get_one(Bundle, 1, with_for_update=True)
    papers, fresh_until = _papers(db, approvers, now)
    if found.basis != basis or not _holds(found.document, papers, public_of(pem)):
        serial = max(found.serial + 1, int(now))
        found.document = seal_bundle(serial, int(now), papers, pem)
        found.serial, found.made_at, found.papers = serial, now, len(papers)
        audit.append(db, now, "console", "bundle_made", f"bundle:{found.serial}", papers=len(papers))
    found.basis, found.fresh_until, found.is_stale = basis, fresh_until, False
    db.flush()
    return found


def for_agent(found: Bundle, rules: Console, agent: str) -> str:
    """What one workstation gets of it: all but the requests, and of these those that were made there."""
    pem = signing_key(rules)
    whole = open_bundle(found.document, public_of(pem))
    papers = [paper for paper in whole.untrusted_papers if _host_of(paper) in ("", agent)]
    return seal_bundle(whole.serial, whole.made_at, papers, pem)


def newest(db: Session, rules: Console, approvers: Sequence[Approver], now: float) -> Bundle:
    """The same, for a look at it: the last one that could be made."""
    try:
        return current(db, rules, approvers, now)
    except BadBundle:
        return db.get_one(Bundle, 1)


def outdate(db: Session) -> None:
    """A paper has changed: look again before the next workstation asks. The audit's lock comes after this."""
    db.get_one(Bundle, 1, with_for_update=True).is_stale = True


def download(db: Session, rules: Console, approvers: Sequence[Approver], by: Caller, now: float) -> Bundle:
    """The newest bundle, for somebody who carries it to a network without a link."""
    by.require(Deed.VIEW_PAPERS)
    found = current(db, rules, approvers, now)
    audit.append(db, now, by.name, "bundle_downloaded", f"bundle:{found.serial}")
    return found


def _papers(db: Session, approvers: Sequence[Approver], now: float) -> tuple[list[dict[str, Any]], float]:
    """(the papers to carry, until when they are the same if nobody hands anything in)."""
    found: list[dict[str, Any]] = []
    fresh_until = float((int(now) // _DAY + 1) * _DAY)
    for paper in db.execute(select(Paper).order_by(Paper.kind, Paper.id)).scalars():
        envelope = read(paper.envelope)
        accepted, revoked = paper.accepted_at is not None, paper.revoked_at is not None
        standing = validity(envelope, approvers, now, accepted=accepted, revoked=revoked).standing
        statement = envelope.statement()
        if standing not in _CARRIED or (
            isinstance(statement, Terms | ScopedException) and today(now) > day(statement.valid_until)
        ):
            continue
        if isinstance(statement, Release | Disposal):
            fresh_until = min(fresh_until, float(statement.expires_at + 1))
        found.append(envelope.to_json())
        if paper.revocation:
            found.append(read(paper.revocation).to_json())
    return found, fresh_until


def _host_of(paper: dict[str, Any]) -> str:
    statement = from_json(paper).statement()
    return statement.host_id if isinstance(statement, Release | Disposal) else ""


def _basis(approvers: Sequence[Approver], key: str) -> str:
    plain = [key, [approver.model_dump(mode="json") for approver in approvers]]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _holds(document: str, papers: list[dict[str, Any]], key: str) -> bool:
    try:
        return list(open_bundle(document, key).untrusted_papers) == papers
    except BadBundle:  # somebody edited the row
        return False
