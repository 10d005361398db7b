"""The console's tables. Times are seconds since the epoch, UTC.

`console.migrations` brings a database here; a test holds the two together.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Double, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from console.records import review_at

ID = String(80)
SHA256 = String(64)
CODE = String(40)


class Base(DeclarativeBase):
    """All tables."""


class Agent(Base):
    """A workstation that was enrolled, and what it last said of itself."""

    __tablename__ = "agents"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    hostname: Mapped[str] = mapped_column(Text)
    public_key: Mapped[str] = mapped_column(String(64))
    """Base64 of 32 bytes."""
    version: Mapped[str] = mapped_column(String(40))
    enrolled_at: Mapped[float] = mapped_column(Double)
    revoked_at: Mapped[float | None] = mapped_column(Double)
    seen_at: Mapped[float] = mapped_column(Double, index=True)
    beat_at: Mapped[float | None] = mapped_column(Double)
    heartbeat: Mapped[str | None] = mapped_column(Text)
    """The newest OCSF record of class 6007, as JSON."""
    config_digest: Mapped[str] = mapped_column(SHA256)
    roots: Mapped[int] = mapped_column(Integer, default=0)
    uncovered: Mapped[int] = mapped_column(Integer, default=0)
    bundle: Mapped[int | None] = mapped_column(BigInteger)
    """The serial number of the bundle of papers that it has taken, as it says."""
    papers_refused: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    tuning: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """The id of the tuning of detectors that it has, as it says."""


class EnrolmentToken(Base):
    """Lets one agent in, once."""

    __tablename__ = "enrolment_tokens"
    digest: Mapped[str] = mapped_column(SHA256, primary_key=True)
    agent: Mapped[str | None] = mapped_column(String(64))
    """The only agent that may use it, which may then change its key; None: any new one."""
    note: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[float] = mapped_column(Double)
    expires_at: Mapped[float] = mapped_column(Double)
    used_at: Mapped[float | None] = mapped_column(Double)
    used_by: Mapped[str | None] = mapped_column(String(64))


class Nonce(Base):
    """A request that was taken, for as long as its time stamp would be accepted again."""

    __tablename__ = "nonces"
    agent: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[float] = mapped_column(Double, index=True)


class Alert(Base):
    """One alert: its newest record, what of it is searched, and what people here decided."""

    __tablename__ = "alerts"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    agent: Mapped[str] = mapped_column(ForeignKey("agents.id"))
    hostname: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Integer)
    first_seen: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)
    received: Mapped[float] = mapped_column(Double)
    severity: Mapped[int] = mapped_column(Integer)
    disposition: Mapped[str] = mapped_column(CODE)
    reason: Mapped[str] = mapped_column(String(80))
    zone: Mapped[str] = mapped_column(CODE)
    tier: Mapped[str] = mapped_column(CODE)
    outcome: Mapped[str] = mapped_column(CODE)
    finding: Mapped[str] = mapped_column(CODE)
    """What an alert about a place is about; "" for a file."""
    title: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(SHA256)
    volume: Mapped[str] = mapped_column(String(200))
    """The serial number of the device it lies on, else the volume's id."""
    person: Mapped[str] = mapped_column(String(80))
    """The user id that wrote it, as that workstation counts them."""
    detectors: Mapped[str] = mapped_column(String(400))
    """Those that spoke for it, sorted, parted by a space."""
    entry: Mapped[str] = mapped_column(ID)
    records: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    """`open`, `decided` or `closed`."""
    determination: Mapped[str | None] = mapped_column(String(20))
    decided_on: Mapped[str | None] = mapped_column(String(16))
    """`console` or `agent`."""
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[float | None] = mapped_column(Double)
    note: Mapped[str | None] = mapped_column(Text)
    assignee: Mapped[str | None] = mapped_column(String(64))
    record: Mapped[str] = mapped_column(Text)
    """The OCSF record, as JSON in ASCII. Last, because SQLite reads a long row only as far as it must."""

    @property
    def review_at(self) -> float | None:
        """When the entry in the vault is due for review, as its workstation told."""
        return review_at(self.record)

    __table_args__ = (
        Index(  # in the inbox's order; then what it is filtered by, so that no row is read for a filter
            "ix_alerts_inbox", "state", "severity", "updated", "id",
            "zone", "tier", "disposition", "outcome", "determination", "assignee",
        ),
        Index("ix_alerts_assignee", "assignee", "state"),
        Index("ix_alerts_agent", "agent", "updated"),
        Index("ix_alerts_updated", "updated", "id"),
        Index(  # what trends are counted by
            "ix_alerts_first_seen", "first_seen", "determination", "zone", "tier", "disposition", "detectors",
        ),
        Index("ix_alerts_sha256", "sha256", "updated"),
        Index("ix_alerts_volume", "volume", "updated"),
        Index("ix_alerts_person", "agent", "person", "updated"),
        Index("ix_alerts_entry", "entry"),
    )  # fmt: skip


