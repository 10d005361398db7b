"""The wire types: all that may cross from a worker to the privileged side.

A worker reads hostile files and may be taken over by one, so its answer is a bounded JSON
message that is parsed strictly: codes out of closed lists, positions, counts and measures.
No field can hold text from a file. This module imports the standard library only, because the
privileged parent imports it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

MAX_WIRE_BYTES = 128 * 1024
MAX_FINDINGS = 200
MAX_ADVISORIES = 16
MAX_COUNT = 2**53 - 1

_MEMBER = re.compile(r"\d{1,9}(/\d{1,9}){0,15}", re.ASCII)
_CODE = re.compile(r"[a-z][a-z0-9_.]{0,63}", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9][a-z0-9.+-]{0,80}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LAYOUT = re.compile(r"[bdnt]{0,300}", re.ASCII)


class Outcome(StrEnum):
    """What a worker says a file is."""

    MICRODATA = "microdata"
    BUSINESS_RECORDS = "business_records"
    OTHER_RECORDS = "other_records"
    AGGREGATE = "aggregate"
    NO_RECORDS = "no_records"
    ENCRYPTED = "encrypted"
    UNREADABLE = "unreadable"


class Tier(StrEnum):
    """How sure the judgement is."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"
    NONE = "none"


class Subject(StrEnum):
    """Whom or what one row is about."""

    PERSON = "person"
    HOUSEHOLD = "household"
    ORGANISATION = "organisation"
    THING = "thing"


class Protection(StrEnum):
    """How well the file itself is protected, wherever it lies."""

    NONE = "none"
    WEAK = "weak"
    STRONG = "strong"


class Reason(StrEnum):
    """Why a file could not be (fully) examined, or why it counts as encrypted."""

    # the content
    UNSUPPORTED = "unsupported"
    """A kind of file that no reader opens."""
    MALFORMED = "malformed"
    """Broken in a way that hides what it holds."""
    PARTIAL = "partial"
    """Only a part was examined, so it cannot be called clean."""
    OPAQUE = "opaque"
    """Looks random and has no known signature: perhaps a container."""
    PASSWORD = "password"  # noqa: S105
    """Weakly protected, content not inspected."""
    STRONG_ENCRYPTION = "strong_encryption"
    # limits, counted in work
    LIMIT_BYTES = "limit_bytes"
    LIMIT_EXPANDED = "limit_expanded"
    LIMIT_ENTRIES = "limit_entries"
    LIMIT_DEPTH = "limit_depth"
    LIMIT_COLUMNS = "limit_columns"
    LIMIT_CELL = "limit_cell"
    LIMIT_MEMORY = "limit_memory"
    # the worker
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    BAD_ANSWER = "bad_answer"
    WORKER_UNAVAILABLE = "worker_unavailable"
    INTERNAL = "internal"
    # the medium
    IO_ERROR = "io_error"
    NOT_REGULAR = "not_regular"
    LINK = "link"
    NO_ACCESS = "no_access"
    GONE = "gone"
    CHANGED = "changed"
    STUCK = "stuck"


PASSING_FAULTS = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CRASHED,
        Reason.BAD_ANSWER,
        Reason.WORKER_UNAVAILABLE,
        Reason.INTERNAL,
        Reason.IO_ERROR,
        Reason.CHANGED,
        Reason.STUCK,
        Reason.NO_ACCESS,
    }
)
"""Faults that may go away by themselves: tried again, never remembered as a verdict."""


class Polarity(StrEnum):
    """Whether a finding speaks for record-level data or against it."""

    FOR = "for"
    AGAINST = "against"


class Role(StrEnum):
    """What part a variable plays, in the terms of statistical disclosure control."""

    DIRECT_IDENTIFIER = "direct_identifier"
    KEY_VARIABLE = "key_variable"
    SENSITIVE_VARIABLE = "sensitive_variable"
    WEIGHT = "weight"
    RECORD_ID = "record_id"
    TABLE = "table"


