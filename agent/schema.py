"""The ledger's tables, its migrations, and its rows as the rest of the agent sees them.

Paths and names are stored as bytes (`os.fsencode`), because a file name need not be text.
Times are seconds since the epoch. `MIGRATIONS[n]` takes a ledger from version n to n + 1; a
migration that has been released is never edited.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from agent.protocol import Identity
from agent.writer import Writer

HEARTBEAT = "heartbeat"
"""The `file_key` and disposition of the row that carries heartbeats to the sinks; it is no alert."""


class EntryState(StrEnum):
    """How far a file's way into custody has got."""

    INTENDED = "intended"
    """The keeper may vault it; the original is untouched."""
    VAULTED = "vaulted"
    """In custody, alert held; the original may be anywhere between its place and gone."""
    QUARANTINED = "quarantined"
    NOT_REMOVED = "not_removed"
    """In custody, and the original is still there."""
    REVOKED = "revoked"
    """Never came into custody; a ciphertext of this id is waste."""
    PUT_BACK = "put_back"
    """Custody was lost before the removal was finished: the keeper must put the original back."""
    RESTORED = "restored"
    DISPOSED = "disposed"
    """Deleted from the vault on the word of two people; a ciphertext of this id is waste."""


class AlertState(StrEnum):
    """Whether an alert may leave."""

    HELD = "held"
    RELEASED = "released"
    RECORDED = "recorded"
    """Kept as an answer to 'all authorised access'; sent nowhere."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file's way into custody."""

    entry_id: str
    root_id: str
    path: str
    """Absolute, as the file was found."""
    identity: Identity
    state: EntryState
    verdict: dict[str, Any]
    disposition: dict[str, Any]
    owner_uid: int
    mode: int
    observed_at: float
    intended_at: float
    sha256: str = ""
    size: int = 0
    ciphertext_sha256: str = ""
    ciphertext_size: int = 0
    aside: str = ""
    notice: bool = False
    reason: str = ""
    vaulted_at: float | None = None
    finished_at: float | None = None
    alert_id: str | None = None
    writer: Writer | None = None
    """The process that wrote the file, where the kernel told."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert and where it stands. `file_key` tells the file version that it is about."""

    alert_id: str
    file_key: str
    root_id: str
    entry_id: str | None
    path: str
    disposition: str
    reason: str
    state: AlertState
    record: dict[str, Any]
    created_at: float
    updated_at: float
    revision: int = 1
    determination: str | None = None
    note: str = ""
    decided_by: str = ""

    def revised(self, record: dict[str, Any], at: float, **changes: Any) -> AlertRow:
        """Its next revision."""
        return replace(self, record=record, updated_at=at, revision=self.revision + 1, **changes)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert that waits to go to one sink."""

    alert_id: str
    sink: str
    revision: int
    attempts: int
    first: bool
    """The sink has never acknowledged this alert: it is a Create there, whatever came before."""
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RootRow:
    """A root as last registered, and its last sweep."""

    root_id: str
    path: str
    zone: str
    handling: str
    volume: dict[str, Any] = field(default_factory=dict)
    attached_at: float = 0.0
    detached_at: float | None = None
    swept: dict[str, Any] = field(default_factory=dict)
    """The last `Swept`, with `finished_at`; empty before the first."""
    contact: dict[str, Any] = field(default_factory=dict)
    """First contact (`agent.contact`): `since`, `ended`, and perhaps `enforced`, `accepted_by`."""


class RequestState(StrEnum):
    """How far what two people sign has got."""

    REQUESTED = "requested"
    PLACING = "placing"
    """Approved and under way; nothing has its name yet."""
    WRITTEN = "written"
    """The whole content lies beside its place; it has its name, or gets it."""
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A release or a disposal that was asked for on this machine. `detail` is what its steps must know."""

    request_id: str
    act: str
    """`release` or `disposal`."""
    entry_id: str
    sha256: str
    payload: bytes
    state: RequestState
    made_at: float
    expires_at: float
    changed_at: float
    approved_by: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """A Data Access Agreement as it was handed in, with what was signed about it."""

    agreement_id: str
    envelope: dict[str, Any]
    added_by: str
    added_at: float
    accepted_at: float | None = None
    """When it had both signatures, of people who were in office then."""
    revocation: dict[str, Any] | None = None
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class ExemptionRow:
    """One file that was let be, and by what: to be judged again when that holds no longer."""

    root_id: str
    relpath: str
    sha256: str
    basis: str
    """`agreement`, `exception` or `release`."""
    proof: str
    at: float


MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE roots (
        root_id TEXT PRIMARY KEY, path BLOB NOT NULL, zone TEXT NOT NULL, handling TEXT NOT NULL,
        volume TEXT NOT NULL, attached_at REAL NOT NULL, detached_at REAL, swept TEXT NOT NULL DEFAULT '{}'
    ) WITHOUT ROWID;
    CREATE TABLE seen (
        root_id TEXT NOT NULL, relpath BLOB NOT NULL,
        version TEXT NOT NULL,
        digest TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
        disposition TEXT NOT NULL, judged_at REAL NOT NULL,
        PRIMARY KEY (root_id, relpath)
    ) WITHOUT ROWID;
    CREATE INDEX seen_unreadable ON seen (root_id, reason) WHERE outcome = 'unreadable';
    CREATE TABLE entries (
        entry_id TEXT PRIMARY KEY, root_id TEXT NOT NULL REFERENCES roots, path BLOB NOT NULL,
        identity TEXT NOT NULL, state TEXT NOT NULL, verdict TEXT NOT NULL, disposition TEXT NOT NULL,
        owner_uid INTEGER NOT NULL, mode INTEGER NOT NULL,
        observed_at REAL NOT NULL, intended_at REAL NOT NULL,
        sha256 TEXT NOT NULL DEFAULT '', size INTEGER NOT NULL DEFAULT 0,
        ciphertext_sha256 TEXT NOT NULL DEFAULT '', ciphertext_size INTEGER NOT NULL DEFAULT 0,
        aside BLOB NOT NULL DEFAULT x'', notice INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
        vaulted_at REAL, finished_at REAL, alert_id TEXT
    ) WITHOUT ROWID;
    CREATE INDEX entries_by_root ON entries (root_id, state, intended_at);
    CREATE TABLE alerts (
        alert_id TEXT PRIMARY KEY, file_key TEXT NOT NULL, root_id TEXT NOT NULL REFERENCES roots,
        entry_id TEXT REFERENCES entries, path BLOB NOT NULL,
        disposition TEXT NOT NULL, reason TEXT NOT NULL, state TEXT NOT NULL, record TEXT NOT NULL,
        created_at REAL NOT NULL, updated_at REAL NOT NULL, revision INTEGER NOT NULL DEFAULT 1,
        determination TEXT, note TEXT NOT NULL DEFAULT '', decided_by TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID;
    CREATE INDEX alerts_by_file ON alerts (file_key);
    CREATE INDEX alerts_by_time ON alerts (updated_at);
    CREATE TABLE deliveries (
        alert_id TEXT NOT NULL REFERENCES alerts, sink TEXT NOT NULL, revision INTEGER NOT NULL,
        state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL,
        delivered_at REAL, error TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (alert_id, sink)
    ) WITHOUT ROWID;
    CREATE INDEX deliveries_due ON deliveries (state, next_at);
    CREATE TABLE determinations (
        sha256 TEXT NOT NULL, root_id TEXT NOT NULL, determination TEXT NOT NULL,
        alert_id TEXT NOT NULL, note TEXT NOT NULL, decided_by TEXT NOT NULL, decided_at REAL NOT NULL,
        PRIMARY KEY (sha256, root_id)
    ) WITHOUT ROWID;
    CREATE TABLE audit_queue (number INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL);
    """,
    # Roots that were swept before there was such a thing as first contact have it behind them.
    """
    ALTER TABLE seen ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX seen_held ON seen (root_id) WHERE standing != 0 AND disposition = 'detected';
    ALTER TABLE roots ADD COLUMN contact TEXT NOT NULL DEFAULT '{}';
    UPDATE roots
        SET contact = json_object('since', attached_at, 'ended', attached_at, 'enforced', json('true'))
        WHERE swept != '{}';
    """,
    """
    CREATE TABLE requests (
        request_id TEXT PRIMARY KEY, act TEXT NOT NULL, entry_id TEXT NOT NULL REFERENCES entries,
        sha256 TEXT NOT NULL, payload BLOB NOT NULL, state TEXT NOT NULL, made_at REAL NOT NULL,
        expires_at REAL NOT NULL, changed_at REAL NOT NULL, approved_by TEXT NOT NULL, detail TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX requests_by_content ON requests (sha256, act, state);
    CREATE TABLE agreements (
        agreement_id TEXT PRIMARY KEY, envelope TEXT NOT NULL, added_by TEXT NOT NULL, added_at REAL NOT NULL,
        accepted_at REAL, revocation TEXT, revoked_at REAL
    ) WITHOUT ROWID;
    CREATE TABLE exemptions (
        root_id TEXT NOT NULL, relpath BLOB NOT NULL, sha256 TEXT NOT NULL, basis TEXT NOT NULL,
        proof TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (root_id, relpath)
    ) WITHOUT ROWID;
    CREATE INDEX exemptions_by_proof ON exemptions (basis, proof);
    CREATE TABLE reviews (
        entry_id TEXT PRIMARY KEY REFERENCES entries, review_at REAL NOT NULL, note TEXT NOT NULL,
        by TEXT NOT NULL, at REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE entries ADD COLUMN writer TEXT NOT NULL DEFAULT '';
    CREATE TABLE folders (
        root_id TEXT NOT NULL, folder BLOB NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (root_id, folder)
    ) WITHOUT ROWID;
    -- whoever has files judged again must not have to know of folders
    CREATE TRIGGER seen_forgotten AFTER DELETE ON seen
        BEGIN DELETE FROM folders WHERE root_id = OLD.root_id; END;
    CREATE TRIGGER seen_doubted AFTER UPDATE OF digest ON seen WHEN OLD.digest != NEW.digest
        BEGIN DELETE FROM folders WHERE root_id = OLD.root_id; END;
    """,
)
