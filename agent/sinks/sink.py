"""What a destination of alerts is, and how it says that it could not take one.

A sink is given the OCSF record and returns only when the destination has it. It runs in the
courier, which has no privileges and imports the standard library only.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from typing import Any, Protocol

Record = Mapping[str, Any]

MASK = "masked"


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
        return cls(errno.errorcode.get(error.errno or 0, type(error).__name__))


class Sink(Protocol):
    """One destination."""

    def deliver(self, record: Record) -> None:
        """Deliver at least once. Raises `DeliveryError`, and nothing else."""

    def close(self) -> None: ...


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
