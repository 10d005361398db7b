"""Disposals: for good, by two people's word, of the very entry that they saw, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.disposals import Disposals
from agent.errors import Refused
from agent.recovery import recover
from agent.releases import Releases, Wish
from agent.schema import EntryState, RequestState
from agent.statements import Disposal, seal
from detectors.engine.verdict import verdict_from_trusted


@pytest.fixture
def disposals(custody: Any) -> Disposals:
    return Disposals(custody.ledger, lambda: custody.settings, "host-1", lambda: custody.now)


def files(custody: Any) -> list[str]:
    return sorted(p.name for p in (custody.base / "vault" / "entries").iterdir())


def request(disposals: Disposals, custody: Any) -> Any:
    return disposals.request(custody.current(), "kept too long", "uid:0", 3600)


def test_two_people_have_an_entry_deleted_once(custody: Any, disposals: Disposals) -> None:
    envelope = custody.agreed.both(request(disposals, custody))
    disposals.dispose(envelope, custody.current(), "uid:0")
    assert custody.state() is EntryState.DISPOSED and files(custody) == []
    with pytest.raises(Refused, match="cannot be used"):
        disposals.dispose(envelope, custody.current(), "uid:0")
    assert custody.events() == ["disposal_requested", "disposed"]
    *_, (_, last) = custody.ledger.audit_waiting()
    assert last["approved_by"] == ["A. Owner", "B. Officer"]
    recover(custody.ledger, custody.base / "vault")
    assert custody.state() is EntryState.DISPOSED


def test_a_crash_between_the_word_and_the_deed_is_finished(
    custody: Any, disposals: Disposals, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope = custody.agreed.both(request(disposals, custody))

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agent.disposals.discard", crash)
    with pytest.raises(KeyboardInterrupt):
        disposals.dispose(envelope, custody.current(), "uid:0")
    assert custody.state() is EntryState.DISPOSED and len(files(custody)) == 2
    assert recover(custody.ledger, custody.base / "vault").lost == []
    assert files(custody) == []


def test_fewer_than_two_people_delete_nothing(custody: Any, disposals: Disposals, signatory: Any) -> None:
    agreed, bare = custody.agreed, request(disposals, custody)
    both = signatory("a. owner", "information_asset_owner", "data_protection_officer")
    approvers = (*agreed.approvers, both.approver)
    custody.settings = custody.settings.model_copy(update={"approvers": approvers})
    forger = signatory("B. Officer", "data_protection_officer")
    for envelope in (
        bare, agreed.owner.sign(bare), agreed.officer.sign(bare), both.sign(bare),
        both.sign(agreed.owner.sign(bare)), forger.sign(agreed.owner.sign(bare)),
    ):  # fmt: skip
        with pytest.raises(Refused, match="not approved"):
            disposals.dispose(envelope, custody.current(), "uid:0")
    assert custody.state() is EntryState.QUARANTINED and len(files(custody)) == 2


@pytest.mark.parametrize(
    "edit", [{"entry_id": "other"}, {"host_id": "h2"}, {"expires_at": 2**40}, {"reason": "x"}]
)
def test_an_edited_request_deletes_nothing(custody: Any, disposals: Disposals, edit: dict[str, Any]) -> None:
    edited = seal(replace(request(disposals, custody).as_kind(Disposal), **edit))
    with pytest.raises(Refused):
        disposals.dispose(custody.agreed.both(edited), custody.current(), "uid:0")
    assert len(files(custody)) == 2


def test_an_expired_request_deletes_nothing(custody: Any, disposals: Disposals) -> None:
    envelope = custody.agreed.both(request(disposals, custody))
    custody.now += 3601
    with pytest.raises(Refused, match="expired"):
        disposals.dispose(envelope, custody.current(), "uid:0")
    disposals.tend()
    assert custody.ledger.requests()[0].state is RequestState.EXPIRED
    assert len(files(custody)) == 2


def test_another_content_than_they_saw_is_not_deleted(custody: Any, disposals: Disposals) -> None:
    envelope = custody.agreed.both(request(disposals, custody))
    other = replace(custody.current(), ciphertext_sha256="ee" * 32)
    with pytest.raises(Refused, match="not what it was"):
        disposals.dispose(envelope, other, "uid:0")


@pytest.mark.parametrize(
    "state", [EntryState.VAULTED, EntryState.PUT_BACK, EntryState.REVOKED, EntryState.DISPOSED]
)
def test_what_is_under_way_or_gone_is_not_disposed_of(
    custody: Any, disposals: Disposals, state: EntryState
) -> None:
    with pytest.raises(Refused):
        disposals.request(replace(custody.current(), state=state), "x", "uid:0", 1)


def test_a_release_under_way_comes_first(custody: Any, disposals: Disposals) -> None:
    verdict = verdict_from_trusted(custody.entry.verdict, frozenset())
    releases = Releases(custody.ledger, custody.authority, lambda: custody.settings, "host-1")
    wish = Wish(custody.current(), verdict, custody.place(), "D", "x", "uid:0", 3600, 3600)
    envelope = custody.agreed.both(request(disposals, custody))
    asked = releases.request(wish).statement()
    with pytest.raises(Refused, match="about to be released"):
        disposals.dispose(envelope, custody.current(), "uid:0")
    releases.cancel(asked.request_id, "uid:0")
    disposals.dispose(envelope, custody.current(), "uid:0")
