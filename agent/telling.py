"""Rows and records of alerts out of what the desk knows, one id for one version of a file."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from agent import alerts
from agent.alerts import Occurrence
from agent.audit import stored_head
from agent.ledger import Ledger
from agent.policy import Kind
from agent.schema import AlertRow, AlertState, Entry
from agent.volumes import WatchedRoot
from config.settings import Settings
from detectors.engine.verdict import Verdict, verdict_from_trusted

MOST_AT_HAND = 64


@dataclass(frozen=True, slots=True)
class Judge:
    """What the template told about the judgement that is in force."""

    vocabulary: frozenset[str]
    digest: str


@dataclass(frozen=True, slots=True)
class Host:
    """Which workstation this is, in alerts."""

    host_id: str
    hostname: str


class Teller:
    """`settings` and `judge` are replaced on a reload."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        judge: Judge,
        host: Host,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.judge = judge
        self._ledger = ledger
        self.host = host
        self._clock = clock
        self._digests: dict[str, tuple[WatchedRoot, Settings, str, str]] = {}
        self._at_hand: dict[str, Verdict] = {}

    def digest(self, root: WatchedRoot) -> str:
        """The digest of all that decides about a file in this root."""
        known = self._digests.get(root.root_id)
        if (
            known is None
            or known[0] != root
            or known[1] is not self.settings
            or known[2] != self.judge.digest
        ):
            digest = root.digest(self.judge.digest, self.settings)
            known = self._digests[root.root_id] = (root, self.settings, self.judge.digest, digest)
        return known[3]

    def keep_at_hand(self, entry_id: str, verdict: Verdict) -> None:
        """An entry's verdict, which will be told of soon, need not be read out of the ledger again."""
        if len(self._at_hand) >= MOST_AT_HAND:
            self._at_hand.clear()
        self._at_hand[entry_id] = verdict

    def verdict(self, entry: Entry) -> Verdict:
        if (known := self._at_hand.get(entry.entry_id)) is not None:
            return known
        # the vocabulary may have changed since it was written; it was checked then
        vocabulary = self.judge.vocabulary | _codes(entry.verdict)
        return verdict_from_trusted(entry.verdict, vocabulary)

    def row(
        self,
        root: WatchedRoot,
        entry: Entry,
        disposition: str,
        reason: str,
        state: AlertState,
        proof: str = "",
    ) -> AlertRow:
        """The row for what is known now: a new one, or the next revision of the one there is."""
        now = self._clock()
        key = alerts.file_key(root.root_id, entry.identity)
        known = self._known(entry, key)
        alert_id = known.alert_id if known else str(uuid.uuid4())
        # a held alert was never seen by anybody: releasing it is still its first revision
        revision = 1 if known is None else known.revision + (known.state is not AlertState.HELD)
        seen = Occurrence(
            alert_id=alert_id, host_id=self.host.host_id, hostname=self.host.hostname,
            root_id=root.root_id, path=entry.path, identity=entry.identity, owner_uid=entry.owner_uid,
            verdict=self.verdict(entry), root=root.facts, volume=root.volume, disposition=disposition,
            reason=reason,
            proof=proof or str(entry.disposition.get("proof", "")), policy_digest=self.digest(root),
            observed_at=entry.observed_at, at=now, revision=revision, sha256=entry.sha256,
            entry_id=entry.entry_id, notice=entry.notice, audit_head=audit_head(self._ledger),
            writer=entry.writer,
            review_at=self._ledger.review_at(entry, self.settings.vault.review_days),
        )  # fmt: skip
        return AlertRow(
            alert_id, key, root.root_id, entry.entry_id or None, entry.path, disposition, reason, state,
            alerts.record(seen), known.created_at if known else now, now, revision,
        )  # fmt: skip

    def _known(self, entry: Entry, key: str) -> AlertRow | None:
        """The alert that this one continues: of the same entry, or of the same file left in its place."""
        if entry.alert_id is not None:
            return self._ledger.alert(entry.alert_id)
        known = self._ledger.alert_about(key)
        if known is None or known.disposition == Kind.QUARANTINED.value or known.determination:
            return None
        return known

    def event(self, event: str, row: AlertRow, reason: str) -> dict[str, object]:
        return {
            "event": event, "alert": row.alert_id, "entry": row.entry_id, "root": row.root_id,
            "path": row.path, "disposition": row.disposition, "reason": reason,
            "proof": row.record["unmapped"]["proof"], "severity_id": row.record["severity_id"],
            **{key: row.record["unmapped"][key] for key in ("zone", "handling", "volume")},
            "owner_uid": row.record["file"].get("owner", {}).get("uid"),
        }  # fmt: skip


def audit_head(ledger: Ledger) -> dict[str, object] | None:
    """The audit log's last line as the ledger knows it."""
    head = stored_head(ledger)
    return {"sequence": head.sequence, "digest": head.digest} if head else None


def _codes(verdict: dict[str, object]) -> frozenset[str]:
    """The codes that a verdict of our own ledger uses."""
    codes: set[str] = set()
    findings = verdict.get("findings")
    for finding in findings if isinstance(findings, list) else []:
        codes |= {finding[k] for k in ("detector", "measure", "term") if finding.get(k)}
    advisories = verdict.get("advisories")
    return frozenset(codes | set(advisories if isinstance(advisories, list) else []))
