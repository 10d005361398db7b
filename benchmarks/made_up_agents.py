"""Made-up agents that enrol, sign and send as docs/console-api.md says, and made-up alerts to send."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ZONES = ("removable", "shared", "local", "website")
DEVICES = ("60A44C4138D8F311", "4C530001231106117", "07A41F0E55D1", "")
NAMES = ("returns_2024.csv", "survey_wave3.sav", "leavers.xlsx", "panel.dta", "households.parquet")
OUTCOMES = {
    "detected": (3, "Observed", 15, "Detected", 4),
    "quarantined": (2, "Denied", 3, "Quarantined", 4),
    "not_removed": (3, "Observed", 13, "Uncorrected", 5),
    "error": (3, "Observed", 27, "Error", 3),
}
REASONS = {
    "detected": "audit_mode",
    "quarantined": "policy",
    "not_removed": "read_only",
    "error": "vault_full",
}
DETECTORS = (
    ("direct_identifiers", "identifier_share", "nhs_number"), ("key_variables", "values_like", "age"),
    ("unit_records", "unique_share", None), ("survey_design", "name_says", "weight"),
    ("named_people", "forenames", "name"), ("row_subject", "name_says", "person"),
)  # fmt: skip


@dataclass
class MadeUpAgent:
    """One workstation, with a key of its own."""

    agent: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def hostname(self) -> str:
        return f"pc-{self.agent.removeprefix('agent-')}"

    @property
    def public_key(self) -> str:
        return "ed25519:" + base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def enrolment(self, token: str) -> dict[str, str]:
        """The body of `POST /api/v1/enrol`."""
        return {
            "token": token, "agent": self.agent, "hostname": self.hostname,
            "public_key": self.public_key, "version": "0.1.0",
        }  # fmt: skip

    def headers(
        self, target: str, body: bytes, at: float | None = None, nonce: str = "", method: str = "POST"
    ) -> dict[str, str]:
        """The headers of one signed request."""
        stamp = str(int(time.time() if at is None else at))
        nonce = nonce or secrets.token_urlsafe(16)
        digest = hashlib.sha256(body).hexdigest()
        signed = "\n".join(("recordwarden-request-1", method, target, self.agent, stamp, nonce, digest))
        return {
            "Content-Type": "application/json",
            "Recordwarden-Agent": self.agent,
            "Recordwarden-Time": stamp,
            "Recordwarden-Nonce": nonce,
            "Recordwarden-Signature": base64.b64encode(self.key.sign(signed.encode())).decode(),
        }

    def alert(
        self, number: int, revision: int = 1, at: float | None = None, **changes: Any
    ) -> dict[str, Any]:
        """The OCSF record of this agent's alert `number`, the same each time; `at` is when it was found."""
        dice = random.Random(f"{self.agent}/{number}")
        now = (time.time() if at is None else at) - (0 if at else dice.random() * 60 * 86400)
        path = changes.get("path") or f"/srv/returns/{dice.choice('abcdef')}/{number}/{dice.choice(NAMES)}"
        disposition = changes.get("disposition") or dice.choices(list(OUTCOMES), (5, 8, 1, 1))[0]
        action_id, action, disposition_id, told, severity = OUTCOMES[disposition]
        zone = dice.choice(ZONES)
        tier = dice.choices(("confirmed", "likely", "possible"), (6, 3, 1))[0]
        records = dice.randint(50, 40_000)
        uid = f"{self.agent}-{number}"
        serial = dice.choice(DEVICES) if zone == "removable" else ""
        digest = hashlib.sha256(str(dice.randint(0, 10**9) if number % 5 else 7).encode()).hexdigest()
        return {
            "activity_id": 1, "activity_name": "Create", "class_uid": 2006, "category_uid": 2,
            "class_name": "Data Security Finding", "time": round(now * 1000) + revision,
            "severity_id": severity, "severity": "High", "is_alert": True,
            "message": f"Record-level data about people, about {records} records: {disposition}",
            "metadata": {"version": "1.8.0", "uid": f"{uid}:{revision}", "correlation_uid": uid,
                         "product": {"name": "recordwarden"}},
            "finding_info": {
                "uid": uid, "title": "Record-level data about people", "types": [f"microdata.{tier}"],
                "desc": f"{records:,} people, one per row: ages 16–94 unsorted, variables on sex, region and "
                        "occupation; no totals, no rounding; no direct identifiers (pseudonymised).",
                "analytic": {"name": "recordwarden judgement", "version": "4f3a9c12be77d001"},
                "first_seen_time": round(now * 1000),
            },
            "action_id": action_id, "action": action, "disposition_id": disposition_id, "disposition": told,
            "status_id": 1, "status": "New", "status_detail": REASONS[disposition],
            "confidence_score": dice.randint(50, 99),
            "file": {
                "name": changes.get("name") or path.rsplit("/", 1)[-1], "path": path, "size": records * 61,
                "mime_type": "text/csv", "owner": {"uid": str(1000 + number % 7)},
                "hashes": [{"algorithm_id": 3, "algorithm": "SHA-256", "value": digest}],
            },
            "actor": {"user": {"uid": str(1000 + number % 7)},
                      "process": {"pid": 4000 + number, "name": "cp", "file": {"path": "/usr/bin/cp"}}},
            "device": {"uid": self.agent, "hostname": changes.get("hostname") or self.hostname},
            "data_security": {"total": records, "status": "Complete",
                              "policy": {"uid": "91aa03c2c4d0e5f6"}},
            "unmapped": {
                "zone": zone, "handling": "unrestricted", "mode": "enforce", "outcome": "microdata",
                "tier": tier,
                "subject": "person", "protection": "none", "member": None, "advisories": [],
                "disposition": disposition, "reason": REASONS[disposition], "proof": "", "notice": True,
                "entry": f"e-{uid}" if disposition in ("quarantined", "not_removed") else "",
                "volume": {"kind": zone, "fstype": "exfat" if serial else "ext4", "encrypted": False,
                           "encryption_proof": "", "vendor": "0951" if serial else "", "product": "16d5",
                           "serial": serial, "uuid": "9f1c-22ab"},
                "findings": findings(dice, records), "audit_head": {"sequence": number, "digest": digest},
            },
        }  # fmt: skip

    def heartbeat(self, at: float | None = None, covered: bool = True) -> dict[str, Any]:
        """The OCSF record of one heartbeat."""
        now = time.time() if at is None else at
        root = {
            "path": "/srv/returns", "zone": "shared", "mode": "enforce", "covered": covered, "complete": True,
            "coverage": "native" if covered else "stuck", "fault": "" if covered else "no answer",
            "since": now - 9000, "proof": "seen", "proved_at": now - 60, "swept_at": now - 1800,
            "files": 18_230, "backlog": 2, "not_examined": {"unsupported": 3}, "held": {},
            "breaker_open": False,
        }  # fmt: skip
        return {
            "class_uid": 6007, "class_name": "Scan Activity", "activity_id": 99, "time": round(now * 1000),
            "metadata": {"version": "1.8.0", "uid": f"heartbeat-{self.agent}:1",
                         "product": {"name": "recordwarden", "version": "0.1.0"}},
            "device": {"uid": self.agent, "hostname": self.hostname},
            "unmapped": {"coverage": [root, {**root, "path": "/home", "zone": "local", "coverage": "native",
                                             "covered": True, "fault": ""}],
                         "audit_head": {"sequence": 311, "digest": "ab" * 32}},
        }  # fmt: skip


def findings(dice: random.Random, records: int) -> list[dict[str, Any]]:
    """Some for and one against, by column."""
    chosen = dice.sample(DETECTORS, dice.randint(2, 5))
    found = [
        {
            "detector": detector, "polarity": "for", "table": 0, "column": index, "term": term, "role": None,
            "measure": measure, "value": round(dice.uniform(0.5, 1), 3), "threshold": 0.5,
            "weight": round(dice.uniform(0.2, 2.5), 2), "records_seen": records,
            "records_matched": round(records * dice.uniform(0.8, 1)),
        }
        for index, (detector, measure, term) in enumerate(chosen)
    ]  # fmt: skip
    against = {
        "detector": "aggregate_shape", "polarity": "against", "table": 0, "column": None, "term": None,
        "role": None, "measure": "sorted_share", "value": 0.1, "threshold": None, "weight": -0.3,
        "records_seen": None, "records_matched": None,
    }  # fmt: skip
    return [*found, against]


def body_of(records: list[dict[str, Any]]) -> bytes:
    """The body of a request that sends these."""
    return json.dumps({"records": records}, separators=(",", ":")).encode()
