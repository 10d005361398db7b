"""What keepers are answered: nothing is permitted before it is durable, nothing is told twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from agent import contact
from agent.desk import Desk
from agent.herald import Herald
from agent.ledger import Ledger
from agent.policy import Disposition, RootFacts
from agent.protocol import (
    Done,
    Go,
    Hello,
    Identity,
    Judged,
    MayPlace,
    MayUnlink,
    NotVaulted,
    Orders,
    Outcome,
    Passed,
    Removal,
    Swept,
    Unseen,
    UnseenAnswer,
    Vaulted,
    decode,
)  # fmt: skip
from agent.schema import AlertState, EntryState, RootRow
from agent.standing import Standing
from agent.statements import Revocation, seal
from agent.telling import Host, Judge, Teller
from agent.volume_facts import VolumeFacts
from agent.volumes import WatchedRoot
from config.settings import Action, Breaker, Handling, Mode, Policy, Settings, Zone
from detectors.engine import verdict as wire
from detectors.engine.verdict import BadWire, Reason, Subject, Tier, Verdict

DIGEST = "ab" * 32
MICRODATA = Verdict(
    wire.Outcome.MICRODATA, flagged=True, confidence=0.9, tier=Tier.LIKELY, subject=Subject.PERSON,
    records_estimated=100, media_type="text/csv", config_digest=DIGEST,
)  # fmt: skip
TABLE = Verdict(wire.Outcome.AGGREGATE, media_type="text/csv", config_digest=DIGEST)
FILE = Identity("a/survey.csv", 7, 8, 1000, 5, 6)
ROOT = WatchedRoot(
    "r1",
    "/srv/returns",
    RootFacts(Zone.SHARED, Handling.UNRESTRICTED, Mode.ENFORCE),
    VolumeFacts(),
    "configured",
)


class House:
    def __init__(self, tmp_path: Path, policy: Policy | None = None) -> None:
        self.settings = Settings(state_dir=tmp_path, policy=policy or Policy(mode=Mode.ENFORCE))
        (tmp_path / "vault" / "entries").mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger.open(tmp_path / "ledger.db")
        self.said: list[str] = []
        self.now = time.time()
        clock = lambda: self.now  # noqa: E731
        judge = Judge(frozenset({"text/csv"}), DIGEST)
        self.teller = Teller(self.ledger, self.settings, judge, Host("h", "desk"), clock)
        self.desk = Desk(self.ledger, self.teller, lambda: ["file"], self.said.append, clock)
        for root_id in ("r1", "r2"):
            self.ledger.attach(RootRow(root_id, "/srv/returns", "shared", "unrestricted"))

    def judged(self, verdict: Verdict = MICRODATA, file: Identity = FILE, root: WatchedRoot = ROOT) -> Orders:
        answer = self.desk.answer(root, Judged(file, verdict.to_json(), "event", 1.0, 1000, 0o644))
        assert isinstance(answer, Orders)
        return answer

    def vaulted(self, entry_id: str, sha256: str = "cd", *, written: bool = True) -> Removal:
        if written:
            (self.settings.state_dir / "vault" / "entries" / f"{entry_id}.age").write_bytes(b"x" * 12)
        answer = self.desk.answer(ROOT, Vaulted(entry_id, sha256, 1000, "ef", 12))
        assert isinstance(answer, Removal)
        return answer

    def go(self, entry_id: str, root: WatchedRoot = ROOT) -> bool:
        answer = self.desk.answer(root, MayUnlink(entry_id))
        assert isinstance(answer, Go)
        return answer.go

    def may_place(self, entry_id: str, root: WatchedRoot = ROOT) -> bool:
        return self.desk.answer(root, MayPlace(entry_id)) == Go(True)

    def outcome(self, entry_id: str, result: Any = "quarantined", reason: str | None = None) -> None:
        assert self.desk.answer(ROOT, Outcome(entry_id, result, reason, True)) == Done()

    def unseen(self, *files: Identity) -> list[int]:
        answer = self.desk.answer(ROOT, Unseen(list(files or [FILE])))
        assert isinstance(answer, UnseenAnswer)
        return answer.indexes

    def alerts_due(self) -> list[dict[str, Any]]:
        return [d.record for d in self.ledger.due("file", self.now + 1e6, 100)]

    def events(self) -> list[str]:
        return [e["event"] for _, e in self.ledger.audit_waiting() if not e["event"].startswith("root_")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.ledger.close()


@pytest.mark.parametrize("takes", [True, False])
def test_of_a_file_that_has_not_settled_nothing_comes_but_that_it_is_taken(
    tmp_path: Path, takes: bool
) -> None:
    house = House(tmp_path, Policy(mode=Mode.ENFORCE if takes else Mode.AUDIT))
    root = ROOT if takes else replace(ROOT, facts=replace(ROOT.facts, mode=Mode.AUDIT))
    judged = Judged(FILE, MICRODATA.to_json(), "event", 1.0, 1000, 0o644, settled=False)
    orders = house.desk.answer(root, judged)
    assert isinstance(orders, Orders) and orders.do == ("take" if takes else "settle")
    if not takes:
        assert house.alerts_due() == [] and house.events() == [] and house.unseen() == [0]
        assert house.desk.answer(root, replace(judged, settled=True)) == Orders("leave")
        assert len(house.alerts_due()) == 1
    house.ledger.close()


def test_an_old_file_that_has_not_settled_is_not_yet_told_either(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old(*asked: Any) -> tuple[Standing, Disposition]:
        return Standing.OLD, contact.softened(asked[3], Standing.OLD, {}, breaker_open=False)

    monkeypatch.setattr("agent.desk.contact.meet", old)
    judged = Judged(FILE, MICRODATA.to_json(), "event", 1.0, 1000, 0o644, settled=False)
    assert house.desk.answer(ROOT, judged) == Orders("settle")
    assert house.unseen() == [0] and house.events() == []
    assert house.desk.answer(ROOT, replace(judged, settled=True)) == Orders("leave")
    assert house.unseen() == []


def test_harmless_files_are_passed_together_and_seen(house: House) -> None:
    files = [replace(FILE, relpath=f"notes/{n}.txt", ino=100 + n) for n in range(3)]
    outcomes = wire.Outcome.NO_RECORDS, wire.Outcome.AGGREGATE, wire.Outcome.OTHER_RECORDS
    verdicts = [replace(TABLE, outcome=outcome) for outcome in outcomes]
    judged = [Judged(f, v.to_json(), "sweep", 1.0, 1000, 0o644) for f, v in zip(files, verdicts, strict=True)]
    assert house.unseen(*files) == [0, 1, 2]
    told = decode(json.dumps(Passed(judged).to_json()).encode())
    assert told == Passed(judged)
    assert house.desk.answer(ROOT, told) == Done()
    assert house.unseen(*files) == []
    assert house.alerts_due() == [] and house.events() == []


def test_the_whole_story_of_one_file(house: House, tmp_path: Path) -> None:
    orders = house.judged()
    assert orders.do == "take"
    assert house.may_place(orders.entry_id)
    assert Ledger.read_only(tmp_path / "ledger.db").entries()[0].state is EntryState.INTENDED
    removal = house.vaulted(orders.entry_id)
    assert removal.do == "remove"
    assert removal.aside and "/" not in removal.aside
    assert Ledger.read_only(tmp_path / "ledger.db").entries()[0].state is EntryState.VAULTED
    assert house.alerts_due() == []
    assert house.go(orders.entry_id)
    house.outcome(orders.entry_id)
    [alert] = house.alerts_due()
    assert (alert["disposition"], alert["activity_id"]) == ("Quarantined", 1)
    assert alert["file"]["hashes"][0]["value"] == "cd"
    assert alert["unmapped"]["review_at"] == round((house.now + 365 * 86400) * 1000)
    assert house.events() == ["vaulted", "quarantined"]
    assert not house.go(orders.entry_id)


@pytest.mark.parametrize(
    ("fstype", "kind"), [("ext4", "allowed"), ("fuse.x", "quarantined"), ("", "quarantined")]
)
def test_the_proof_of_one_file_counts_where_the_kernel_gave_it(house: House, fstype: str, kind: str) -> None:
    facts = RootFacts(Zone.LOCAL, Handling.UNRESTRICTED, Mode.ENFORCE)
    home = replace(ROOT, facts=facts, volume=VolumeFacts(fstype=fstype))
    judged = Judged(FILE, MICRODATA.to_json(), "event", 1.0, 1000, 0o644, "fscrypt AES-256-XTS")
    orders = house.desk.answer(home, judged)
    assert orders is not None and orders.to_json()["do"] == ("leave" if kind == "allowed" else "take")
    told = [e for _, e in house.ledger.audit_waiting() if e["event"] == "allowed"]
    if kind == "allowed":
        [event] = told
        assert (event["reason"], event["proof"]) == ("volume_encrypted", "fscrypt AES-256-XTS")
        assert event["volume"]["encryption_proof"] == "fscrypt AES-256-XTS" and event["owner_uid"] == "1000"
        assert house.unseen() == [0] and house.desk.answer(home, Unseen([FILE])).indexes == []


def test_a_verdict_kept_at_hand_is_the_one_in_the_ledger(house: House) -> None:
    orders = house.judged()
    house.ledger.write_intents()
    entry = house.ledger.entry(orders.entry_id)
    assert entry is not None
    another = Teller(house.ledger, house.settings, house.teller.judge, house.teller.host)
    assert house.teller.verdict(entry) == another.verdict(entry) == MICRODATA


def test_statistics_are_left_and_remembered(house: House) -> None:
    assert house.unseen() == [0]
    assert house.judged(TABLE) == Orders("leave")
    assert house.unseen() == []
    assert house.alerts_due() == [] and house.ledger.alerts(recorded=True) == []


def test_a_changed_policy_judges_again(house: House) -> None:
    house.judged(TABLE)
    house.teller.settings = Settings(state_dir=house.settings.state_dir)
    assert house.unseen() == [0]


def test_a_file_of_an_inner_root_is_not_the_outer_ones_business(house: House) -> None:
    outer = replace(ROOT, others=("/srv/returns/inner",))
    inside = replace(FILE, relpath="inner/survey.csv")
    near = replace(FILE, relpath="inner2/survey.csv")
    assert house.desk.answer(outer, Unseen([inside, near])) == UnseenAnswer([1])
    assert house.judged(file=inside, root=outer) == Orders("leave")
    assert house.ledger.entries() == []


def test_what_is_not_in_the_vault_is_never_removed(house: House) -> None:
    orders = house.judged()
    assert house.vaulted(orders.entry_id, written=False).do == "discard"
    assert not house.go(orders.entry_id)


def test_nothing_gets_a_name_in_the_vault_before_its_intent_is_durable(house: House, tmp_path: Path) -> None:
    """Orders to take a file come before its intent is on the disk; whatever is asked next comes after it."""
    on_disk = Ledger.read_only(tmp_path / "ledger.db")
    orders = house.judged()
    assert not on_disk.entries(), "it is encrypted while this is written"
    assert not house.may_place("no-such-entry") and len(on_disk.entries()) == 1
    assert not house.may_place(orders.entry_id, replace(ROOT, root_id="r2"))
    assert house.may_place(orders.entry_id)
    house.ledger.revoke(orders.entry_id, "interrupted")
    assert not house.may_place(orders.entry_id)


def test_an_intent_goes_with_whatever_is_written_next(house: House, tmp_path: Path) -> None:
    house.judged()
    house.ledger.queue_audit([{"event": "x"}])
    assert [e.state for e in Ledger.read_only(tmp_path / "ledger.db").entries()] == [EntryState.INTENDED]
    house.ledger.write_intents()
    assert len(house.ledger.entries()) == 1


@pytest.mark.parametrize("state", ["intended", "revoked", "unknown", "of another root"])
def test_permission_to_unlink_needs_custody_of_that_root(house: House, state: str) -> None:
    orders = house.judged()
    if state == "of another root":
        house.vaulted(orders.entry_id)
        assert not house.go(orders.entry_id, replace(ROOT, root_id="r2"))
        return
    if state == "revoked":
        house.ledger.write_intents()
        house.ledger.revoke(orders.entry_id, "interrupted")
    assert not house.go("no-such-entry" if state == "unknown" else orders.entry_id)


def test_a_revoked_keeper_that_wakes_and_has_vaulted_is_told_to_discard(house: House) -> None:
    orders = house.judged()
    house.ledger.write_intents()
    house.ledger.revoke(orders.entry_id, "interrupted")
    assert house.vaulted(orders.entry_id).do == "discard"


@pytest.mark.parametrize(("result", "told"), [("quarantined", True), ("not_removed", False)])
def test_the_owner_hears_of_what_was_taken_only(
    house: House, monkeypatch: pytest.MonkeyPatch, result: str, told: bool
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(Herald, "tell", lambda _self, _uid, reference: heard.append(reference))
    entry = house.judged().entry_id
    house.vaulted(entry)
    house.outcome(entry, result, None if told else "read_only")
    house.outcome(entry, result, None if told else "read_only")  # told again after a crash: once is enough
    assert heard == ([entry] if told else [])


def test_not_removed_is_told_as_such_and_an_unchanged_read_only_file_is_not_taken_again(house: House) -> None:
    orders = house.judged()
    house.vaulted(orders.entry_id)
    house.outcome(orders.entry_id, "not_removed", "read_only")
    [alert] = house.alerts_due()
    assert (alert["disposition"], alert["status_detail"]) == ("Uncorrected", "read_only")
    assert house.unseen() == []


def test_a_file_that_was_moved_aside_and_back_is_not_taken_again_and_again(house: House) -> None:
    orders = house.judged()
    house.vaulted(orders.entry_id)
    house.outcome(orders.entry_id, "not_removed", "io_error")
    moved = replace(FILE, ctime_ns=FILE.ctime_ns + 1)
    assert house.unseen(moved) == [0]
    assert house.judged(file=moved).do == "leave"
    assert house.unseen(moved) == []
    assert house.judged(file=replace(moved, mtime_ns=99)).do == "take", "another version is another file"
    writable_again = replace(ROOT, read_only=True)
    assert house.judged(file=moved, root=writable_again).do == "take", "things have changed: try again"


def test_a_file_that_was_in_use_is_tried_again_under_the_same_alert(house: House) -> None:
    first = house.judged()
    house.vaulted(first.entry_id)
    house.outcome(first.entry_id, "not_removed", "in_use")
    assert house.unseen() == [0]
    second = house.judged()
    house.vaulted(second.entry_id)
    house.outcome(second.entry_id)
    ids = {a.alert_id for a in house.ledger.alerts()}
    assert len(ids) == 1
    [alert] = house.alerts_due()
    assert (alert["disposition"], alert["metadata"]["uid"][-2:]) == ("Quarantined", ":2")


def test_the_same_name_dropped_again_after_a_quarantine_is_a_new_alert(house: House) -> None:
    for _ in range(2):
        orders = house.judged()
        house.vaulted(orders.entry_id)
        house.outcome(orders.entry_id)
    assert len({a.alert_id for a in house.ledger.alerts()}) == 2


def test_a_full_vault_leaves_the_file_and_tells_it_once(house: House) -> None:
    for _ in range(3):
        orders = house.judged()
        assert house.desk.answer(ROOT, NotVaulted(orders.entry_id, "vault_full")) == Done()
    [alert] = house.alerts_due()
    assert (alert["disposition"], alert["status_detail"], alert["severity"]) == (
        "Error",
        "vault_full",
        "Critical",
    )
    assert house.unseen() == [0]


def test_a_file_that_changed_meanwhile_is_no_alert(house: House) -> None:
    orders = house.judged()
    house.desk.answer(ROOT, NotVaulted(orders.entry_id, "changed"))
    assert house.alerts_due() == []
    assert house.ledger.entry(orders.entry_id).state is EntryState.REVOKED  # type: ignore[union-attr]


def test_the_same_bytes_are_let_be_after_they_were_found_to_be_no_microdata(house: House) -> None:
    orders = house.judged()
    house.vaulted(orders.entry_id, "cd")
    house.outcome(orders.entry_id)
    row = house.ledger.alerts()[0]
    house.ledger.determine(replace(row, determination="false_positive"), "r1", "cd")
    again = house.judged(file=replace(FILE, ino=9))
    assert house.vaulted(again.entry_id, "cd").do == "discard"
    other = house.judged(file=replace(FILE, ino=10))
    assert house.vaulted(other.entry_id, "c0").do == "remove"
    [recorded] = [a for a in house.ledger.alerts(recorded=True) if a.state is AlertState.RECORDED]
    assert (recorded.disposition, recorded.record["unmapped"]["proof"]) == ("exempted", row.alert_id)


def test_one_persons_word_that_it_was_authorised_exempts_nothing(house: House) -> None:
    orders = house.judged()
    house.vaulted(orders.entry_id, "cd")
    house.outcome(orders.entry_id)
    house.ledger.determine(replace(house.ledger.alerts()[0], determination="authorised"), "r1", "cd")
    again = house.judged(file=replace(FILE, ino=9))
    assert house.vaulted(again.entry_id, "cd").do == "remove"


def test_what_an_agreement_covers_is_let_be_and_recorded_with_its_proof(house: House, agreed: Any) -> None:
    house.settings = house.settings.model_copy(update={"approvers": agreed.approvers})
    house.teller.settings = house.settings
    house.desk.authority.agreements.hand_in(agreed(house.now, roots=("/srv/returns/a",)), "uid:0")
    assert house.judged() == Orders("leave")
    assert house.judged(file=replace(FILE, relpath="b/survey.csv")).do == "take"
    [recorded] = [a for a in house.ledger.alerts(recorded=True) if a.state is AlertState.RECORDED]
    assert (recorded.disposition, recorded.reason) == ("exempted", "agreement")
    assert recorded.record["unmapped"]["proof"] == agreed.agreement_id
    assert "exempted" in house.events()
    assert house.unseen() == []


def test_an_agreement_about_content_holds_from_the_moment_the_content_is_known(
    house: House, agreed: Any
) -> None:
    house.settings = house.settings.model_copy(update={"approvers": agreed.approvers})
    house.teller.settings = house.settings
    house.desk.authority.agreements.hand_in(agreed(house.now, content=("cd" * 32,)), "uid:0")
    orders = house.judged()
    assert house.vaulted(orders.entry_id, "cd" * 32).do == "discard"
    other = house.judged(file=replace(FILE, ino=9))
    assert house.vaulted(other.entry_id, "ee" * 32).do == "remove"


def test_when_an_agreement_ends_its_files_are_judged_again(house: House, agreed: Any) -> None:
    house.settings = house.settings.model_copy(update={"approvers": agreed.approvers})
    house.teller.settings = house.settings
    authority = house.desk.authority
    authority.agreements.hand_in(agreed(house.now, roots=("/srv/returns",)), "uid:0")
    house.judged()
    house.judged(TABLE, replace(FILE, relpath="table.csv", ino=9))
    assert authority.lift_ended() == set() and house.unseen() == []
    house.now += 400 * 86400
    assert authority.lift_ended() == {"r1"}
    assert house.unseen(FILE, replace(FILE, relpath="table.csv", ino=9)) == [0]
    assert house.judged().do == "take"


def test_audit_mode_tells_once_and_touches_nothing(house: House) -> None:
    root = replace(ROOT, facts=replace(ROOT.facts, mode=Mode.AUDIT))
    for _ in range(2):
        assert house.judged(root=root) == Orders("leave")
    [alert] = house.alerts_due()
    assert alert["disposition"] == "Detected"
    assert house.ledger.entries() == []


def test_when_audit_becomes_enforce_the_alert_is_updated_not_doubled(house: House) -> None:
    house.judged(root=replace(ROOT, facts=replace(ROOT.facts, mode=Mode.AUDIT)))
    orders = house.judged()
    house.vaulted(orders.entry_id)
    house.outcome(orders.entry_id)
    assert len(house.ledger.alerts()) == 1
    assert house.ledger.alerts()[0].disposition == "quarantined"


def test_microdata_on_a_restricted_root_is_recorded_and_sent_nowhere(house: House) -> None:
    root = replace(ROOT, facts=replace(ROOT.facts, handling=Handling.RESTRICTED))
    assert house.judged(root=root) == Orders("leave")
    assert house.alerts_due() == []
    [row] = house.ledger.alerts(recorded=True)
    assert (row.state, row.reason) == (AlertState.RECORDED, "restricted_root")
    assert house.events() == ["allowed"]


def test_an_encrypted_volume_is_recorded_with_its_proof(house: House) -> None:
    root = replace(
        ROOT,
        facts=replace(ROOT.facts, zone=Zone.REMOVABLE),
        volume=VolumeFacts(encryption_proof="dm-crypt LUKS2 on sdb1"),
    )
    house.judged(root=root)
    [row] = house.ledger.alerts(recorded=True)
    assert row.record["unmapped"]["proof"] == "dm-crypt LUKS2 on sdb1"


def test_a_passing_fault_counts_as_not_examined_but_is_never_remembered_as_a_verdict(house: House) -> None:
    house.judged(Verdict.unreadable(Reason.TIMEOUT, config_digest=DIGEST))
    assert house.unseen() == [0]
    assert house.ledger.not_examined("r1") == {"timeout": 1}
    house.judged(Verdict.unreadable(Reason.MALFORMED, config_digest=DIGEST))
    assert house.unseen() == []
    assert house.ledger.not_examined("r1") == {"malformed": 1}


def test_the_breaker_bounds_what_an_hour_may_take_and_says_so_once(tmp_path: Path) -> None:
    house = House(tmp_path, Policy(mode=Mode.ENFORCE, breaker=Breaker(max_files_per_hour=3)))
    files = [replace(FILE, relpath=f"{n}.csv", ino=n) for n in range(6)]
    assert [house.judged(file=f).do for f in files] == ["take"] * 3 + ["leave"] * 3
    told = [a["status_detail"] for a in house.alerts_due()]
    assert sorted(told) == ["breaker_open"] + ["circuit_breaker"] * 3
    assert len(house.said) == 1 and house.events().count("breaker_open") == 1
    house.now += 3601
    assert house.judged(file=replace(FILE, ino=99)).do == "leave", "until a person has looked"
    house.desk.breaker.reset(ROOT, "officer")
    assert house.unseen(*files[3:]) == [0, 1, 2], "what was refused is judged again"
    assert house.judged(file=files[3]).do == "take"
    house.ledger.close()


def test_a_verdict_that_breaks_the_contract_is_refused(house: House) -> None:
    with pytest.raises(BadWire):
        house.desk.answer(ROOT, Judged(FILE, {**MICRODATA.to_json(), "outcome": "text"}, "event", 1.0))


def test_an_alert_held_while_its_medium_is_gone_is_told_and_later_corrected(house: House) -> None:
    orders = house.judged()
    house.vaulted(orders.entry_id)
    entry = house.ledger.entry(orders.entry_id)
    assert entry is not None
    for _ in range(2):
        house.desk.give_up_waiting(ROOT, entry, "medium_gone")
    [alert] = house.alerts_due()
    assert (alert["disposition"], alert["status_detail"]) == ("Uncorrected", "medium_gone")
    assert [u.entry_id for u in house.desk.unfinished("r1")] == [orders.entry_id]
    house.outcome(orders.entry_id)
    [alert] = house.alerts_due()
    assert alert["disposition"] == "Quarantined"
    assert len(house.ledger.alerts()) == 1


def test_after_lost_custody_the_file_is_put_back_and_judged_anew(house: House) -> None:
    orders = house.judged()
    house.vaulted(orders.entry_id)
    house.ledger.lose_custody(orders.entry_id, "custody_lost")
    assert len(house.desk.unfinished("r1")) == 1
    assert not house.go(orders.entry_id)
    house.outcome(orders.entry_id, "not_removed", "revoked")
    assert house.ledger.entry(orders.entry_id).state is EntryState.REVOKED  # type: ignore[union-attr]
    assert house.unseen() == [0]


def test_any_number_of_unfinished_removals_fits_into_a_welcome(house: House) -> None:
    for n in range(30):
        file = replace(FILE, relpath="\udcff" * 1000 + str(n), ino=n)
        house.now += 1
        house.vaulted(house.judged(file=file).entry_id)
    found = house.desk.unfinished("r1")
    assert 5 < len(found) < 30
    assert found[0].identity.ino == 0
    assert len(json.dumps([asdict(u) for u in found])) < 65_000


def test_a_sweep_is_remembered(house: House) -> None:
    assert house.desk.answer(ROOT, Swept(1.0, 2, 3, 1, {"malformed": 1}, True)) == Done()
    root = house.ledger.root("r1")
    assert root is not None and root.swept["files"] == 2 and root.swept["finished_at"] == house.now


def test_business_records_are_only_counted_by_default(house: House) -> None:
    verdict = Verdict(
        wire.Outcome.BUSINESS_RECORDS, tier=Tier.LIKELY, subject=Subject.ORGANISATION,
        media_type="text/csv", config_digest=DIGEST,
    )  # fmt: skip
    assert Policy().business_records is Action.RECORD
    house.judged(verdict)
    assert house.ledger.alerts(recorded=True) == []
    assert house.unseen() == []


def test_what_is_no_question_has_no_answer(house: House) -> None:
    assert house.desk.answer(ROOT, Hello(1)) is None


def test_a_vault_that_takes_nothing_is_said_once_and_shown_until_it_does(house: House) -> None:
    for _ in range(3):
        house.desk.answer(ROOT, NotVaulted(house.judged().entry_id, "vault_error"))
    assert house.desk.vault_fault == "vault_error"
    assert len(house.said) == 1 and "vault_error" in house.said[0]
    house.desk.answer(ROOT, house.vaulted(house.judged().entry_id))
    assert house.desk.vault_fault == ""


def test_what_an_exception_covers_is_let_be_on_record_until_it_ends(house: House, agreed: Any) -> None:
    house.settings = house.settings.model_copy(update={"approvers": agreed.approvers})
    house.teller.settings = house.settings
    authority = house.desk.authority
    alike = replace(MICRODATA, layout="nnnndtnn")
    bare = agreed.exception(house.now, layouts=(alike.layout,), agents=("h",), roots=("/srv/returns/a",))
    authority.agreements.hand_in(agreed.both(bare), "uid:0")
    assert house.judged(alike) == Orders("leave") and house.alerts_due() == []
    [told] = [a for a in house.ledger.alerts(recorded=True) if a.state is AlertState.RECORDED]
    assert (told.disposition, told.reason) == ("exempted", "exception")
    assert told.record["unmapped"]["proof"] == "EXC-made-up-1"
    assert told.record["unmapped"]["tier"] == "likely"
    assert house.ledger.exempted_by("exception") == {"EXC-made-up-1": 1}
    assert house.judged(replace(alike, tier=Tier.CONFIRMED), replace(FILE, ino=9)).do == "take"
    assert house.judged(alike, replace(FILE, relpath="b/survey.csv", ino=10)).do == "take"
    assert authority.lift_ended() == set()
    house.now += 91 * 86400
    assert authority.lift_ended() == {"r1"} and house.judged(alike).do == "take"


def test_an_excepted_content_is_let_be_once_it_is_known_though_confirmed(house: House, agreed: Any) -> None:
    house.settings = house.settings.model_copy(update={"approvers": agreed.approvers})
    house.teller.settings = house.settings
    agreements = house.desk.authority.agreements
    signed = agreed.both(agreed.exception(house.now, content=("cd" * 32,)))
    agreements.hand_in(signed, "uid:0")
    sure = replace(MICRODATA, tier=Tier.CONFIRMED)
    assert house.vaulted(house.judged(sure).entry_id, "cd" * 32).do == "discard"
    [told] = house.ledger.alerts(recorded=True)
    assert (told.disposition, told.reason) == ("exempted", "exception")
    said = seal(Revocation("EXC-made-up-1", signed.digest, "they are people", int(house.now)))
    agreements.hand_in(agreed.officer.sign(said), "uid:0")
    assert house.desk.authority.lift_ended() == {"r1"}
    assert house.vaulted(house.judged(sure).entry_id, "cd" * 32).do == "remove"
