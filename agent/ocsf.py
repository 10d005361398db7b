"""The numbers of OCSF 1.8.0, class 2006 (Data Security Finding), that our words map to.

Source: the published schema, https://schema.ocsf.io/1.8.0/classes/data_security_finding, and its
profiles `security_control` and `incident`. `docs/alerts.md` explains these tables to readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.policy import Kind
from detectors.engine.verdict import Outcome, Tier

SCHEMA_VERSION = "1.8.0"
CLASS_UID = 2006
RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Outcome2006:
    """One row of the table: what OCSF calls our disposition."""

    action_id: int
    action: str
    disposition_id: int
    disposition: str
    status_id: int
    status: str
    severity_id: int
    is_alert: bool


_NEW, _SUPPRESSED, _RESOLVED = (1, "New"), (3, "Suppressed"), (4, "Resolved")

OUTCOMES: dict[str, Outcome2006] = {
    Kind.ALLOWED: Outcome2006(1, "Allowed", 1, "Allowed", *_SUPPRESSED, 1, False),
    Kind.EXEMPTED: Outcome2006(1, "Allowed", 8, "Approved", *_SUPPRESSED, 1, False),
    Kind.DETECTED: Outcome2006(3, "Observed", 15, "Detected", *_NEW, 4, True),
    Kind.QUARANTINED: Outcome2006(2, "Denied", 3, "Quarantined", *_NEW, 4, True),
    # in custody, yet the original is still where it was: nothing was denied to anybody
    Kind.NOT_REMOVED: Outcome2006(3, "Observed", 13, "Uncorrected", *_NEW, 5, True),
    Kind.ERROR: Outcome2006(3, "Observed", 27, "Error", *_NEW, 3, True),
    RESTORED: Outcome2006(1, "Allowed", 9, "Restored", *_RESOLVED, 1, False),
}
"""From every disposition to OCSF. A `not_removed` file is not Quarantined: it can still be lost."""

SEVERITIES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}

DETERMINATIONS: dict[str, tuple[int, str, int, str]] = {
    "true_positive": (2, "True Positive", 2, "In Progress"),
    "false_positive": (1, "False Positive", 4, "Resolved"),
    "authorised": (3, "Disregard", 3, "Suppressed"),
    "inconclusive": (7, "Insufficient Data", 2, "In Progress"),
}
"""From an analyst's determination to verdict_id, verdict, status_id, status."""

EXEMPTING = frozenset({"false_positive"})
"""Determinations after which the same bytes in the same root are let be: it is no microdata. That somebody
was authorised to have it is for an agreement or a release to say, which one person cannot do."""

CONFIDENCES = {Tier.CONFIRMED: (3, "High"), Tier.LIKELY: (2, "Medium"), Tier.POSSIBLE: (1, "Low")}
DRIVES = {"removable": (1, "Removable"), "fixed": (2, "Fixed"), "shared": (3, "Remote")}
TITLES = {
    Outcome.MICRODATA: "Record-level data about people",
    Outcome.BUSINESS_RECORDS: "Record-level data about organisations",
    Outcome.AGGREGATE: "Statistics with small counts",
    Outcome.ENCRYPTED: "Weakly protected file",
    Outcome.UNREADABLE: "File that could not be examined",
}


def activity(activity_id: int) -> dict[str, Any]:
    """1 Create, 2 Update, 3 Close, and the `type_uid` that follows from it."""
    name = {1: "Create", 2: "Update", 3: "Close"}[activity_id]
    return {
        "activity_id": activity_id,
        "activity_name": name,
        "type_uid": CLASS_UID * 100 + activity_id,
        "type_name": f"Data Security Finding: {name}",
    }
