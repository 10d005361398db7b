"""The audit: who looked at what and who did what, each entry chained to the one before by its digest.

`digest` is the SHA-256 of the entry's other fields as JSON (keys sorted, no spaces, ASCII); `prev` is
the digest of the entry before, 64 zeros for the first. The head is a row of its own: an end that was
cut off shows.
An entry is written in the transaction of what it tells of: there is neither without the other. It is
gathered meanwhile and written at the end, so that nobody waits for the head while a page is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from console.schema import AuditEntry, AuditHead

ZERO = "0" * 64
_MOST_CHARS = 4000
_GATHERED = "audit"
_HEAD = select(AuditHead.sequence, AuditHead.digest)
_LOCKED = _HEAD.with_for_update()
_WRITE = insert(AuditEntry)
_ADVANCE = update(AuditHead).values(sequence=bindparam("to"), digest=bindparam("digest_there"))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the chain at `sequence`."""

    sequence: int
    kind: str
    """`changed`, `removed` or `cut_off`."""


def append(db: Session, at: float, actor: str, action: str, subject: str = "", **detail: Any) -> None:
    """One entry, which `settle` writes."""
    entry = AuditEntry(
        at=round(at, 3),
        actor=actor[:80],
        action=action,
        subject=subject[:200],
        detail=json.dumps(detail, sort_keys=True)[:_MOST_CHARS],
    )
    db.info.setdefault(_GATHERED, []).append(entry)


def settle(db: Session) -> None:
    """Write what was gathered; the head's row stays locked until the transaction ends, so that the chain
    cannot fork."""
    gathered: list[AuditEntry] = db.info.pop(_GATHERED, [])
    if not gathered:
        return
    sequence, digest = db.execute(_LOCKED).one()
    for entry in gathered:
        sequence += 1
        entry.sequence, entry.prev = sequence, digest
        entry.digest = digest = digest_of(entry)
    db.connection().execute(_WRITE, [plain(entry) for entry in gathered])
    db.connection().execute(_ADVANCE, {"to": sequence, "digest_there": digest})


def digest_of(entry: AuditEntry) -> str:
    """The digest that an entry must carry."""
    return hashlib.sha256(
        json.dumps(plain(entry, digest=False), sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def plain(entry: AuditEntry, *, digest: bool = True) -> dict[str, Any]:
    """The entry as it is exported."""
    keys = ("sequence", "at", "actor", "action", "subject", "detail", "prev") + (
        ("digest",) if digest else ()
    )
    return {key: getattr(entry, key) for key in keys}


def particulars(detail: str) -> str:
    """An entry's `detail` as one line for people."""
    try:
        told: dict[str, Any] = json.loads(detail)
    except ValueError:  # it was cut
        return detail
    return " · ".join(f"{k}: {v}" for k, v in told.items() if v not in ("", None))


def verify(db: Session) -> tuple[int, list[Fault]]:
    """(how many entries, what is wrong with them). Others may append meanwhile: the entries are those of one
    moment between two looks at the head."""
    faults: list[Fault] = []
    sequence, digest, count = 0, ZERO, 0
    at_head, digest_at_head = _head(db)
    is_reached = (at_head, digest_at_head) == (0, ZERO)
    for entry in walk(db):
        count += 1
        if entry.sequence != sequence + 1:
            faults.append(Fault(sequence + 1, "removed"))
        elif entry.prev != digest or entry.digest != digest_of(entry):
            faults.append(Fault(entry.sequence, "changed"))
        sequence, digest = entry.sequence, entry.digest
        is_reached = is_reached or (sequence, digest) == (at_head, digest_at_head)
    if at_head > sequence:
        faults.append(Fault(sequence + 1, "cut_off"))
    elif not is_reached or sequence > _head(db)[0]:
        faults.append(Fault(sequence, "changed"))
    return count, faults


def _head(db: Session) -> tuple[int, str]:
    sequence, digest = db.execute(_HEAD).one()
    return sequence, digest


def walk(db: Session) -> Iterator[AuditEntry]:
    """All entries in order, without holding them all."""
    found = db.execute(select(AuditEntry).order_by(AuditEntry.sequence).execution_options(yield_per=1000))
    for (entry,) in found:
        yield entry
        db.expunge(entry)
