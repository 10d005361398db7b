"""What can be signed: one class for each kind of statement, and what none of them may lack.

Their fields are the fields of the payload (`agent.statements`): whole numbers, text, lists of text. Times
are whole seconds since 1970, days are ISO dates (UTC). Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from config.tuning import NotTuning, stanzas_of

MAX_TEXT = 2000
MAX_YEARS = 5
MAX_EXCEPTION_DAYS = 366
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LAYOUT = re.compile(r"[bdnt]{8,300}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}", re.ASCII)


class BadStatement(ValueError):
    """No statement, not whole, or one that may not be made. The text is ours alone."""


@dataclass(frozen=True, slots=True)
class Release:
    """The content of one entry may be put at `destination` on one machine, once.

    `basis` and `proof` say by what policy allows it there; `recipient` is the one-time age key of that
    machine; until `holds_until` the file is not taken there again.
    """

    request_id: str
    host_id: str
    entry_id: str
    sha256: str
    size: int
    recipient: str
    destination: str
    root_id: str
    basis: str
    proof: str
    holder: str
    purpose: str
    requested_by: str
    made_at: int
    expires_at: int
    holds_until: int


@dataclass(frozen=True, slots=True)
class Disposal:
    """One entry is deleted from the vault of one machine, for good."""

    request_id: str
    host_id: str
    entry_id: str
    sha256: str
    size: int
    ciphertext_sha256: str
    path: str
    reason: str
    requested_by: str
    made_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Terms:
    """A Data Access Agreement: who may hold which data where, for what, under which conditions, how long.

    The scope: `content` (SHA-256 digests) or `layouts` (one letter for each variable, as verdicts tell them)
    name the data set, `roots` (folders) or `devices` (volume UUIDs) the place. An empty list does not narrow;
    all four empty is no agreement.
    """

    agreement_id: str
    holder: str
    purpose: str
    conditions: tuple[str, ...]
    content: tuple[str, ...]
    layouts: tuple[str, ...]
    roots: tuple[str, ...]
    devices: tuple[str, ...]
    valid_from: str
    valid_until: str
    review_by: str
    made_at: int


@dataclass(frozen=True, slots=True)
class ScopedException:
    """What is like a false alarm's file, by `content` or `layouts`, is let be. An empty list narrows not."""

    exception_id: str
    alert_id: str
    decided_by: str
    reason: str
    content: tuple[str, ...]
    layouts: tuple[str, ...]
    agents: tuple[str, ...]
    roots: tuple[str, ...]
    devices: tuple[str, ...]
    valid_until: str
    made_at: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """How detectors are set, as lines of TOML with `[detectors.NAME]` tables. No `agents`: everywhere."""

    tuning_id: str
    reason: str
    settings: tuple[str, ...]
    agents: tuple[str, ...]
    review_by: str
    made_at: int

    @classmethod
    def made(
        cls, text: str, reason: str, agents: Iterable[str], review_by: str, now: float, number: str = ""
    ) -> Tuning:
        """One out of TOML; without a `number` it gets the day and a digest for its id."""
        lines = tuple(line.rstrip() for line in text.strip().replace("\r\n", "\n").split("\n"))
        known_by = hashlib.sha256("\n".join((str(int(now)), *lines)).encode("utf-8", "replace")).hexdigest()
        today = datetime.fromtimestamp(now, UTC).date().isoformat()
        return cls(
            number or f"TUN-{today}-{known_by[:8]}", reason.strip(), lines, tuple(agents), review_by, int(now)
        )

    @property
    def stanzas(self) -> dict[str, dict[str, Any]]:
        """The detectors' stanzas that it sets."""
        return stanzas_of("\n".join(self.settings))


@dataclass(frozen=True, slots=True)
class Revocation:
    """An agreement, an exception or a tuning ends; `terms_sha256` is the digest of the very terms."""

    agreement_id: str
    terms_sha256: str
    reason: str
    made_at: int


Statement = Release | Disposal | Terms | ScopedException | Tuning | Revocation
KINDS: dict[str, type[Statement]] = {
    "release": Release, "disposal": Disposal, "agreement": Terms, "revocation": Revocation,
    "exception": ScopedException, "tuning": Tuning,
}  # fmt: skip
GROUPS = {"agreement": "agreements", "exception": "exceptions", "tuning": "tuning"}
"""The kinds that are in force until they are revoked, share one register and so their ids; the group of
commands for each."""


def number_of(statement: Statement) -> str:
    """The id of the paper that a statement is, or ends."""
    match statement:
        case Release() | Disposal():
            return statement.request_id
        case ScopedException():
            return statement.exception_id
        case Tuning():
            return statement.tuning_id
        case _:
            return statement.agreement_id


