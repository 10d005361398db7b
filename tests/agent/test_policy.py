"""The rules of `decide`, one by one and in their order."""

from __future__ import annotations

import pytest

from agent.policy import Agreement, Disposition, Kind, RootFacts, decide
from agent.volume_facts import VolumeFacts
from config.settings import Action, Actions, Handling, Mode, Policy, TierActions, Zone
from detectors.engine.verdict import Outcome, Protection, Reason, Subject, Tier, Verdict

ENFORCE = Mode.ENFORCE
LUKS = VolumeFacts(kind="removable", encryption_proof="dm-crypt LUKS2 on sdb1")


def microdata(tier: Tier = Tier.LIKELY, **known: object) -> Verdict:
    return Verdict(
        Outcome.MICRODATA, flagged=tier is not Tier.POSSIBLE, tier=tier, subject=Subject.PERSON, **known
    )  # type: ignore[arg-type]


def root(
    zone: Zone = Zone.REMOVABLE, handling: Handling = Handling.UNRESTRICTED, mode: Mode = ENFORCE
) -> RootFacts:
    return RootFacts(zone, handling, mode)


def decided(
    verdict: Verdict,
    where: RootFacts | None = None,
    volume: VolumeFacts | None = None,
    agreement: Agreement | None = None,
    policy: Policy | None = None,
    breaker_open: bool = False,
) -> Disposition:
    return decide(
        verdict, where or root(), volume or VolumeFacts(), agreement, policy or Policy(), breaker_open
    )


@pytest.mark.parametrize("zone", list(Zone))
@pytest.mark.parametrize("tier", [Tier.CONFIRMED, Tier.LIKELY])
def test_unprotected_microdata_is_taken_in_every_zone(zone: Zone, tier: Tier) -> None:
    disposition = decided(microdata(tier), root(zone))
    assert disposition.kind is Kind.QUARANTINED
    assert disposition.take


def test_possible_microdata_is_told_and_left() -> None:
    disposition = decided(microdata(Tier.POSSIBLE))
    assert (disposition.kind, disposition.act) == (Kind.DETECTED, Action.ALERT)


def test_audit_mode_never_takes() -> None:
    disposition = decided(microdata(Tier.CONFIRMED), root(mode=Mode.AUDIT))
    assert (disposition.kind, disposition.reason) == (Kind.DETECTED, "audit_mode")
    assert not disposition.take


def test_an_open_breaker_never_takes_but_still_alerts() -> None:
    disposition = decided(microdata(Tier.CONFIRMED), breaker_open=True)
    assert (disposition.kind, disposition.reason) == (Kind.DETECTED, "circuit_breaker")
    assert disposition.act is Action.ALERT


@pytest.mark.parametrize("mode", list(Mode))
def test_restricted_roots_may_hold_microdata_and_it_is_recorded(mode: Mode) -> None:
    disposition = decided(microdata(), root(Zone.SHARED, Handling.RESTRICTED, mode))
    assert (disposition.kind, disposition.reason) == (Kind.ALLOWED, "restricted_root")
    assert disposition.remembered


@pytest.mark.parametrize("zone", [Zone.REMOVABLE, Zone.LOCAL])
def test_a_proven_encrypted_volume_may_hold_microdata_with_its_proof(zone: Zone) -> None:
    disposition = decided(microdata(), root(zone), LUKS)
    assert (disposition.kind, disposition.reason) == (Kind.ALLOWED, "volume_encrypted")
    assert disposition.proof == LUKS.encryption_proof
    assert disposition.remembered


@pytest.mark.parametrize("zone", [Zone.SHARED, Zone.WEBSITE])
def test_encryption_of_the_volume_does_not_excuse_handing_content_out(zone: Zone) -> None:
    assert decided(microdata(), root(zone), LUKS).take


def test_a_volume_without_a_proof_counts_as_unencrypted() -> None:
    assert decided(microdata(), volume=VolumeFacts(kind="removable", fstype="ext4")).take


def test_an_agreement_exempts_with_its_id() -> None:
    disposition = decided(microdata(), agreement=Agreement("daa-12"))
    assert (disposition.kind, disposition.proof) == (Kind.EXEMPTED, "daa-12")
    assert disposition.remembered


