"""What is done about a verdict: a pure function of what is known, and nothing else.

The order of the rules is the policy: what may be where it is comes first (restricted roots, proven
encrypted volumes, agreements), then how sure the judgement is, then whether this service may act
at all (mode, circuit breaker). Nothing inside a file or its name is looked at.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from agent.volume_facts import VolumeFacts
from config.settings import Action, Handling, Mode, Policy, Zone
from detectors.engine.verdict import Outcome, Protection, Tier, Verdict

CIRCUIT_BREAKER = "circuit_breaker"
"""The reason of what was not taken because its root has lost enough."""

SMALL_CELLS = "small_cells"
"""The advisory, and the reason, of statistics with small counts that stand unsuppressed."""


class Kind(StrEnum):
    """What was, or will be, done about a file."""

    ALLOWED = "allowed"
    DETECTED = "detected"
    QUARANTINED = "quarantined"
    EXEMPTED = "exempted"
    NOT_REMOVED = "not_removed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Disposition:
    """`kind` with its reason (a code), and how loudly: nothing, kept as a record, alert, or act.

    `act` is `QUARANTINE` only where the file shall be taken; `proof` is what an exemption rests on.
    """

    kind: Kind
    reason: str
    act: Action
    proof: str = ""

    @property
    def take(self) -> bool:
        return self.act is Action.QUARANTINE

    @property
    def remembered(self) -> bool:
        """Microdata that may be here: an answer to 'full details of all authorised access'. And what waits
        for a person since the first contact with its root (`agent.contact`)."""
        told = self.kind in (Kind.ALLOWED, Kind.EXEMPTED) or self.reason in ("first_contact", "accepted")
        return self.act is Action.RECORD and told and bool(self.reason)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RootFacts:
    """The kind of place a file was found in; `mode` is the root's own or the policy's."""

    zone: Zone
    handling: Handling
    mode: Mode


@dataclass(frozen=True, slots=True)
class Agreement:
    """A Data Access Agreement, or an exception, that is in force and covers this file."""

    agreement_id: str
    basis: Literal["agreement", "exception"] = "agreement"


_WITHOUT_AUDITED = {f"without_audited_{tier.value}": tier for tier in (Tier.NONE, Tier.POSSIBLE, Tier.LIKELY)}
"""Advisory -> how sure the judgement is without the detectors in audit mode."""

_AT_REST = (Zone.REMOVABLE, Zone.LOCAL)
"""Where encryption of the volume answers the danger: a lost stick or laptop. It does not answer
the danger of a website or of a share, which hand out the plain content."""


def decide(
    verdict: Verdict,
    root: RootFacts,
    volume: VolumeFacts,
    agreement: Agreement | None,
    policy: Policy,
    breaker_open: bool,
) -> Disposition:
    """The disposition of one file."""
    match verdict.outcome:
        case Outcome.UNREADABLE:
            reason = verdict.reason.value if verdict.reason else "unreadable"
            return Disposition(Kind.ERROR, reason, policy.unreadable)
        case Outcome.ENCRYPTED if verdict.protection is Protection.STRONG:
            return Disposition(Kind.ALLOWED, "", Action.RECORD)
        case Outcome.ENCRYPTED:
            return _detected("weak_protection", policy.weak_protection)
        case Outcome.BUSINESS_RECORDS:
            return _detected("business_records", policy.business_records)
        case Outcome.MICRODATA:
            return _microdata(verdict, root, volume, agreement, policy, breaker_open)
        case Outcome.AGGREGATE if (
            SMALL_CELLS in verdict.advisories and root.handling is not Handling.RESTRICTED
        ):
            return _detected(SMALL_CELLS, policy.actions.for_zone(root.zone).small_cells)
        case _:
            return Disposition(Kind.ALLOWED, "", Action.IGNORE)


def _microdata(
    verdict: Verdict,
    root: RootFacts,
    volume: VolumeFacts,
    agreement: Agreement | None,
    policy: Policy,
    breaker_open: bool,
) -> Disposition:
    if verdict.protection is Protection.STRONG:
        return Disposition(Kind.ALLOWED, "strong_encryption", Action.RECORD)
    action = _of_tier(verdict.tier, root, policy)
    if action is Action.IGNORE:
        return Disposition(Kind.ALLOWED, "", Action.IGNORE)
    if root.handling is Handling.RESTRICTED:
        return Disposition(Kind.ALLOWED, "restricted_root", Action.RECORD)
    if volume.encrypted and root.zone in _AT_REST:
        return Disposition(Kind.ALLOWED, "volume_encrypted", Action.RECORD, volume.encryption_proof)
    if agreement is not None:
        return Disposition(Kind.EXEMPTED, agreement.basis, Action.RECORD, agreement.agreement_id)
    if action is not Action.QUARANTINE:
        return _detected("policy", action)
    if root.mode is not Mode.ENFORCE:
        return _detected("audit_mode", Action.ALERT)
    acting = [tier for code, tier in _WITHOUT_AUDITED.items() if code in verdict.advisories]
    if any(_of_tier(tier, root, policy) is not Action.QUARANTINE for tier in acting):
        return _detected("audit_detector", Action.ALERT)
    if breaker_open:
        return _detected(CIRCUIT_BREAKER, Action.ALERT)
    return Disposition(Kind.QUARANTINED, "policy", Action.QUARANTINE)


def _of_tier(tier: Tier, root: RootFacts, policy: Policy) -> Action:
    tiers = policy.actions.for_zone(root.zone)
    return {
        Tier.CONFIRMED: tiers.confirmed,
        Tier.LIKELY: tiers.likely,
        Tier.POSSIBLE: tiers.possible,
        Tier.NONE: Action.IGNORE,
    }[tier]


def _detected(reason: str, action: Action) -> Disposition:
    if action is Action.IGNORE:
        return Disposition(Kind.ALLOWED, "", Action.IGNORE)
    return Disposition(Kind.DETECTED, reason, action)