class Update(Base):
    """One record of an alert that came: what makes intake idempotent, and the alert's timeline."""

    __tablename__ = "updates"
    alert: Mapped[str] = mapped_column(ID, primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[float] = mapped_column(Double)
    received: Mapped[float] = mapped_column(Double)
    disposition: Mapped[str] = mapped_column(CODE)
    reason: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(CODE)


class Paper(Base):
    """What people sign: an agreement, or a request to release or to delete, with the signatures so far."""

    __tablename__ = "papers"
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    envelope: Mapped[str] = mapped_column(Text)
    """DSSE, as JSON."""
    revocation: Mapped[str | None] = mapped_column(Text)
    added_by: Mapped[str] = mapped_column(Text)
    added_at: Mapped[float] = mapped_column(Double)
    accepted_at: Mapped[float | None] = mapped_column(Double)
    """When both signatures first held."""
    revoked_at: Mapped[float | None] = mapped_column(Double)


class Bundle(Base):
    """The newest bundle of papers for the workstations: one row (`console.bundle`)."""

    __tablename__ = "bundles"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    serial: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[float] = mapped_column(Double)
    papers: Mapped[int] = mapped_column(Integer)
    document: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(SHA256)
    """Of the approvers and the key that it was made with."""
    fresh_until: Mapped[float] = mapped_column(Double)
    is_stale: Mapped[bool] = mapped_column(Boolean)


class Person(Base):
    """An account: a local one, or one of the OpenID Connect provider's people."""

    __tablename__ = "people"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    password: Mapped[str] = mapped_column(Text)
    """The argon2id hash in its own encoding; "" of one whom the provider signs in."""
    roles: Mapped[str] = mapped_column(String(200))
    """Sorted, parted by a space."""
    totp: Mapped[str | None] = mapped_column(String(64))
    """The shared secret in base32, once it was confirmed."""
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last time step whose code was used: no code counts twice."""
    failures: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[float] = mapped_column(Double, default=0.0)
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)
    made_at: Mapped[float] = mapped_column(Double)
    seen_at: Mapped[float | None] = mapped_column(Double)
    subject: Mapped[str | None] = mapped_column(Text, unique=True, index=True)
    """Issuer and subject of the provider, parted by a blank: who that is for ever, whatever the name."""


class Handshake(Base):
    """A sign-in at the provider that has begun; gone once it comes back."""

    __tablename__ = "handshakes"
    digest: Mapped[str] = mapped_column(SHA256, primary_key=True)
    """Of the state that the browser carries there and back."""
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    back: Mapped[str] = mapped_column(Text)
    made_at: Mapped[float] = mapped_column(Double)


class WebSession(Base):
    """Somebody who signed in with a browser. The cookie holds what `digest` is the SHA-256 of."""

    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(SHA256, primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.name"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    pending_totp: Mapped[str | None] = mapped_column(String(64))
    """A secret that was shown and is not confirmed yet."""
    made_at: Mapped[float] = mapped_column(Double)
    seen_at: Mapped[float] = mapped_column(Double)


class ApiToken(Base):
    """A personal token for programs: it may do what its person may, or less."""

    __tablename__ = "api_tokens"
    digest: Mapped[str] = mapped_column(SHA256, primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.name"), index=True)
    note: Mapped[str] = mapped_column(Text)
    roles: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """Those of its person's roles that it carries, parted by a space; "" is all of them."""
    made_at: Mapped[float] = mapped_column(Double)
    expires_at: Mapped[float] = mapped_column(Double)
    used_at: Mapped[float | None] = mapped_column(Double)


class SavedView(Base):
    """A name for a choice of alerts, each person's own."""

    __tablename__ = "saved_views"
    person: Mapped[str] = mapped_column(ForeignKey("people.name"), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    query: Mapped[str] = mapped_column(Text)


class AuditEntry(Base):
    """One line of the audit, chained to the one before (`console.audit`)."""

    __tablename__ = "audit"
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[float] = mapped_column(Double, index=True)
    actor: Mapped[str] = mapped_column(String(80), index=True)
    action: Mapped[str] = mapped_column(CODE)
    subject: Mapped[str] = mapped_column(String(200), index=True)
    detail: Mapped[str] = mapped_column(Text)
    prev: Mapped[str] = mapped_column(SHA256)
    digest: Mapped[str] = mapped_column(SHA256)


class AuditHead(Base):
    """The end of the chain: one row, locked by whoever appends."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(SHA256)