def check(statement: Statement) -> None:
    """What no statement may lack; raises `BadStatement`."""
    match statement:
        case Release():
            _check_request(statement.request_id, statement.made_at, statement.expires_at)
            _check_text(holder=statement.holder, purpose=statement.purpose, recipient=statement.recipient)
            if not statement.destination.startswith("/") or statement.holds_until < statement.made_at:
                raise BadStatement("destination or holds_until is not what it must be")
        case Disposal():
            _check_request(statement.request_id, statement.made_at, statement.expires_at)
            _check_text(reason=statement.reason)
        case Revocation():
            _check_text(reason=statement.reason)
        case Terms():
            _check_terms(statement)
        case ScopedException():
            _check_exception(statement)
        case Tuning():
            _check_tuning(statement)


def _check_request(request_id: str, made_at: int, expires_at: int) -> None:
    if not _ID.fullmatch(request_id) or expires_at <= made_at:
        raise BadStatement("request_id or expires_at is not what it must be")


def _check_text(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip() or len(text) > MAX_TEXT:
            raise BadStatement(f"{name} must say something, in at most {MAX_TEXT} characters")


def _check_terms(terms: Terms) -> None:
    if not _ID.fullmatch(terms.agreement_id):
        raise BadStatement("agreement_id: 4 to 64 letters, digits, dots, dashes and underscores")
    _check_text(holder=terms.holder, purpose=terms.purpose)
    if not (terms.content or terms.layouts or terms.roots or terms.devices):
        raise BadStatement("an agreement without a scope would allow anything anywhere")
    if terms.layouts and not (terms.content or terms.roots or terms.devices):
        raise BadStatement("a layout alone is no data set: name a root or a device too")
    _check_scope(terms)
    first, last, review = (day(d) for d in (terms.valid_from, terms.valid_until, terms.review_by))
    if last < first:
        raise BadStatement("valid_until lies before valid_from")
    if not first <= review <= years_after(_day_of(terms.made_at), MAX_YEARS):
        raise BadStatement(f"review_by must lie after valid_from and at most {MAX_YEARS} years ahead")


def _check_exception(wanted: ScopedException) -> None:
    _check_text(reason=wanted.reason, alert_id=wanted.alert_id, decided_by=wanted.decided_by)
    if not _ID.fullmatch(wanted.exception_id) or bool(wanted.content) == bool(wanted.layouts):
        raise BadStatement("an exception has an id, and names either content or a layout")
    if wanted.layouts and not (any(wanted.agents) or wanted.roots or wanted.devices):
        raise BadStatement("a layout alone would allow too much: name a workstation, a root or a device too")
    _check_scope(wanted)
    if not 0 <= (day(wanted.valid_until) - _day_of(wanted.made_at)).days <= MAX_EXCEPTION_DAYS:
        raise BadStatement("an exception ends at most a year after it was proposed, and not before")


def _check_tuning(wanted: Tuning) -> None:
    _check_text(reason=wanted.reason)
    if not _ID.fullmatch(wanted.tuning_id) or not all(wanted.agents):
        raise BadStatement("a tuning has an id, and names workstations by theirs")
    if not all(line.isprintable() for line in wanted.settings):
        raise BadStatement(
            "settings are lines of what shows as itself, without tabs: people sign what they see"
        )
    try:
        _ = wanted.stanzas
    except NotTuning as error:
        raise BadStatement(str(error)) from None
    if not 0 <= (day(wanted.review_by) - _day_of(wanted.made_at)).days <= MAX_YEARS * 366:
        raise BadStatement(f"review_by must be at most {MAX_YEARS} years ahead, and not in the past")


def _check_scope(scope: Terms | ScopedException) -> None:
    if not all(_DIGEST.fullmatch(d) for d in scope.content):
        raise BadStatement("content is named by SHA-256 digests in hex")
    if not all(_LAYOUT.fullmatch(layout) for layout in scope.layouts):
        raise BadStatement("a layout is named by 8 to 300 letters out of b, d, n and t")
    if not all(r.startswith("/") for r in scope.roots) or not all(scope.devices):
        raise BadStatement("roots are absolute paths, devices are UUIDs")


def _day_of(made_at: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + made_at // 86400)


def day(text: str) -> date:
    """A day out of `YYYY-MM-DD`; raises `BadStatement`."""
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise BadStatement("a day is written as YYYY-MM-DD") from None


def years_after(start: date, years: int) -> date:
    """The same day so many years later; 29 February becomes 28."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)