class BadWire(ValueError):
    """A worker's answer broke the contract; the worker is thrown away."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence. Names places by position and terms of our own lexicon only.

    `table` and `column` count from 0; `value`, `threshold` and `weight` are the measure's
    number, what it was held against, and what it added to the score (log-odds).
    """

    detector: str
    polarity: Polarity
    measure: str
    table: int | None = None
    column: int | None = None
    term: str | None = None
    role: Role | None = None
    value: float | None = None
    threshold: float | None = None
    weight: float = 0.0
    records_seen: int | None = None
    records_matched: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file is, as one worker saw it. `layout`: by variable (b)lank, (d)ate, (n)umber, (t)ext."""

    outcome: Outcome
    reason: Reason | None = None
    flagged: bool = False
    confidence: float = 0.0
    tier: Tier = Tier.NONE
    subject: Subject | None = None
    records_estimated: int | None = None
    protection: Protection = Protection.NONE
    media_type: str = "application/octet-stream"
    complete: bool = True
    member: str | None = None
    advisories: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    config_digest: str = "0" * 64
    elapsed_ms: int = 0
    layout: str = ""

    def __post_init__(self) -> None:
        clean = (Outcome.AGGREGATE, Outcome.NO_RECORDS, Outcome.OTHER_RECORDS, Outcome.BUSINESS_RECORDS)
        if not self.complete and self.outcome in clean:
            raise BadWire("a file that was not examined to its end is never clean")
        if self.outcome is Outcome.UNREADABLE and self.reason is None:
            raise BadWire("unreadable needs a reason")
        if self.flagged and self.outcome is not Outcome.MICRODATA:
            raise BadWire("only microdata is flagged")

    @classmethod
    def unreadable(cls, reason: Reason, **known: Any) -> Self:
        """A verdict for a file that could not be examined."""
        return cls(Outcome.UNREADABLE, reason, complete=False, **known)

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain JSON values, in the keys that `scan --json` prints."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["advisories"] = list(self.advisories)
        plain["findings"] = [{name: getattr(f, name) for name in f.__slots__} for f in self.findings]
        return plain

    def to_wire(self) -> bytes:
        """The bounded message a worker sends. Drops the lightest findings if there are too many."""
        plain = self.to_json()
        kept = sorted(plain["findings"], key=lambda f: -abs(f["weight"]))[:MAX_FINDINGS]
        while True:
            plain["findings"] = kept
            wire = json.dumps(plain, separators=(",", ":"), allow_nan=False).encode()
            if len(wire) <= MAX_WIRE_BYTES or not kept:
                return wire
            kept = kept[: len(kept) // 2]

    @classmethod
    def from_wire(cls, untrusted_wire: bytes, vocabulary: frozenset[str]) -> Verdict:
        """Parse a worker's answer strictly.

        `vocabulary` holds every detector id, measure, lexicon term and advisory that this
        configuration knows; anything else raises `BadWire`, whose message never repeats what
        was sent.
        """
        if len(untrusted_wire) > MAX_WIRE_BYTES:
            raise BadWire("message too long")
        try:
            untrusted = json.loads(untrusted_wire)
        except (ValueError, RecursionError):
            raise BadWire("not JSON") from None
        try:
            return _verdict(_Fields(untrusted, vocabulary))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, BadWire):
                raise
            raise BadWire("a field breaks the contract") from None


class _Fields:
    """Strict access to one untrusted JSON object; every key must be taken."""

    def __init__(self, untrusted: object, vocabulary: frozenset[str]) -> None:
        if not isinstance(untrusted, dict):
            raise BadWire("not an object")
        self._left: dict[str, Any] = dict(untrusted)
        self.vocabulary = vocabulary

    def take(self, key: str) -> Any:
        return self._left.pop(key, None)

    def code(self, key: str) -> str:
        value = self.take(key)
        if not isinstance(value, str) or not _CODE.fullmatch(value) or value not in self.vocabulary:
            raise BadWire(f"{key} is not in the vocabulary")
        return value

    def optional_code(self, key: str) -> str | None:
        if self._left.get(key) is None:
            return self.take(key)  # type: ignore[no-any-return]
        return self.code(key)

    def count(self, key: str) -> int | None:
        value = self.take(key)
        if value is None:
            return None
        if type(value) is not int or not 0 <= value <= MAX_COUNT:
            raise BadWire(f"{key} is not a count")
        return value

    def number(self, key: str) -> float | None:
        value = self.take(key)
        if value is None:
            return None
        if type(value) not in (int, float) or not math.isfinite(value):
            raise BadWire(f"{key} is not a number")
        return float(value)

    def truth(self, key: str) -> bool:
        value = self.take(key)
        if type(value) is not bool:
            raise BadWire(f"{key} is not a truth value")
        return value

    def text(self, key: str, pattern: re.Pattern[str]) -> str:
        value = self.take(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise BadWire(f"{key} is malformed")
        return value

    def items(self, key: str, most: int) -> list[Any]:
        value = self.take(key)
        if not isinstance(value, list) or len(value) > most:
            raise BadWire(f"{key} is not a short list")
        return value

    def done(self) -> None:
        if self._left:
            raise BadWire("unknown fields")


def _finding(untrusted: object, vocabulary: frozenset[str]) -> Finding:
    f = _Fields(untrusted, vocabulary)
    role = f.take("role")
    finding = Finding(
        detector=f.code("detector"),
        polarity=Polarity(f.take("polarity")),
        measure=f.code("measure"),
        table=f.count("table"),
        column=f.count("column"),
        term=f.optional_code("term"),
        role=None if role is None else Role(role),
        value=f.number("value"),
        threshold=f.number("threshold"),
        weight=f.number("weight") or 0.0,
        records_seen=f.count("records_seen"),
        records_matched=f.count("records_matched"),
    )
    f.done()
    return finding


def _verdict(f: _Fields) -> Verdict:
    reason, subject, member = f.take("reason"), f.take("subject"), f.take("member")
    if member is not None and (not isinstance(member, str) or not _MEMBER.fullmatch(member)):
        raise BadWire("member is not a position")
    confidence = f.number("confidence")
    if confidence is None or not 0 <= confidence <= 1:
        raise BadWire("confidence is not between 0 and 1")
    advisories = f.items("advisories", MAX_ADVISORIES)
    if not all(isinstance(a, str) and a in f.vocabulary for a in advisories):
        raise BadWire("advisories are not in the vocabulary")
    verdict = Verdict(
        outcome=Outcome(f.take("outcome")),
        reason=None if reason is None else Reason(reason),
        flagged=f.truth("flagged"),
        confidence=confidence,
        tier=Tier(f.take("tier")),
        subject=None if subject is None else Subject(subject),
        records_estimated=f.count("records_estimated"),
        protection=Protection(f.take("protection")),
        media_type=f.text("media_type", _MEDIA_TYPE),
        complete=f.truth("complete"),
        member=member,
        advisories=tuple(advisories),
        findings=tuple(_finding(x, f.vocabulary) for x in f.items("findings", MAX_FINDINGS)),
        config_digest=f.text("config_digest", _DIGEST),
        elapsed_ms=f.count("elapsed_ms") or 0,
        layout=f.text("layout", _LAYOUT),
    )
    f.done()
    return verdict


def verdict_from_trusted(plain: Mapping[str, Any], vocabulary: frozenset[str]) -> Verdict:
    """Rebuild a verdict that this side itself wrote (ledger, keeper), by the same strict parse."""
    return Verdict.from_wire(json.dumps({"layout": "", **plain}).encode(), vocabulary)
