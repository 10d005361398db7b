"""Agreements: in force only by two people's signatures, within their days, for what they name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.agreements import Agreements, Sighting, Standing, covers
from agent.errors import NotFound, Refused
from agent.ledger import Ledger
from agent.statements import Revocation, Signature, seal
from detectors.engine.verdict import Tier

DAY = 86400
CONTENT = "ab" * 32
LAYOUT = "nndtbnnn"
SEEN = Sighting("/srv/returns/a/x.csv", True, "", CONTENT, LAYOUT)


class Register:
    def __init__(self, tmp_path: Path, agreed: Any) -> None:
        self.ledger = Ledger.open(tmp_path / "ledger.db")
        self.agreed = agreed
        self.approvers = agreed.approvers
        self.now = time.time()
        self.agreements = Agreements(self.ledger, lambda: self.approvers, lambda: self.now)

    def hand_in(self, envelope: Any) -> Any:
        return self.agreements.hand_in(envelope, "uid:0")

    def stands(self) -> Standing:
        (found,) = self.agreements.all()
        assert (found.standing is Standing.IN_FORCE) == bool(self.agreements.in_force())
        return found.standing

    def events(self) -> list[str]:
        return [e["event"] for _, e in self.ledger.audit_waiting()]


@pytest.fixture
def register(tmp_path: Path, agreed: Any) -> Iterator[Register]:
    register = Register(tmp_path, agreed)
    yield register
    register.ledger.close()


def test_it_is_in_force_when_both_have_signed_and_not_before(register: Register) -> None:
    agreed = register.agreed
    bare = seal(agreed.terms(register.now, content=(CONTENT,)))
    for envelope in (bare, agreed.owner.sign(bare)):
        assert register.hand_in(envelope).standing is Standing.PENDING
        assert register.agreements.covering(SEEN) is None
    assert register.hand_in(agreed.officer.sign(bare)).standing is Standing.IN_FORCE
    assert register.agreements.covering(SEEN) == agreed.agreement_id
    assert register.events() == ["agreement_added", "agreement_added", "agreement_accepted"]


def test_one_person_in_both_roles_brings_nothing_into_force(register: Register, signatory: Any) -> None:
    both = signatory("C. Both", "information_asset_owner", "data_protection_officer")
    again = signatory("c. both", "information_asset_owner", "data_protection_officer")
    register.approvers = (both.approver, again.approver)
    envelope = again.sign(both.sign(seal(register.agreed.terms(register.now, content=(CONTENT,)))))
    found = register.hand_in(envelope)
    assert (found.standing, found.why) == (
        Standing.PENDING,
        "one person alone cannot approve it in both roles: it takes two people",
    )


def test_a_forged_approval_is_not_taken_up(register: Register, signatory: Any) -> None:
    agreed = register.agreed
    bare = seal(agreed.terms(register.now, content=(CONTENT,)))
    forger = signatory("B. Officer", "data_protection_officer")
    with pytest.raises(Refused, match="no approver has"):
        register.hand_in(forger.sign(agreed.owner.sign(bare)))
    keyid = agreed.officer.sign(bare).signatures[0].keyid
    forged = agreed.owner.sign(bare).with_signatures([Signature(keyid, forger.sign(bare).signatures[0].sig)])
    with pytest.raises(Refused, match="edited or forged"):
        register.hand_in(forged)
    assert register.agreements.all() == []


def test_signatures_of_other_terms_do_not_count(register: Register) -> None:
    agreed = register.agreed
    narrow = agreed(register.now, content=(CONTENT,))
    wide = replace(seal(agreed.terms(register.now, roots=("/",))), signatures=narrow.signatures)
    with pytest.raises(Refused, match="edited or forged"):
        register.hand_in(wide)


def test_an_edit_of_the_ledger_puts_nothing_into_force(register: Register) -> None:
    agreed = register.agreed
    register.hand_in(agreed(register.now, content=(CONTENT,)))
    wide = seal(agreed.terms(register.now, roots=("/",)))
    row = register.ledger.agreements()[0]
    register.ledger.put_agreement(
        replace(row, envelope={**row.envelope, "payload": wide.to_json()["payload"]})
    )
    register.agreements.refresh()
    assert register.stands() is Standing.LAPSED
    assert register.agreements.covering(replace(SEEN, sha256="")) is None


def test_it_begins_and_ends_with_its_days(register: Register) -> None:
    agreed = register.agreed
    terms = agreed.terms(register.now + 2 * DAY, content=(CONTENT,), made_at=int(register.now))
    register.hand_in(agreed.both(seal(terms)))
    assert register.stands() is Standing.NOT_YET
    register.now += 3 * DAY
    assert register.stands() is Standing.IN_FORCE
    register.now += 363 * DAY
    assert register.stands() is Standing.IN_FORCE
    register.now += 2 * DAY
    assert register.stands() is Standing.EXPIRED
    with pytest.raises(Refused, match="last day is over"):
        register.hand_in(agreed.both(seal(replace(terms, agreement_id="DAA-other"))))


def test_one_approver_ends_it_and_nobody_brings_it_back(register: Register, signatory: Any) -> None:
    agreed = register.agreed
    envelope = agreed(register.now, content=(CONTENT,))
    register.hand_in(envelope)
    revocation = seal(Revocation(agreed.agreement_id, envelope.digest, "breach", int(register.now)))
    for refused in (revocation, signatory("X", "information_asset_owner").sign(revocation)):
        with pytest.raises(Refused):
            register.hand_in(refused)
    assert register.stands() is Standing.IN_FORCE
    assert register.hand_in(agreed.officer.sign(revocation)) is None
    assert register.stands() is Standing.REVOKED
    assert register.agreements.covering(SEEN) is None
    with pytest.raises(Refused, match="revoked"):
        register.hand_in(envelope)
    register.hand_in(agreed.owner.sign(revocation))  # again changes nothing
    assert register.events() == ["agreement_accepted", "agreement_revoked"]


def test_a_revocation_names_the_very_terms(register: Register) -> None:
    agreed = register.agreed
    register.hand_in(agreed(register.now, content=(CONTENT,)))
    other = seal(Revocation(agreed.agreement_id, "00" * 32, "breach", int(register.now)))
    with pytest.raises(Refused, match="other terms"):
        register.hand_in(agreed.owner.sign(other))
    unknown = seal(Revocation("DAA-unknown", "00" * 32, "breach", int(register.now)))
    with pytest.raises(NotFound):
        register.hand_in(agreed.owner.sign(unknown))


def test_an_id_has_one_meaning(register: Register) -> None:
    agreed = register.agreed
    register.hand_in(agreed(register.now, content=(CONTENT,)))
    with pytest.raises(Refused, match="another one has this id"):
        register.hand_in(agreed(register.now, roots=("/srv",)))


def test_a_review_is_at_most_five_years_ahead_of_the_day_it_comes_in(register: Register) -> None:
    agreed = register.agreed
    ahead = agreed.terms(register.now + 3000 * DAY, content=(CONTENT,))
    with pytest.raises(Refused, match="5 years ahead"):
        register.hand_in(agreed.both(seal(ahead)))


def test_an_officer_who_left_leaves_agreements_in_force_and_signs_no_more(register: Register) -> None:
    agreed = register.agreed
    register.hand_in(agreed(register.now, content=(CONTENT,)))
    left = agreed.officer.approver.model_copy(update={"retired": True})
    register.approvers = (agreed.owner.approver, left)
    assert register.stands() is Standing.IN_FORCE
    with pytest.raises(Refused):
        register.hand_in(agreed(register.now, content=(CONTENT,), agreement_id="DAA-other"))
    register.approvers = (agreed.owner.approver,)  # a key that was lost to somebody
    assert register.stands() is Standing.LAPSED


def test_a_review_that_is_overdue_is_known_and_ends_nothing(register: Register) -> None:
    register.hand_in(register.agreed(register.now, content=(CONTENT,)))
    for days, overdue in ((0, False), (199, False), (202, True)):
        [found] = register.agreements.in_force()
        assert found.is_overdue(register.now + days * DAY) is overdue


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({"content": (CONTENT,)}, True),
        ({"content": ("00" * 32,)}, False),
        ({"roots": ("/srv/returns",)}, True),
        ({"roots": ("/srv/returns/a/x.csv",)}, True),
        ({"roots": ("/srv/return",)}, False),
        ({"roots": ("/",)}, True),
        ({"devices": ("1234-ABCD",)}, False),
        ({"roots": ("/srv",), "layouts": (LAYOUT,)}, True),
        ({"roots": ("/srv",), "layouts": ("n" * 8,)}, False),
        ({"roots": ("/srv",), "content": ("00" * 32,)}, False),
        ({"roots": ("/elsewhere",), "content": (CONTENT,)}, False),
    ],
)
def test_a_scope_covers_what_it_names_in_all_ways_that_it_names(
    agreed: Any, scope: dict[str, Any], covered: bool
) -> None:
    assert (covers(agreed.terms(time.time(), **scope), SEEN) == "") is covered


def test_a_folder_is_no_proof_for_what_is_mounted_there(agreed: Any) -> None:
    """Anybody who can plug in a stick chooses what lies at its mount point."""
    by_path = agreed.terms(time.time(), roots=("/media/stick",))
    by_device = agreed.terms(time.time(), devices=("1234-ABCD",))
    seen = Sighting("/media/stick/x.csv", False, "1234-ABCD", CONTENT)
    assert covers(by_path, seen) and not covers(by_device, seen)
    assert covers(by_device, replace(seen, device=""))


@pytest.mark.parametrize("unknown", [{"sha256": ""}, {"layout": ""}])
def test_what_is_not_known_is_not_covered(agreed: Any, unknown: dict[str, str]) -> None:
    terms = agreed.terms(time.time(), content=(CONTENT,), layouts=(LAYOUT,))
    assert covers(terms, SEEN) == "" and covers(terms, replace(SEEN, **unknown))


def test_the_register_survives_a_restart(register: Register, tmp_path: Path) -> None:
    register.hand_in(register.agreed(register.now, content=(CONTENT,)))
    again = Agreements(Ledger.read_only(tmp_path / "ledger.db"), lambda: register.approvers)
    assert json.dumps([a.terms.agreement_id for a in again.in_force()]) == json.dumps(["DAA-made-up-1"])


HERE = replace(SEEN, host_id="h", tier=Tier.LIKELY)


def test_an_exception_counts_by_two_people_for_its_scope_alone(register: Register) -> None:
    agreed = register.agreed
    bare = agreed.exception(register.now, layouts=(LAYOUT,), agents=("h",), roots=("/srv/returns",))
    register.hand_in(agreed.owner.sign(bare))
    assert register.agreements.excepting(HERE) is None
    register.hand_in(agreed.officer.sign(bare))
    assert register.agreements.excepting(HERE) == "EXC-made-up-1"
    for other in (
        replace(HERE, layout="nndtbnnt"), replace(HERE, layout=""), replace(HERE, host_id="g"),
        replace(HERE, host_id=""), replace(HERE, path="/srv/elsewhere/x.csv"),
        replace(HERE, configured=False), replace(HERE, tier=Tier.CONFIRMED),
    ):  # fmt: skip
        assert register.agreements.excepting(other) is None
    assert register.agreements.covering(HERE) is None and register.agreements.all() == []
    assert register.events() == ["exception_added", "exception_accepted"]
    register.now += 91 * DAY
    assert register.agreements.excepting(HERE) is None


def test_the_very_content_may_be_excepted_though_it_is_confirmed(register: Register) -> None:
    agreed = register.agreed
    register.hand_in(agreed.both(agreed.exception(register.now, content=(CONTENT,))))
    assert register.agreements.excepting(SEEN) == "EXC-made-up-1"
    assert register.agreements.excepting(replace(SEEN, sha256="cd" * 32)) is None
    assert register.agreements.excepting(replace(SEEN, sha256="")) is None


def test_one_person_in_both_roles_and_a_forger_except_nothing(register: Register, signatory: Any) -> None:
    agreed = register.agreed
    bare = agreed.exception(register.now, content=(CONTENT,))
    forger = signatory("B. Officer", "data_protection_officer")
    with pytest.raises(Refused, match=r"the exception is refused: .*no approver has"):
        register.hand_in(forger.sign(agreed.owner.sign(bare)))
    terms = agreed(register.now, content=(CONTENT,))
    with pytest.raises(Refused, match="edited or forged"):  # what was signed for an agreement
        register.hand_in(replace(bare, signatures=terms.signatures))
    both = signatory("C. Both", "information_asset_owner", "data_protection_officer")
    again = signatory("c. both", "data_protection_officer")
    register.approvers = (both.approver, again.approver)
    assert register.hand_in(again.sign(both.sign(bare))).standing is Standing.PENDING
    assert register.agreements.excepting(SEEN) is None


def test_an_exception_is_revoked_like_an_agreement_and_comes_back_never(register: Register) -> None:
    agreed = register.agreed
    signed = agreed.both(agreed.exception(register.now, content=(CONTENT,)))
    register.hand_in(signed)
    said = seal(Revocation("EXC-made-up-1", signed.digest, "they are people", int(register.now)))
    with pytest.raises(Refused, match="not signed"):
        register.hand_in(said)
    register.hand_in(agreed.owner.sign(said))
    assert register.agreements.excepting(SEEN) is None
    with pytest.raises(Refused, match="revoked"):
        register.hand_in(signed)
    assert register.events()[-1] == "exception_revoked"
    with pytest.raises(Refused, match="over"):
        old = agreed.exception(register.now - 200 * DAY, content=(CONTENT,))
        register.hand_in(agreed.both(old))
