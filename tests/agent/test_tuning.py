"""The fleet's tuning: the newest that two people signed and the detectors take, below what is set here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.agreements import Agreements
from agent.errors import Misconfigured, Refused, WorkerUnavailable
from agent.ledger import Ledger
from agent.statements import Revocation, seal
from agent.tuning import RETRY_SECONDS, FleetTuning, plain_tuning, remembered
from config.settings import Settings

WORDS = '[detectors.row_subject]\nwords_person = ["disgybl"]'
LESS = "[detectors.row_subject]\nbonus = -1"
WRONG = "[detectors.row_subject]\nwrong = 1"
CRASH = "[detectors.row_subject]\ncrash = 1"


class Fleet:
    """A workstation and its register; its detectors take all but what is called wrong, or crash."""

    def __init__(self, tmp_path: Path, agreed: Any) -> None:
        self.agreed, self.now = agreed, time.time()
        self.ledger = Ledger.open(tmp_path / "ledger.db")
        self.local = Settings(approvers=agreed.approvers)
        self.register = Agreements(self.ledger, lambda: self.local.approvers, lambda: self.now)
        self.started: list[Settings] = []
        self.begin()

    def begin(self) -> None:
        """As at a start of the service."""
        self.tuning = FleetTuning(self.ledger, "host-1", self.local, lambda: self.now)

    def start(self, settings: Settings) -> None:
        keys = {key for stanza in settings.detectors.values() for key in stanza}
        if "wrong" in keys:
            raise Misconfigured("detectors.row_subject.wrong", "unknown key")
        if "crash" in keys:
            raise WorkerUnavailable("the template process does not start")
        self.started.append(settings)

    def sign(self, toml: str, number: str, *, later: int = 0, agents: Any = ()) -> Any:
        envelope = self.agreed.both(self.agreed.tuning(self.now + later, toml, number, agents))
        self.register.hand_in(envelope, "console")
        return envelope

    def revoke(self, envelope: Any) -> None:
        number = envelope.statement().tuning_id
        said = seal(Revocation(number, envelope.digest, "it finds too little", int(self.now)))
        self.register.hand_in(self.agreed.officer.sign(said), "console")

    def adopt(self) -> dict[str, Any]:
        """What counts after a look at what is news."""
        assert self.tuning.is_news(self.register.tunings_in_force())
        settings = self.tuning.adopt(self.local, self.start)
        assert settings == (self.started or [self.local])[-1]
        assert not self.tuning.is_news(self.register.tunings_in_force())
        return settings.detectors

    def events(self) -> list[dict[str, Any]]:
        return [e for _, e in self.ledger.audit_waiting() if e["event"].startswith("tuning_")]


@pytest.fixture
def fleet(tmp_path: Path, agreed: Any) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path, agreed)
    yield fleet
    fleet.ledger.close()


def test_what_one_person_signed_tunes_nothing(fleet: Fleet) -> None:
    half = fleet.agreed.owner.sign(fleet.agreed.tuning(fleet.now, WORDS))
    fleet.register.hand_in(half, "uid:0")
    assert not fleet.tuning.is_news(fleet.register.tunings_in_force())
    assert fleet.tuning.adopt(fleet.local, fleet.start) == fleet.local
    assert fleet.tuning.to_json()["id"] == ""


def test_the_newest_counts_whenever_it_came_and_an_older_one_cannot_come_back(fleet: Fleet) -> None:
    newer = fleet.sign(LESS, "TUN-2", later=60)
    assert fleet.adopt() == {"row_subject": {"bonus": -1}}
    fleet.sign(WORDS, "TUN-1")
    assert fleet.adopt() == {"row_subject": {"bonus": -1}}
    assert fleet.tuning.to_json()["may_find_less"] == ["row_subject.bonus"]
    fleet.revoke(newer)
    assert fleet.adopt() == {"row_subject": {"words_person": ["disgybl"]}}
    with pytest.raises(Refused, match="revoked"):
        fleet.register.hand_in(newer, "uid:0")


def test_the_last_one_revoked_leaves_the_machines_own_settings(fleet: Fleet) -> None:
    paper = fleet.sign(WORDS, "TUN-1")
    fleet.adopt()
    fleet.revoke(paper)
    assert fleet.adopt() == {}
    told = [(e["event"], e.get("tuning")) for e in fleet.events()]
    assert told == [
        ("tuning_accepted", "TUN-1"), ("tuning_adopted", "TUN-1"),
        ("tuning_revoked", "TUN-1"), ("tuning_adopted", ""),
    ]  # fmt: skip
    assert sorted(fleet.events()[1]["approved_by"]) == ["A. Owner", "B. Officer"]


@pytest.mark.parametrize(("toml", "code"), [(WRONG, "wrong_settings"), (CRASH, "not_loaded")])
def test_one_that_detectors_refuse_is_told_once_and_the_last_good_one_stays(
    fleet: Fleet, toml: str, code: str
) -> None:
    fleet.sign(WORDS, "TUN-1")
    fleet.adopt()
    fleet.sign(toml, "TUN-2", later=60)
    for _ in range(2):
        assert fleet.adopt() == {"row_subject": {"words_person": ["disgybl"]}}
        told = fleet.tuning.to_json()
        assert (told["id"], told["refused"]) == ("TUN-1", {"TUN-2": code})
        assert remembered(fleet.ledger)["id"] == "TUN-1"
        fleet.begin()
    (refusal,) = [e for e in fleet.events() if e["event"] == "tuning_refused"]
    assert (refusal["tuning"], refusal["code"]) == ("TUN-2", code)
    row, *_ = fleet.register.tunings()
    assert plain_tuning(row, "host-1", told)["refused"] == code


def test_one_that_did_not_load_is_tried_again_and_what_runs_is_left_alone(fleet: Fleet) -> None:
    fleet.sign(WORDS, "TUN-1")
    fleet.adopt()
    fleet.sign(CRASH, "TUN-2", later=60)
    fleet.adopt()
    assert len(fleet.started) == 1
    fleet.now += RETRY_SECONDS
    fleet.adopt()
    assert len(fleet.started) == 1
    fleet.now += RETRY_SECONDS
    fleet.start = fleet.started.append  # type: ignore[method-assign]
    assert fleet.adopt() == {"row_subject": {"crash": 1}}
    assert fleet.tuning.to_json()["id"] == "TUN-2"


def test_what_is_set_here_wins_and_is_shown(fleet: Fleet) -> None:
    fleet.local = fleet.local.model_copy(update={"detectors": {"row_subject": {"bonus": 2}}})
    fleet.sign(LESS + "\nweight = 0.5", "TUN-1")
    assert fleet.adopt() == {"row_subject": {"bonus": 2, "weight": 0.5}}
    assert fleet.tuning.to_json()["kept_here"] == ["row_subject.bonus"]


def test_a_wrong_configuration_of_this_machine_is_its_own_fault(fleet: Fleet) -> None:
    fleet.sign(WORDS, "TUN-1")
    fleet.adopt()
    before = fleet.tuning.to_json()
    wrong = fleet.local.model_copy(update={"detectors": {"row_subject": {"wrong": 2}}})
    with pytest.raises(Misconfigured):
        fleet.tuning.adopt(wrong, fleet.start)
    assert fleet.tuning.to_json() == before and fleet.tuning.local == fleet.local


def test_one_for_other_workstations_is_none_here(fleet: Fleet) -> None:
    fleet.sign(LESS, "TUN-2", later=60, agents=("host-2",))
    assert not fleet.tuning.is_news(fleet.register.tunings_in_force())
    fleet.sign(WORDS, "TUN-1", agents=("host-2", "host-1"))
    assert fleet.adopt() == {"row_subject": {"words_person": ["disgybl"]}}
    assert [plain_tuning(t, "host-1", fleet.tuning.to_json())["here"] for t in fleet.register.tunings()] == [
        False,
        True,
    ]


def test_an_approver_who_is_none_any_more_approves_no_tuning(fleet: Fleet) -> None:
    fleet.sign(WORDS, "TUN-1")
    fleet.adopt()
    fleet.local = fleet.local.model_copy(update={"approvers": fleet.agreed.approvers[:1]})
    assert fleet.adopt() == {}


def test_ids_are_shared_with_agreements_and_review_is_told(fleet: Fleet) -> None:
    fleet.sign(WORDS, "TUN-1")
    fleet.adopt()
    clash = fleet.agreed.terms(fleet.now, agreement_id="TUN-1", roots=("/srv",))
    with pytest.raises(Refused, match="another one has this id"):
        fleet.register.hand_in(fleet.agreed.both(seal(clash)), "uid:0")
    assert not fleet.tuning.to_json()["review_overdue"]
    fleet.now += 300 * 86400
    assert fleet.tuning.to_json()["review_overdue"]
