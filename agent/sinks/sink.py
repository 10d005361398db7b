"""What a destination of alerts is, and how it says that it could not take one.

A sink is given OCSF records and returns only when the destination has them. It runs in the courier, which
has no privileges. What fails because of a record (it is too large, or malformed) is permanent; what fails
because of the destination (it is down, it does not know us any more) is temporary: mending it helps.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from typing import Any, Protocol

Record = Mapping[str, Any]

MASK = "masked"
_NAMED = {"SSLCertVerificationError": "certificate_refused", "gaierror": "name_unresolved"}


class DeliveryError(Exception):
    """The destination did not take the record. `code` is ours: no text of the other side in it."""

    def __init__(self, code: str, *, permanent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent

    @classmethod
    def of(cls, error: OSError) -> DeliveryError:
        """A failure of the system is temporary: a server comes back, a disk is tidied up."""
        if isinstance(error, TimeoutError):
            return cls("ETIMEDOUT")
        kind = type(error)
        if kind.__name__ in _NAMED:
            return cls(_NAMED[kind.__name__])
        if kind.__module__ == "ssl":  # its numbers are not the system's
            return cls("tls_failed")
        return cls(errno.errorcode.get(error.errno or 0, type(error).__name__))


class Sink(Protocol):
    """One destination."""

    most: int
    """So many records go into one delivery."""
    gather_seconds: float
    """So long it waits for more of them after the first."""
    splits: bool
    """Several records that were refused for good are tried one by one, to find the one that is to blame."""

    def deliver(self, *records: Record) -> None:
        """Deliver all of them, at least once. Raises `DeliveryError`, and nothing else."""

    def close(self) -> None: ...


class OneByOne:
    """A sink that takes one record at a time."""

    most = 1
    gather_seconds = 0.0
    splits = False

    def deliver(self, *records: Record) -> None:
        for record in records:
            self.deliver_one(record)

    def deliver_one(self, record: Record) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is kept open between deliveries."""


def uid_of(record: Record) -> str:
    """The id of this very record, by which a destination tells duplicates."""
    return visible(str(record.get("metadata", {}).get("uid", "")), 100)


def visible(text: str, most: int) -> str:
    """At most `most` characters of `text`, all of which show: none steers, breaks or turns a line."""
    return "".join(c if c.isprintable() else "?" for c in text[:most])


def one_line(record: Record) -> str:
    """The record as one line of ASCII: JSON escapes whatever could break a line or steer a terminal."""
    try:
        return json.dumps(record, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise DeliveryError("unprintable", permanent=True) from None


def masked(record: Record) -> dict[str, Any]:
    """The record without the names of files and folders, for destinations that many can read."""
    plain = dict(record)
    if "file" in plain:
        plain["file"] = {**plain["file"], "name": MASK, "path": MASK}
    unmapped = dict(plain.get("unmapped", {}))
    if "coverage" in unmapped:
        unmapped["coverage"] = [{**root, "path": MASK} for root in unmapped["coverage"]]
    if "facts" in unmapped:  # of an alert about a place
        unmapped["facts"] = {k: v for k, v in unmapped["facts"].items() if k != "volumes"}
        plain["message"] = plain.get("finding_info", {}).get("title", "")
    if "restored_to" in unmapped:
        unmapped["restored_to"] = MASK
    plain["unmapped"] = unmapped
    return plain


def slim(record: Record) -> dict[str, Any]:
    """The record without its evidence, for destinations with short messages."""
    plain = dict(record)
    plain["data_security"] = {
        k: v for k, v in plain.get("data_security", {}).items() if k != "discovery_details"
    }
    plain["unmapped"] = {k: v for k, v in plain.get("unmapped", {}).items() if k != "findings"}
    return plain


def bare(record: Record) -> dict[str, Any]:
    """What is left of a record that no destination would take whole: what it is about, and its ids."""
    kept = (
        "activity_id", "activity_name", "category_uid", "class_uid", "type_uid", "time", "severity_id",
        "severity", "is_alert", "action_id", "action", "disposition_id", "disposition", "status_id", "status",
        "status_detail", "metadata", "device",
    )  # fmt: skip
    plain: dict[str, Any] = {key: record[key] for key in kept if key in record}
    plain["message"] = visible(str(record.get("message", "")), 200)
    if "finding_info" in record:
        plain["finding_info"] = {k: record["finding_info"].get(k, "") for k in ("uid", "title")}
    if "file" in record:
        plain["file"] = {k: str(record["file"].get(k, ""))[:1000] for k in ("name", "path")}
    return plain


def fitting(record: Record, most: int) -> dict[str, Any]:
    """The record, as much of it as fits into `most` bytes of JSON. Raises `DeliveryError` if nothing does."""
    for form in (dict(record), slim(record), bare(record)):
        if len(one_line(form)) <= most:
            return form
    raise DeliveryError("too_large", permanent=True)