def test_strong_file_encryption_is_allowed_anywhere() -> None:
    verdict = Verdict(
        Outcome.ENCRYPTED, Reason.STRONG_ENCRYPTION, complete=False, protection=Protection.STRONG
    )
    assert decided(verdict, root(Zone.WEBSITE)).kind is Kind.ALLOWED
    assert decided(microdata(protection=Protection.STRONG)).kind is Kind.ALLOWED


def test_weak_file_encryption_is_told() -> None:
    verdict = Verdict(Outcome.ENCRYPTED, Reason.PASSWORD, complete=False, protection=Protection.WEAK)
    disposition = decided(verdict)
    assert (disposition.kind, disposition.reason) == (Kind.DETECTED, "weak_protection")
    assert disposition.act is Action.ALERT


def test_what_could_not_be_examined_is_an_error_with_its_reason_never_taken() -> None:
    disposition = decided(Verdict.unreadable(Reason.LIMIT_EXPANDED))
    assert (disposition.kind, disposition.reason) == (Kind.ERROR, "limit_expanded")
    assert not disposition.take


@pytest.mark.parametrize("outcome", [Outcome.AGGREGATE, Outcome.NO_RECORDS, Outcome.OTHER_RECORDS])
@pytest.mark.parametrize("mode", list(Mode))
def test_statistics_and_ordinary_files_are_left_alone(outcome: Outcome, mode: Mode) -> None:
    disposition = decided(Verdict(outcome), root(Zone.WEBSITE, mode=mode))
    assert (disposition.kind, disposition.act) == (Kind.ALLOWED, Action.IGNORE)


def test_actions_are_looked_up_by_zone_and_tier() -> None:
    policy = Policy(actions=Actions(local=TierActions(confirmed=Action.ALERT, likely=Action.RECORD)))
    assert decided(microdata(Tier.CONFIRMED), root(Zone.LOCAL), policy=policy).act is Action.ALERT
    assert decided(microdata(Tier.LIKELY), root(Zone.LOCAL), policy=policy).act is Action.RECORD
    assert decided(microdata(Tier.LIKELY), root(Zone.SHARED), policy=policy).take


def test_an_ignored_tier_is_not_even_recorded_on_a_restricted_root() -> None:
    policy = Policy(actions=Actions(shared=TierActions(possible=Action.IGNORE)))
    disposition = decided(microdata(Tier.POSSIBLE), root(Zone.SHARED, Handling.RESTRICTED), policy=policy)
    assert disposition.act is Action.IGNORE


def test_business_records_follow_their_own_action() -> None:
    verdict = Verdict(Outcome.BUSINESS_RECORDS, tier=Tier.LIKELY, subject=Subject.ORGANISATION)
    assert decided(verdict).act is Action.RECORD
    assert decided(verdict, policy=Policy(business_records=Action.ALERT)).act is Action.ALERT


@pytest.mark.parametrize("zone", list(Zone))
def test_small_counts_are_told_where_they_would_be_published_and_never_taken(zone: Zone) -> None:
    found = decided(Verdict(Outcome.AGGREGATE, advisories=("small_cells",)), root(zone))
    assert found.act is (Action.ALERT if zone is Zone.WEBSITE else Action.IGNORE)
    assert decided(Verdict(Outcome.AGGREGATE), root(zone)).act is Action.IGNORE
    restricted = root(zone, Handling.RESTRICTED)
    assert decided(Verdict(Outcome.AGGREGATE, advisories=("small_cells",)), restricted).act is Action.IGNORE


@pytest.mark.parametrize("lower", [Tier.NONE, Tier.POSSIBLE])
def test_what_rests_on_a_detector_in_audit_mode_is_told_and_not_taken(lower: Tier) -> None:
    found = decided(microdata(Tier.CONFIRMED, advisories=(f"without_audited_{lower.value}",)))
    assert found == Disposition(Kind.DETECTED, "audit_detector", Action.ALERT)


def test_what_would_be_taken_without_that_detector_is_taken() -> None:
    found = decided(microdata(Tier.CONFIRMED, advisories=("without_audited_likely",)))
    assert found.kind is Kind.QUARANTINED
