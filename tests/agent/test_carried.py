"""Papers in a bundle: each counts by its approvers' signatures alone, and no older bundle comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent import carried
from agent.agreements import Agreements, Standing
from agent.carried import Carried, pin, pinned
from agent.paper_bundle import BadBundle, seal_bundle
from agent.schema import RequestRow, RequestState
from agent.signing import new_key
from agent.statements import Disposal, Release, Revocation, seal
from config.settings import Settings

DAY = 86400
ENTRY = "11111111-aaaa"


class Machine:
    """A workstation that was enrolled at a console."""

    def __init__(self, custody: Any) -> None:
        self.agreed, self.ledger, self.now = custody.agreed, custody.ledger, custody.now
        self.pem, key = new_key()
        pin(custody.base, key)
        self.settings = SimpleNamespace(approvers=self.agreed.approvers, state_dir=custody.base)
        self.start()

    def start(self) -> None:
        self.agreements = Agreements(self.ledger, lambda: self.settings.approvers, lambda: self.now)
        settings = lambda: cast(Settings, self.settings)  # noqa: E731
        self.carried = Carried(self.ledger, self.agreements, "host-1", settings, lambda: self.now)
        self.carried.again()

    def bundle(self, serial: int, *envelopes: Any, pem: bytes = b"") -> str:
        papers = [e.to_json() if hasattr(e, "to_json") else e for e in envelopes]
        return seal_bundle(serial, int(self.now), papers, pem or self.pem)

    def take(self, document: str) -> dict[str, Any]:
        return self.carried.take(document, "console")

    def refuses(self, document: str) -> str:
        before = (self.carried.serial, self.stands())
        with pytest.raises(BadBundle) as error:
            self.take(document)
        assert (self.carried.serial, self.stands()) == before
        assert self.carried.fault == error.value.code
        return error.value.code

    def stands(self) -> dict[str, Standing]:
        return {a.terms.agreement_id: a.standing for a in self.agreements.all()}

    def events(self) -> list[dict[str, Any]]:
        return [e for _, e in self.ledger.audit_waiting() if not e["event"].startswith("root_")]

    def told(self) -> list[str]:
        return [event["event"] for event in self.events()]

    def asked_for(self, kind: str, host: str = "host-1", request_id: str = "req-0001") -> Any:
        """A request, as it was made here."""
        now = int(self.now)
        made = {
            "release": Release(
                request_id, host, ENTRY, "ab" * 32, 10, "age1made-up", "/srv/x.csv", "root", "agreement",
                "DAA-1", "somebody", "a study", "analyst", now, now + DAY, now + 9 * DAY,
            ),
            "disposal": Disposal(
                request_id, host, ENTRY, "ab" * 32, 10, "1" * 64, "/srv/x.csv", "over", "analyst", now,
                now + DAY,
            ),
        }[kind]  # fmt: skip
        envelope = seal(made)
        if host == "host-1":
            row = RequestRow(
                request_id, kind, ENTRY, "ab" * 32, envelope.payload, RequestState.REQUESTED, self.now,
                self.now + DAY, self.now,
            )  # fmt: skip
            self.ledger.put_request(row)
        return envelope


@pytest.fixture
def machine(custody: Any) -> Machine:
    return Machine(custody)


def test_an_agreement_comes_into_force_and_ends_by_what_the_console_carries(machine: Machine) -> None:
    agreement = machine.agreed(machine.now, roots=("/srv",))
    assert machine.take(machine.bundle(5, agreement))["serial"] == 5
    assert machine.stands() == {"DAA-made-up-1": Standing.IN_FORCE}
    said = Revocation("DAA-made-up-1", agreement.digest, "given up", int(machine.now))
    # the revocation stands before what it revokes: the order is not the console's to choose
    machine.take(machine.bundle(6, machine.agreed.owner.sign(seal(said)), agreement))
    assert machine.stands() == {"DAA-made-up-1": Standing.REVOKED}
    assert machine.told() == ["agreement_accepted", "papers_taken", "agreement_revoked", "papers_taken"]
    assert machine.events()[-1]["new"] == ["revocation:DAA-made-up-1"]


def test_a_machine_that_hears_of_both_at_once_never_lets_the_agreement_count(machine: Machine) -> None:
    agreement = machine.agreed(machine.now, roots=("/srv",))
    said = Revocation("DAA-made-up-1", agreement.digest, "given up", int(machine.now))
    machine.take(machine.bundle(6, machine.agreed.owner.sign(seal(said)), agreement))
    assert machine.stands() == {"DAA-made-up-1": Standing.REVOKED}


def test_the_console_alone_makes_up_for_no_signature(machine: Machine, signatory: Any) -> None:
    """Its own signature is as good as it can be: whoever broke into it has the key."""
    bare = seal(machine.agreed.terms(machine.now, roots=("/",)))
    stranger = signatory("B. Officer", "data_protection_officer")
    both = signatory("C. Both", "information_asset_owner", "data_protection_officer")
    wrong = {
        "two_people_needed": (bare, machine.agreed.owner.sign(bare)),
        "signature_refused": (
            stranger.sign(machine.agreed.owner.sign(bare)), both.sign(bare),
            machine.agreed.both(machine.agreed.both(bare)).__class__(
                "agreement", bare.payload, machine.agreed(machine.now, roots=("/srv/x",)).signatures
            ),
        ),
    }  # fmt: skip
    serial = 1
    for code, envelopes in wrong.items():
        for envelope in envelopes:
            serial += 1
            found = machine.take(machine.bundle(serial, envelope))
            assert found["refused"] == {"agreement:DAA-made-up-1": code}
            assert machine.stands() == {} and machine.agreements.in_force() == []
    assert "agreement_added" not in machine.told()


def test_an_approver_of_the_consoles_configuration_only_counts_for_nothing(machine: Machine) -> None:
    agreement = machine.agreed(machine.now, roots=("/srv",))
    machine.settings.approvers = machine.agreed.approvers[:1]
    assert machine.take(machine.bundle(5, agreement))["refused"] == {
        "agreement:DAA-made-up-1": "signature_refused"
    }
    machine.settings.approvers = machine.agreed.approvers
    machine.start()  # with the configuration mended the bundle that is kept will do: no console is needed
    assert machine.stands() == {"DAA-made-up-1": Standing.IN_FORCE}
    assert machine.carried.to_json()["refused"] == {}


def test_one_bad_paper_does_not_keep_the_others_out(machine: Machine) -> None:
    good = machine.agreed(machine.now, roots=("/srv",))
    newer = {**good.to_json(), "payloadType": "application/vnd.recordwarden.agreement.v9+json"}
    found = machine.take(machine.bundle(5, newer, "nonsense", None, good))
    assert machine.stands() == {"DAA-made-up-1": Standing.IN_FORCE}
    assert found["refused"] == {f"paper:{n}": "malformed" for n in range(3)}


def test_many_papers_leave_others_their_turn_and_a_newer_bundle_takes_over(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carried, "TURN_SECONDS", -1.0)
    turns: list[Any] = []
    machine.carried.later = turns.append
    papers = [
        machine.agreed.both(
            seal(replace(machine.agreed.terms(machine.now, roots=("/x",)), agreement_id=f"DAA-{n}"))
        )
        for n in (1000, 1001)
    ]
    assert machine.take(machine.bundle(5, *papers))["busy"] and machine.carried.serial == 0
    assert len(machine.stands()) == 1
    turns.clear()
    machine.start()  # as after a kill amid it: nothing is kept of it but what was handed in
    assert machine.carried.serial == 0 and len(machine.stands()) == 1
    machine.carried.later = turns.append
    machine.take(machine.bundle(5, *papers))
    machine.take(machine.bundle(6, *papers))
    while turns:
        turns.pop(0)()
    assert machine.carried.serial == 6 and not machine.carried.is_busy and len(machine.stands()) == 2
    assert machine.told().count("papers_taken") == 1


def test_papers_that_are_meant_to_break_something_are_only_refused(machine: Machine) -> None:
    nested: Any = []
    for _ in range(400):
        nested = [nested]
    surrogate = machine.agreed.owner.sign(seal(Revocation("\ud800", "0" * 64, "x", int(machine.now))))
    good = machine.agreed(machine.now, roots=("/srv",))
    plain = good.to_json()
    hostile = [
        {**plain, "payloadType": nested}, {**plain, "signatures": [{"keyid": nested, "sig": ""}]},
        {**plain, "payload": 5}, {**plain, "signatures": nested}, nested, {}, 1e308, surrogate,
    ]  # fmt: skip
    machine.take(machine.bundle(5, *hostile, good))
    assert machine.stands() == {"DAA-made-up-1": Standing.IN_FORCE}
    assert set(machine.carried.to_json()["refused"].values()) <= {"malformed", "signature_refused"}


def test_an_older_bundle_is_refused_whoever_replays_it(machine: Machine) -> None:
    agreement = machine.agreed(machine.now, roots=("/srv",))
    said = Revocation("DAA-made-up-1", agreement.digest, "given up", int(machine.now))
    old, new = machine.bundle(5, agreement), machine.bundle(6, machine.agreed.owner.sign(seal(said)))
    machine.take(old)
    machine.take(new)
    assert machine.refuses(old) == "older"
    machine.start()
    assert machine.refuses(old) == "older"
    assert machine.told().count("papers_refused") == 2


def test_a_tampered_foreign_or_broken_bundle_changes_nothing_and_is_told_of_once(machine: Machine) -> None:
    agreement = machine.agreed(machine.now, roots=("/srv",))
    machine.take(machine.bundle(5, agreement))
    foreign = machine.bundle(9, pem=new_key()[0])
    assert machine.refuses(foreign) == "bad_signature"
    assert machine.refuses(machine.bundle(9, agreement).replace("eyJtYWRl", "eyJtYWRm", 1)) == "bad_signature"
    assert machine.refuses("") == machine.refuses("") == "malformed"
    assert machine.stands() == {"DAA-made-up-1": Standing.IN_FORCE} and machine.carried.serial == 5
    refused = [e for e in machine.events() if e["event"] == "papers_refused"]
    assert [e["code"] for e in refused][-1] == "malformed" and len(refused) <= 3
    assert {e["kept"] for e in refused} == {5}
    machine.take(machine.bundle(5, agreement))
    assert machine.carried.fault == ""


def test_without_a_key_nothing_is_taken_and_another_key_begins_anew(machine: Machine, tmp_path: Path) -> None:
    machine.take(machine.bundle(5))
    (tmp_path / "console_key").unlink()
    assert machine.carried.serial == 0 and machine.refuses(machine.bundle(6)) == "no_key"
    pem, key = new_key()
    pin(tmp_path, key)
    assert pinned(tmp_path) == key
    assert machine.refuses(machine.bundle(6)) == "bad_signature"
    assert machine.take(machine.bundle(1, pem=pem))["serial"] == 1


def test_the_same_bundle_again_changes_and_tells_nothing(machine: Machine) -> None:
    document = machine.bundle(5, machine.agreed(machine.now, roots=("/srv",)))
    machine.take(document)
    told = machine.told()
    machine.take(document)
    machine.carried.unchanged()
    machine.start()
    assert machine.told() == told and machine.carried.serial == 5


@pytest.mark.parametrize("kind", ["release", "disposal"])
def test_a_request_of_this_machine_lies_ready_and_does_nothing_by_itself(machine: Machine, kind: str) -> None:
    envelope = machine.agreed.both(machine.asked_for(kind))
    elsewhere = machine.agreed.both(machine.asked_for(kind, "host-2", "req-0002"))
    found = machine.take(machine.bundle(5, envelope, elsewhere))
    assert found["refused"] == {} and machine.carried.request("req-0002") is None
    assert machine.carried.request("req-0001") == envelope
    row = machine.ledger.request("req-0001")
    assert row is not None and row.state is RequestState.REQUESTED
    machine.start()
    assert machine.carried.request("req-0001") == envelope


def test_a_request_that_one_signed_or_that_was_never_made_here_is_refused(machine: Machine) -> None:
    asked = machine.asked_for("disposal")
    found = machine.take(machine.bundle(5, machine.agreed.owner.sign(asked)))
    assert found["refused"] == {"disposal:req-0001": "two_people_needed"}
    plain = {**json.loads(asked.payload), "path": "/srv/other.csv"}
    edited = machine.agreed.both(seal(Disposal(**plain)))
    assert machine.take(machine.bundle(6, edited))["refused"] == {"disposal:req-0001": "unknown_request"}
    assert machine.carried.request("req-0001") is None


def test_an_exception_comes_by_two_signatures_and_an_older_bundle_does_not_bring_it_back(
    machine: Machine,
) -> None:
    agreed, standing = machine.agreed, lambda: [e.standing for e in machine.agreements.exceptions()]
    bare = agreed.exception(machine.now, content=("ab" * 32,), agents=("host-1",))
    found = machine.take(machine.bundle(5, agreed.owner.sign(bare)))
    assert found["refused"] == {"exception:EXC-made-up-1": "two_people_needed"} and standing() == []
    good = machine.bundle(6, agreed.both(bare))
    assert machine.take(good)["refused"] == {} and standing() == [Standing.IN_FORCE]
    said = Revocation("EXC-made-up-1", bare.digest, "they are people", int(machine.now))
    machine.take(machine.bundle(7, agreed.owner.sign(seal(said)), agreed.both(bare)))
    assert standing() == [Standing.REVOKED]
    assert machine.refuses(good) == "older"
    machine.take(machine.bundle(8, agreed.both(bare)))  # a console that leaves the revocation out
    assert standing() == [Standing.REVOKED]
