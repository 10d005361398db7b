"""Verdicts in words, for people at a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from agent.commands.terminal import count
from detectors.engine.verdict import Outcome, Protection, Reason, Subject, Tier, Verdict

REASONS: Mapping[Reason, str] = {
    Reason.UNSUPPORTED: "a kind of file that no reader opens",
    Reason.MALFORMED: "broken in a way that hides what it holds",
    Reason.PARTIAL: "only a part could be read",
    Reason.OPAQUE: "looks random: perhaps an encrypted container",
    Reason.PASSWORD: "under a password that does not protect it well, not looked into",
    Reason.STRONG_ENCRYPTION: "strongly encrypted",
    Reason.LIMIT_BYTES: "larger than the limit on input",
    Reason.LIMIT_EXPANDED: "unpacks to more than the limit",
    Reason.LIMIT_ENTRIES: "holds more members than the limit",
    Reason.LIMIT_DEPTH: "nested deeper than the limit",
    Reason.LIMIT_COLUMNS: "has more columns than the limit",
    Reason.LIMIT_CELL: "has a cell longer than the limit",
    Reason.LIMIT_MEMORY: "needed more memory than a worker may have",
    Reason.TIMEOUT: "took longer than a worker may take",
    Reason.CRASHED: "its worker crashed",
    Reason.BAD_ANSWER: "its worker broke the rules and was thrown away",
    Reason.WORKER_UNAVAILABLE: "no worker was to be had",
    Reason.INTERNAL: "an error in recordwarden",
    Reason.IO_ERROR: "the medium failed",
    Reason.NOT_REGULAR: "a device, pipe or socket",
    Reason.LINK: "a link, not followed",
    Reason.NO_ACCESS: "no permission to read",
    Reason.GONE: "went away meanwhile",
    Reason.CHANGED: "changed while it was read",
    Reason.STUCK: "the medium does not answer",
}

_UNIT: Mapping[Subject | None, str] = {
    Subject.PERSON: "person",
    Subject.HOUSEHOLD: "household",
    Subject.ORGANISATION: "organisation",
    Subject.THING: "thing",
    None: "unit",
}

_SURE: Mapping[Tier, str] = {
    Tier.CONFIRMED: "microdata",
    Tier.LIKELY: "very likely microdata",
    Tier.POSSIBLE: "possibly microdata",
    Tier.NONE: "hardly microdata",
}

_PLAIN: Mapping[Outcome, str] = {
    Outcome.AGGREGATE: "statistics: totals, no records",
    Outcome.NO_RECORDS: "no records",
    Outcome.BUSINESS_RECORDS: "records of organisations",
    Outcome.OTHER_RECORDS: "records, but not of people",
}


_RECORDS = (Outcome.MICRODATA, Outcome.BUSINESS_RECORDS, Outcome.OTHER_RECORDS)


def examined(verdict: Verdict) -> bool:
    """Whether the file was looked into as far as its verdict needs; strong encryption is an answer."""
    if verdict.flagged:
        return True
    if verdict.outcome is Outcome.ENCRYPTED:
        return verdict.protection is Protection.STRONG
    return verdict.outcome is not Outcome.UNREADABLE and verdict.complete


def why_not_examined(verdict: Verdict) -> Reason:
    """The reason to count an unexamined file under."""
    return verdict.reason or (Reason.PASSWORD if verdict.outcome is Outcome.ENCRYPTED else Reason.PARTIAL)


def sentence(verdict: Verdict) -> str:
    """What a verdict says, on one line. Our own words only: a verdict holds no text of a file."""
    where = f" (in member {verdict.member})" if verdict.member else ""
    if verdict.outcome is Outcome.UNREADABLE:
        return f"not examined: {REASONS[why_not_examined(verdict)]}{where}"
    if verdict.outcome is Outcome.ENCRYPTED:
        strong = verdict.protection is Protection.STRONG
        return "strongly encrypted" if strong else f"not examined: {REASONS[Reason.PASSWORD]}{where}"
    if verdict.outcome is Outcome.MICRODATA:
        said = f"{_SURE[verdict.tier]}: one record per {_UNIT[verdict.subject]}"
    else:
        said = _PLAIN[verdict.outcome]
    if verdict.records_estimated and verdict.outcome in _RECORDS:
        said += f", about {count(verdict.records_estimated, 'record')}"
    if "small_cells" in verdict.advisories:
        said += "; holds disclosively small counts"
    return said + where + ("" if verdict.complete or verdict.flagged else "; only partly examined")
