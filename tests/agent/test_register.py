"""What people signed is kept: each step once, nothing half, all of it after a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.database import WrongState
from agent.ledger import Ledger
from agent.protocol import Identity
from agent.schema import AgreementRow, EntryState, ExemptionRow, RequestRow, RequestState

DAY = 86400.0


def row(custody: Any, request_id: str = "q1") -> RequestRow:
    return RequestRow(
        request_id, "release", custody.entry.entry_id, "ab" * 32, b"\xffpayload", RequestState.REQUESTED, 1.0,
        2.0, 1.0, detail={"destination": "/x\udcff"},
    )  # fmt: skip


def test_a_request_survives_a_restart_to_the_byte(custody: Any) -> None:
    custody.ledger.put_request(row(custody))
    again = Ledger.read_only(custody.base / "ledger.db")
    assert again.request("q1") == row(custody) and again.request("q2") is None


def test_an_id_is_used_once(custody: Any) -> None:
    from agent.database import LedgerError

    custody.ledger.put_request(row(custody))
    with pytest.raises(LedgerError):
        custody.ledger.put_request(row(custody))


def test_a_step_is_taken_from_where_it_may_be_taken_only(custody: Any) -> None:
    custody.ledger.put_request(row(custody))
    step = (("q1", (RequestState.REQUESTED,), RequestState.PLACING), {"approved_by": ["A", "B"]})
    custody.ledger.advance(*step[0], **step[1])
    with pytest.raises(WrongState):
        custody.ledger.advance(*step[0], **step[1])
    found = custody.ledger.request("q1")
    assert (found.state, found.approved_by, found.detail) == (
        RequestState.PLACING,
        ("A", "B"),
        row(custody).detail,
    )


def test_a_disposal_without_its_request_is_none(custody: Any) -> None:
    """Entry and request change together or not at all."""
    with pytest.raises(WrongState):
        custody.ledger.disposed(custody.entry.entry_id, "q1", ["A", "B"], [])
    assert custody.state() is EntryState.QUARANTINED
    custody.ledger.put_request(row(custody))
    with pytest.raises(WrongState):
        custody.ledger.restored(custody.entry.entry_id, None, [], request_id="q1")  # not written yet
    assert custody.state() is EntryState.QUARANTINED


def test_requests_are_found_by_state_act_and_content(custody: Any) -> None:
    custody.ledger.put_request(row(custody))
    custody.ledger.put_request(replace(row(custody, "q2"), act="disposal", state=RequestState.DONE))
    find = custody.ledger.requests
    assert {r.request_id for r in find()} == {"q1", "q2"}
    assert [r.request_id for r in find(states=(RequestState.DONE,))] == ["q2"]
    assert [r.request_id for r in find(act="release", sha256="ab" * 32)] == ["q1"]
    assert find(sha256="00") == []


def test_an_agreement_is_kept_with_what_comes_to_it(custody: Any) -> None:
    first = AgreementRow("DAA-1", {"payload": "x"}, "uid:0", 1.0)
    custody.ledger.put_agreement(first)
    custody.ledger.put_agreement(replace(first, revocation={"payload": "y"}, revoked_at=2.0))
    [found] = custody.ledger.agreements()
    assert found == replace(first, revocation={"payload": "y"}, revoked_at=2.0)


def test_lifting_has_exactly_those_files_judged_again(custody: Any) -> None:
    files = {name: Identity(name, 1, number, 3, 4, 5) for number, name in enumerate(("a", "b", "c"))}
    for name, file in files.items():
        custody.ledger.saw("r1", file, "digest", "microdata", "", "exempted")
        proof = "DAA-2" if name == "c" else "DAA-1"
        custody.ledger.exempt(ExemptionRow("r1", name, "", "agreement", proof, 1.0))
    assert custody.ledger.lift("agreement", "DAA-1") == {"r1"}
    assert custody.ledger.unseen("r1", list(files.values()), "digest") == [0, 1]
    assert custody.ledger.proofs() == [("agreement", "DAA-2")]
    assert custody.ledger.lift("agreement", "DAA-1") == set()


def test_an_entry_is_due_for_review_by_its_age_or_the_date_that_somebody_set(custody: Any) -> None:
    due = custody.ledger.due_for_review
    assert due(custody.now + 364 * DAY, 365 * DAY) == 0
    assert due(custody.now + 366 * DAY, 365 * DAY) == 1
    custody.ledger.review(custody.entry.entry_id, custody.now + 700 * DAY, "still needed", "uid:0", [])
    assert due(custody.now + 366 * DAY, 365 * DAY) == 0
    assert due(custody.now + 701 * DAY, 365 * DAY) == 1
    assert custody.ledger.review_dates() == {custody.entry.entry_id: custody.now + 700 * DAY}
    custody.ledger.put_request(replace(row(custody), act="disposal"))
    custody.ledger.disposed(custody.entry.entry_id, "q1", ["A", "B"], [])
    assert due(custody.now + 701 * DAY, 365 * DAY) == 0
