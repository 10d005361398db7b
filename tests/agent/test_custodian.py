"""What people may ask about custody, and what is looked after when nobody asks."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.carried import Carried, pin
from agent.custodian import Custodian
from agent.errors import Mistyped, NotFound, Refused
from agent.paper_bundle import seal_bundle
from agent.policy import RootFacts
from agent.schema import EntryState
from agent.signing import new_key
from agent.statements import Release, from_json
from agent.supervisor import Supervisor
from agent.telling import Judge
from agent.volume_facts import Mount, VolumeFacts
from agent.volumes import WatchedRoot
from config.settings import Handling, Mode, Zone

DAY = 86400
ROOT = Mount(1, "0:5", "/", "/", (), "ext4", "/dev/sda1")


def root(root_id: str, path: str, handling: Handling) -> Any:
    facts = RootFacts(Zone.SHARED, handling, Mode.ENFORCE)
    volume = VolumeFacts(fstype="ext4", device="8:1")
    return SimpleNamespace(root=WatchedRoot(root_id, path, facts, volume, "configured"))


class Place:
    def __init__(self, custody: Any) -> None:
        from agent.telling import Host, Teller

        self.custody = custody
        self.swept: list[str] = []
        host = Host("host-1", "desk")
        self.posts = {
            "r1": root("r1", "/srv/r1", Handling.UNRESTRICTED),
            "r2": root("r2", "/srv/r2", Handling.RESTRICTED),
        }
        supervisor = SimpleNamespace(
            settings=custody.settings,
            parts=SimpleNamespace(
                ledger=custody.ledger, host=host, mounts=SimpleNamespace(read=lambda: [ROOT])
            ),
            desk=SimpleNamespace(authority=custody.authority),
            teller=Teller(custody.ledger, custody.settings, Judge(frozenset(), "d" * 64), host),
            dispatch=SimpleNamespace(outbox=SimpleNamespace(sinks=("file",))),
            carried=Carried(
                custody.ledger, custody.authority.agreements, host.host_id, lambda: custody.settings
            ),
            posts=self.posts,
            sweep=self.swept.append,
        )
        self.custodian = Custodian(cast(Supervisor, supervisor))
        self.commands = self.custodian.commands()

    def ask(self, command: str, **request: Any) -> Any:
        return json.loads(json.dumps(self.commands[command](request, "uid:0")))

    def requested(self, **other: Any) -> Any:
        plain = {"entry": "1111", "to": "/srv/r2/x", "holder": "D", "purpose": "x"}
        return self.ask("release_request", **(plain | other))

    def signed(self, envelope: Any) -> Any:
        return self.custody.agreed.both(from_json(envelope)).to_json()


@pytest.fixture
def place(custody: Any) -> Place:
    return Place(custody)


def test_a_release_from_request_to_placed(place: Place) -> None:
    envelope = place.signed(place.requested())
    order = place.ask("release_begin", envelope=envelope)
    assert (order["state"], order["device"], order["in_place"]) == ("placing", "8:1", False)
    assert order["detail"]["beside"] == f"/srv/r2/.recordwarden-release-{order['request_id']}"
    assert order["key_file"].endswith(f"/releases/{order['request_id']}.key") and "payload" not in order
    place.ask("release_written", request=order["request_id"], lost=["owner"])
    place.ask("release_unwritten", request=order["request_id"])
    place.ask("release_written", request=order["request_id"], lost=[])
    assert [r["state"] for r in place.ask("requests")] == ["written"]
    done = place.ask("release_placed", request=order["request_id"])
    assert done["approved_by"] == ["A. Owner", "B. Officer"]
    assert place.custody.state() is EntryState.RESTORED
    assert place.ask("requests") == [] and len(place.ask("requests", all=True)) == 1


def test_home_is_below_the_root_wherever_that_is_mounted_now(place: Place) -> None:
    place.posts["r1"] = root("r1", "/media/again", Handling.RESTRICTED)
    release = from_json(place.requested(to=None)).as_kind(Release)
    assert (release.destination, release.root_id) == ("/media/again/x", "r1")
    order = place.ask("release_begin", envelope=place.signed(place.requested(to=None)))
    assert order["in_place"] is True


@pytest.mark.parametrize("to", ["relative", "/srv/r2/../r1/x", ""])
def test_a_place_is_an_absolute_path_without_steps_back(place: Place, to: str) -> None:
    with pytest.raises(Mistyped):
        place.requested(to=to)


def test_what_is_no_envelope_is_refused(place: Place) -> None:
    for command in ("release_begin", "dispose", "agreement_add"):
        for envelope in (None, {}, [], {"payload": "x"}, "x"):
            with pytest.raises(Refused):
                place.ask(command, envelope=envelope)
    disposal = place.signed(place.ask("disposal_request", entry="1111", reason="x"))
    release = place.signed(place.requested())
    for command, wrong in (("dispose", release), ("release_begin", disposal), ("agreement_add", release)):
        with pytest.raises(Refused):
            place.ask(command, envelope=wrong)


def test_a_bundle_that_is_refused_says_why_and_a_paper_that_never_came_is_not_found(place: Place) -> None:
    with pytest.raises(Refused, match="no_key"):
        place.ask("papers_import", bundle="{}")
    with pytest.raises(NotFound, match="no signed paper"):
        place.ask("paper", request="11111111")


def test_a_request_that_came_in_a_bundle_is_completed_by_its_id(place: Place) -> None:
    pem, key = new_key()
    pin(place.custody.base, key)
    envelope = place.signed(place.ask("disposal_request", entry="1111", reason="x"))
    found = place.ask("papers_import", bundle=seal_bundle(7, int(time.time()), [envelope], pem))
    assert (found["serial"], found["refused"]) == (7, {})
    assert place.custody.state() is EntryState.QUARANTINED
    request_id = json.loads(from_json(envelope).payload)["request_id"]
    assert place.ask("paper", request=request_id) == envelope
    assert [row["ready"] for row in place.ask("requests")] == [True]
    place.ask("dispose", envelope=envelope)
    assert place.custody.state() is EntryState.DISPOSED


def test_an_unknown_entry_is_not_found(place: Place) -> None:
    with pytest.raises(NotFound):
        place.requested(entry="9999")


def test_permission_says_by_what_and_where(place: Place) -> None:
    assert place.ask("permission", entry="1111", path="/srv/r2/x") == {
        "allowed": True, "basis": "restricted_root", "proof": "", "root": "/srv/r2",
    }  # fmt: skip
    assert place.ask("permission", entry="1111", path="/srv/r1/x")["allowed"] is False
    assert place.ask("permission", entry="1111", path="/home/x") == {
        "allowed": False, "basis": "", "proof": "", "root": "",
    }  # fmt: skip


def test_what_rested_on_a_revoked_agreement_is_swept_at_once(place: Place) -> None:
    from agent.statements import Revocation, seal

    agreed, custody = place.custody.agreed, place.custody
    envelope = agreed(time.time(), roots=("/srv/r1",))
    place.ask("agreement_add", envelope=envelope.to_json())
    custody.authority.remember(custody.place(root_id="r1"), "x", "", "agreement", agreed.agreement_id)
    said = seal(Revocation(agreed.agreement_id, envelope.digest, "breach", int(time.time())))
    assert place.ask("agreement_add", envelope=agreed.owner.sign(said).to_json()) is None
    assert place.swept == ["r1"]
    assert [a["standing"] for a in place.ask("agreements")] == ["revoked"]


def test_a_check_says_why_an_agreement_does_not_hold(place: Place) -> None:
    place.ask("agreement_add", envelope=place.custody.agreed(time.time(), roots=("/srv/r1",)).to_json())
    [inside] = place.ask("agreement_check", path="/srv/r1/x", sha256="ab" * 32)
    [outside] = place.ask("agreement_check", path="/srv/r2/x", sha256="ab" * 32)
    assert (inside["holds"], outside["holds"], outside["why_not"]) == (
        True,
        False,
        "it lies in another place",
    )


def test_a_review_and_a_hand_over_are_written_down(place: Place) -> None:
    until = time.time() + 30 * DAY
    assert place.ask("review", entry="1111", until=until, note="kept")["review_at"] == until
    for wrong in (time.time() - 1, time.time() + 6 * 366 * DAY):
        with pytest.raises(Mistyped):
            place.ask("review", entry="1111", until=wrong, note="kept")
    told = place.custody.ledger.alert("alert-11111111-aaaa")
    assert told.revision == 2 and told.record["unmapped"]["review_at"] == round(until * 1000)
    assert place.ask("exported", entries=["1111"]) == {"count": 1}
    assert place.custody.events()[-2:] == ["reviewed", "exported"]


def test_expired_requests_end_by_themselves(place: Place) -> None:
    place.requested(hours=1 / 3600)
    time.sleep(1.1)
    place.custodian.tend()
    assert place.ask("requests") == []
    assert list(place.custodian.releases.folder.iterdir()) == []


def test_where_device_numbers_say_nothing_none_is_asked_for(place: Place) -> None:
    post = root("r2", "/srv/r2", Handling.RESTRICTED)
    post.root = replace(post.root, volume=VolumeFacts(fstype="btrfs", device="0:40"))
    place.posts["r2"] = post
    assert place.ask("release_begin", envelope=place.signed(place.requested()))["device"] == ""
