"""Releases: used once, on the word of two people, while all is as it was; the key goes when its use does."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pyrage
import pytest

from agent.errors import NotFound, Refused
from agent.releases import Releases, Wish, forget
from agent.schema import EntryState, RequestState
from agent.statements import Release, seal
from config.settings import Settings
from detectors.engine.verdict import Outcome, Subject, Tier, Verdict

DAY = 86400
VERDICT = Verdict(Outcome.MICRODATA, flagged=True, tier=Tier.LIKELY, subject=Subject.PERSON)


class Place:
    def __init__(self, custody: Any) -> None:
        self.custody = custody
        self.releases = self.restarted()

    def restarted(self) -> Releases:
        """As after a restart: nothing is remembered but what the ledger holds."""
        c = self.custody
        return Releases(c.ledger, c.authority, lambda: c.settings, "host-1", lambda: c.now)

    def wish(self, **other: Any) -> Wish:
        c = self.custody
        plain: dict[str, Any] = {
            "entry": c.current(), "verdict": VERDICT, "place": c.place(), "holder": "D. Analyst",
            "purpose": "checking", "by": "uid:0", "valid_seconds": 3600.0, "hold_seconds": 30.0 * DAY,
        }  # fmt: skip
        return Wish(**{**plain, **other})

    def request(self, **other: Any) -> Any:
        return self.releases.request(self.wish(**other))

    def signed(self, **other: Any) -> Any:
        return self.custody.agreed.both(self.request(**other))

    def begin(self, envelope: Any, place: Any = None) -> Any:
        c = self.custody
        return self.releases.begin(envelope, c.current(), VERDICT, place or c.place(), "uid:0")

    def keys(self) -> list[str]:
        return sorted(p.stem for p in self.releases.folder.iterdir())


@pytest.fixture
def place(custody: Any) -> Place:
    return Place(custody)


def test_the_request_says_all_that_is_approved(place: Place) -> None:
    release = place.request().as_kind(Release)
    assert (release.host_id, release.entry_id, release.sha256) == ("host-1", "11111111-aaaa", "ab" * 32)
    assert (release.destination, release.root_id, release.basis) == ("/srv/r2/x", "r2", "restricted_root")
    assert release.expires_at - release.made_at == 3600
    key = (place.releases.folder / f"{release.request_id}.key").read_text().strip()
    assert str(pyrage.x25519.Identity.from_str(key).to_public()) == release.recipient
    assert release.recipient != place.request().as_kind(Release).recipient


def test_from_request_to_done_each_step_once(place: Place) -> None:
    envelope = place.signed()
    request_id = envelope.as_kind(Release).request_id
    assert place.begin(envelope).state is RequestState.PLACING
    assert place.begin(envelope).state is RequestState.PLACING  # taken up again
    place.releases.written(request_id, ["owner"])
    assert place.begin(envelope).state is RequestState.WRITTEN
    done = place.releases.placed(request_id, "uid:0", None, [])
    assert (done.state, done.detail["not_restored"]) == (RequestState.DONE, ["owner"])
    assert done.approved_by == ("A. Owner", "B. Officer")
    assert place.custody.state() is EntryState.RESTORED
    assert place.keys() == []
    assert place.releases.placed(request_id, "uid:0", None, []).state is RequestState.DONE
    with pytest.raises(Refused, match="cannot be used"):
        place.begin(envelope)
    assert place.custody.events() == ["release_requested", "release_approved", "released"]


def test_a_replay_is_refused_after_a_restart_too(place: Place) -> None:
    envelope = place.signed()
    request_id = envelope.as_kind(Release).request_id
    place.begin(envelope)
    place.releases.written(request_id, [])
    place.releases.placed(request_id, "uid:0", None, [])
    place.releases = place.restarted()
    with pytest.raises(Refused, match="cannot be used"):
        place.begin(envelope)


@pytest.mark.parametrize("step", ["written", "unwritten", "placed"])
def test_no_step_can_be_skipped(place: Place, step: str) -> None:
    request_id = place.request().as_kind(Release).request_id
    arguments = {"written": ([],), "unwritten": (), "placed": ("uid:0", None, [])}[step]
    with pytest.raises(Refused, match="requested"):
        getattr(place.releases, step)(request_id, *arguments)
    assert place.custody.state() is EntryState.QUARANTINED and place.keys() == [request_id]


def test_one_signature_is_not_enough_and_one_person_neither(place: Place, signatory: Any) -> None:
    both = signatory("A. Owner", "information_asset_owner", "data_protection_officer")
    agreed = place.custody.agreed
    place.custody.settings = place.custody.settings.model_copy(
        update={"approvers": (*agreed.approvers, both.approver)}
    )
    for signed in (agreed.owner.sign(place.request()), both.sign(agreed.owner.sign(place.request()))):
        with pytest.raises(Refused, match="not approved"):
            place.begin(signed)
    assert place.custody.state() is EntryState.QUARANTINED


def test_an_expired_request_is_refused_and_its_key_forgotten(place: Place) -> None:
    envelope = place.signed()
    place.custody.now += 3601
    with pytest.raises(Refused, match="expired"):
        place.begin(envelope)
    place.releases.tend()
    assert place.keys() == []
    assert place.releases.row(envelope.as_kind(Release).request_id).state is RequestState.EXPIRED
    place.custody.now -= 3601  # not even if the clock is set back
    with pytest.raises(Refused, match="expired"):
        place.begin(envelope)


def test_what_was_written_in_time_is_finished_after_it(place: Place) -> None:
    """Its file may have its name already: it would be wrong to say that it was not released."""
    envelope = place.signed()
    request_id = envelope.as_kind(Release).request_id
    place.begin(envelope)
    place.releases.written(request_id, [])
    place.custody.now += 3601
    place.releases.tend()
    assert place.begin(envelope).state is RequestState.WRITTEN
    assert place.releases.placed(request_id, "uid:0", None, []).state is RequestState.DONE


@pytest.mark.parametrize(
    "field", ["destination", "recipient", "expires_at", "holds_until", "purpose", "host_id"]
)
def test_an_edited_request_is_refused_whoever_signs_it(place: Place, field: str) -> None:
    release = place.request().as_kind(Release)
    old = getattr(release, field)
    edited = seal(replace(release, **{field: old + 1 if isinstance(old, int) else old + "x"}))
    with pytest.raises(Refused):
        place.begin(place.custody.agreed.both(edited))


def test_a_request_that_was_never_made_here_is_refused(place: Place) -> None:
    """Two approvers alone give nothing back: there is no key for it here."""
    release = replace(place.request().as_kind(Release), request_id="0000-made-up")
    with pytest.raises(Refused, match="not a request that was made"):
        place.begin(place.custody.agreed.both(seal(release)))


def test_policy_is_asked_again_when_the_file_is_put_in_place(place: Place) -> None:
    envelope = place.signed()
    for elsewhere in (place.custody.place(handling="unrestricted"), place.custody.place(root_id="r3")):
        with pytest.raises(Refused):
            place.begin(envelope, elsewhere)
    assert place.begin(envelope).state is RequestState.PLACING


def test_where_policy_does_not_allow_it_nothing_is_asked_for(place: Place) -> None:
    with pytest.raises(Refused, match="policy does not allow"):
        place.request(place=place.custody.place(handling="unrestricted"))
    assert not place.releases.folder.exists()


def test_without_two_approvers_nothing_is_asked_for(place: Place) -> None:
    place.custody.settings = Settings(state_dir=place.custody.base)
    with pytest.raises(Refused, match="no two approvers"):
        place.request()


@pytest.mark.parametrize("wish", [{"holder": " "}, {"purpose": ""}, {"valid_seconds": 0.0}])
def test_what_says_nothing_is_no_request_and_leaves_no_key(place: Place, wish: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="no request"):
        place.request(**wish)
    assert place.keys() == []


def test_nothing_holds_for_ever(place: Place) -> None:
    release = place.request(valid_seconds=1e12, hold_seconds=1e12).as_kind(Release)
    assert release.expires_at - release.made_at == 31 * DAY
    assert release.holds_until - release.made_at == 366 * DAY


def test_an_entry_that_is_gone_or_disposed_of_is_not_released(place: Place) -> None:
    envelope = place.signed()
    entry = replace(place.custody.current(), state=EntryState.DISPOSED)
    with pytest.raises(Refused, match="not what it was"):
        place.releases.begin(envelope, entry, VERDICT, place.custody.place(), "uid:0")
    with pytest.raises(Refused, match="nothing to give back"):
        place.request(entry=entry)


def test_a_key_that_was_made_before_a_crash_and_serves_nothing_is_forgotten(place: Place) -> None:
    place.request()
    stray = place.releases.folder / "stray.key"
    stray.write_text("AGE-SECRET-KEY-1MADEUP\n")
    before = place.keys()
    place.restarted().tend()
    assert place.keys() == [k for k in before if k != "stray"]


def test_a_key_is_overwritten_before_its_name_goes(tmp_path: Any) -> None:
    key = tmp_path / "x.key"
    key.write_text("AGE-SECRET-KEY-1MADEUP\n")
    os.link(key, tmp_path / "same")
    forget(key)
    forget(key)
    assert not key.exists() and set((tmp_path / "same").read_bytes()) == {0}


def test_a_release_nobody_asked_for_is_not_found(place: Place) -> None:
    with pytest.raises(NotFound):
        place.releases.row("made-up")
