"""Who counts as old at the first contact with a root, and what is done about it then."""

from __future__ import annotations

from typing import Any

import pytest

from agent.contact import GRACE_SECONDS, applies, digest, softened, standing
from agent.policy import Disposition, Kind, RootFacts
from agent.protocol import Identity, Judged
from agent.standing import Seen, Standing
from agent.volume_facts import VolumeFacts
from agent.volumes import WatchedRoot
from config.settings import Action, FirstContact, Handling, Mode, Policy, Zone

SINCE = 1_700_000_000.0
UNDER_WAY: dict[str, Any] = {"since": SINCE}
ENDED: dict[str, Any] = {"since": SINCE, "ended": SINCE + 60}
MUCH_LATER = SINCE + 60 + GRACE_SECONDS + 1
TAKE = Disposition(Kind.QUARANTINED, "policy", Action.QUARANTINE)


def root(zone: Zone = Zone.SHARED, kind: str = "fixed") -> WatchedRoot:
    facts = RootFacts(zone, Handling.UNRESTRICTED, Mode.ENFORCE)
    return WatchedRoot("r1", "/srv/\x1b", facts, VolumeFacts(kind=kind), "configured")


def judged(age: float, origin: Any = "sweep") -> Judged:
    """Of a file whose inode changed so many seconds before the root was first attached."""
    return Judged(Identity("a.csv", 1, 2, 3, 4, int((SINCE - age) * 1e9)), {}, origin, SINCE)


def test_drives_and_websites_are_enforced_from_their_first_file() -> None:
    policy = Policy()
    assert applies(root(Zone.SHARED), policy) and applies(root(Zone.LOCAL), policy)
    assert not applies(root(Zone.REMOVABLE), policy) and not applies(root(Zone.WEBSITE), policy)
    assert not applies(root(Zone.LOCAL, "removable"), policy)  # a home on a stick
    assert not applies(root(), Policy(first_contact=FirstContact.ENFORCE))


@pytest.mark.parametrize(
    ("contact", "now", "file", "old"),
    [
        (UNDER_WAY, SINCE + 5, judged(3600), True),
        (UNDER_WAY, SINCE + 5, judged(-2), False),
        (UNDER_WAY, SINCE + 5, judged(0.2), False),  # the kernel's clock is coarse
        (ENDED, SINCE + 70, judged(3600), True),  # it was open while the sweep passed
        (ENDED, MUCH_LATER, judged(3600), False),  # moved here with its folder while we were down
        (ENDED, SINCE - 86400, judged(86400, "event"), False),  # the clock was set back
        (UNDER_WAY, SINCE - 86400, judged(86400, "event"), False),
        (UNDER_WAY, SINCE - 86400, judged(86400), True),
        ({**UNDER_WAY, "enforced": True}, SINCE + 5, judged(3600), False),
        ({}, SINCE + 5, judged(3600), False),
    ],
)
def test_old_is_what_did_not_change_since_the_root_was_first_attached(contact, now, file, old) -> None:
    assert (standing(root(), contact, None, file, now) is Standing.OLD) is old


def test_where_the_inodes_time_is_somebody_elses_an_event_tells_that_a_file_is_new() -> None:
    for kind, old in (("fixed", True), ("shared", False), ("unknown", False)):
        found = standing(root(kind=kind), UNDER_WAY, None, judged(3600, "event"), SINCE + 5)
        assert (found is Standing.OLD) is old


def test_what_was_met_keeps_its_standing_until_it_changes() -> None:
    file = judged(3600)
    known = Seen(3, 4, file.identity.ctime_ns, "aggregate", Standing.OLD)
    assert standing(root(), ENDED, known, file, MUCH_LATER) is Standing.OLD
    assert standing(root(), ENDED, known, judged(-5), MUCH_LATER) is Standing.NEW
    new = Seen(3, 4, file.identity.ctime_ns, "aggregate", Standing.NEW)
    assert standing(root(), UNDER_WAY, new, file, SINCE + 5) is Standing.NEW


@pytest.mark.parametrize("wanted", [TAKE, Disposition(Kind.DETECTED, "audit_mode", Action.ALERT)])
def test_old_files_are_recorded_and_neither_taken_nor_alerted(wanted: Disposition) -> None:
    found = softened(wanted, Standing.OLD, {}, breaker_open=False)
    assert (found.kind, found.reason, found.act) == (Kind.DETECTED, "first_contact", Action.RECORD)
    assert found.remembered and not found.take
    assert softened(wanted, Standing.NEW, {}, breaker_open=False) is wanted


def test_released_files_are_taken_unless_the_breaker_is_open_and_then_wait() -> None:
    assert softened(TAKE, Standing.RELEASED, {}, breaker_open=False) is TAKE
    blown = Disposition(Kind.DETECTED, "circuit_breaker", Action.ALERT)
    assert softened(blown, Standing.RELEASED, {}, breaker_open=True).act is Action.RECORD


def test_accepted_files_stay_on_record_in_somebodys_name_and_are_not_exempted() -> None:
    found = softened(TAKE, Standing.ACCEPTED, {"accepted_by": "uid:7"}, breaker_open=False)
    assert (found.kind, found.reason, found.proof) == (Kind.DETECTED, "accepted", "accepted by uid:7")
    assert found.remembered


def test_what_could_not_be_examined_stays_an_error_and_what_is_allowed_stays_so() -> None:
    fault = Disposition(Kind.ERROR, "malformed", Action.ALERT)
    found = softened(fault, Standing.OLD, {}, breaker_open=False)
    assert (found.kind, found.reason, found.act) == (Kind.ERROR, "malformed", Action.RECORD)
    allowed = Disposition(Kind.ALLOWED, "restricted_root", Action.RECORD)
    assert softened(allowed, Standing.OLD, {}, breaker_open=False) is allowed


def test_the_digest_counts_and_is_settled_when_nothing_waits() -> None:
    told = digest(root(), {"microdata": 3, "encrypted": 1})
    assert (told.facts["total"], told.reason, told.settled) == (4, "first_contact", False)
    assert "\x1b" not in told.message
    assert digest(root(), {}).settled
