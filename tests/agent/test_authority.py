"""What lets a file of records be, and for how long; whose word is not enough."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from agent.authority import place_of
from agent.policy import RootFacts
from agent.schema import RequestRow, RequestState
from agent.volume_facts import Mount, VolumeFacts
from agent.volumes import WatchedRoot
from config.settings import Handling, Mode, Settings, Zone
from detectors.engine.verdict import Outcome, Subject, Tier, Verdict

LIKELY = Verdict(Outcome.MICRODATA, flagged=True, tier=Tier.LIKELY, subject=Subject.PERSON)
SHA = "ab" * 32
DAY = 86400
OUTER = WatchedRoot(
    "outer", "/srv", RootFacts(Zone.SHARED, Handling.UNRESTRICTED, Mode.AUDIT), VolumeFacts(), "configured"
)
INNER = replace(OUTER, root_id="inner", path="/srv/inner", origin="volume")


def put_release(custody: Any, state: RequestState, **detail: Any) -> None:
    plain = {
        "places": ["/srv/r2/x", "/srv/r2/.beside"], "root_id": "r2",
        "holds_until": custody.now + 30 * DAY,
    }  # fmt: skip
    row = RequestRow(
        "q1", "release", custody.entry.entry_id, SHA, b"", state, custody.now, custody.now + 60, custody.now,
        detail=plain | detail,
    )  # fmt: skip
    custody.ledger.put_request(row)


def test_the_innermost_root_answers_for_a_place() -> None:
    settings = Settings()
    for path, root_id in (("/srv/x", "outer"), ("/srv/inner/x", "inner"), ("/srv/inner2/x", "outer")):
        place = place_of(path, [OUTER, INNER], [], settings)
        assert (place.root_id, place.path) == (root_id, path)
    assert place_of("/srv/x", [OUTER], [], settings).configured
    assert not place_of("/srv/inner/x", [INNER], [], settings).configured


def test_a_place_that_nobody_watches_is_local_and_open_unless_proved_otherwise() -> None:
    mount = Mount(1, "0:5", "/", "/", (), "tmpfs", "tmpfs")
    place = place_of("/home/x", [OUTER], [mount], Settings())
    assert (place.root_id, place.facts.zone, place.volume.encrypted) == ("", Zone.LOCAL, False)
    share = replace(mount, mount_point="/net", fstype="nfs4")
    assert place_of("/net/x", [], [mount, share], Settings()).facts.zone is Zone.SHARED


@pytest.mark.parametrize("state", list(RequestState))
def test_a_release_lets_its_file_be_from_the_moment_it_appears(custody: Any, state: RequestState) -> None:
    put_release(custody, state)
    holds = state in (RequestState.PLACING, RequestState.WRITTEN, RequestState.DONE)
    for path in ("/srv/r2/x", "/srv/r2/.beside"):
        found = custody.authority.exemption(custody.place(path), SHA)
        assert (found is not None and (found.basis, found.proof) == ("release", "q1")) is holds


def test_a_release_onto_a_volume_holds_wherever_that_is_mounted(custody: Any) -> None:
    put_release(custody, RequestState.DONE, places=["a/x", "a/.beside"])
    for mounted in ("/media/one", "/mnt/two"):
        root = replace(OUTER, root_id="r2", path=mounted, origin="volume")
        for path, holds in ((f"{mounted}/a/x", True), (f"{mounted}/x", False)):
            place = place_of(path, [root], [], Settings())
            assert (custody.authority.exemption(place, SHA) is not None) is holds


@pytest.mark.parametrize(
    ("path", "root_id", "sha256"),
    [("/srv/r2/y", "r2", SHA), ("/srv/r2/x", "r1", SHA), ("/srv/r2/x", "r2", "00" * 32)],
)
def test_it_does_so_for_that_content_at_that_place_only(
    custody: Any, path: str, root_id: str, sha256: str
) -> None:
    put_release(custody, RequestState.DONE)
    assert custody.authority.exemption(custody.place(path, root_id=root_id), sha256) is None


def test_when_a_release_holds_no_longer_its_file_is_judged_again(custody: Any) -> None:
    put_release(custody, RequestState.DONE)
    custody.authority.remember(custody.place(), "x", SHA, "release", "q1")
    assert custody.authority.lift_ended() == set()
    custody.now += 31 * DAY
    assert custody.authority.exemption(custody.place(), SHA) is None
    assert custody.authority.lift_ended() == {"r2"}
    assert custody.authority.lift_ended() == set()


def test_a_release_that_is_no_more_holds_nothing(custody: Any) -> None:
    custody.authority.remember(custody.place(), "x", SHA, "release", "never-was")
    assert custody.authority.lift_ended() == {"r2"}


def permission(custody: Any, **place: Any) -> Any:
    return custody.authority.permission(LIKELY, custody.place(**place), SHA)


def test_policy_allows_a_file_in_restricted_roots_and_on_encrypted_volumes(custody: Any) -> None:
    assert permission(custody).reason == "restricted_root"
    assert permission(custody, handling="unrestricted") is None
    proved = replace(
        custody.place(handling="unrestricted"),
        facts=RootFacts(Zone.REMOVABLE, Handling.UNRESTRICTED, Mode.ENFORCE),
        volume=VolumeFacts(encryption_proof="dm-crypt LUKS2"),
    )
    found = custody.authority.permission(LIKELY, proved, SHA)
    assert (found.reason, found.proof) == ("volume_encrypted", "dm-crypt LUKS2")


def test_an_audit_is_no_permission(custody: Any) -> None:
    place = custody.place(handling="unrestricted")
    audited = replace(place, facts=replace(place.facts, mode=Mode.AUDIT))
    assert custody.authority.permission(LIKELY, audited, SHA) is None


def test_policy_allows_what_an_agreement_covers(custody: Any) -> None:
    custody.authority.agreements.hand_in(custody.agreed(custody.now, content=(SHA,)), "uid:0")
    found = permission(custody, handling="unrestricted")
    assert (found.reason, found.proof) == ("agreement", custody.agreed.agreement_id)
    assert custody.authority.permission(LIKELY, custody.place(handling="unrestricted"), "00" * 32) is None


@pytest.mark.parametrize(
    ("determination", "allowed"),
    [("false_positive", True), ("authorised", False), ("true_positive", False), ("inconclusive", False)],
)
def test_policy_allows_what_was_found_to_be_no_microdata_and_nothing_else_that_one_person_says(
    custody: Any, determination: str, allowed: bool
) -> None:
    alert = replace(custody.ledger.alert(f"alert-{custody.entry.entry_id}"), determination=determination)
    custody.ledger.determine(alert, "r1", SHA)
    assert (permission(custody, handling="unrestricted") is not None) is allowed
    exempted = custody.authority.exemption(custody.place("/srv/r1/x", root_id="r1"), SHA)
    assert (exempted is not None) is allowed


def test_names_that_are_no_text_are_remembered_exactly(custody: Any) -> None:
    name = os.fsdecode(b"x\xff")
    custody.authority.remember(custody.place(), name, SHA, "agreement", "DAA-gone")
    assert [row.relpath for row in custody.ledger.exemptions()] == [name]
