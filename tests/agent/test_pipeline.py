"""The story of one file, told against attackers, faults and deaths at every step."""

from __future__ import annotations

import os
import threading
import time

import pytest

from agent import removal, settling, streams, vault
from agent.protocol import (
    Beat,
    ChannelClosed,
    Go,
    Hello,
    Judged,
    MayPlace,
    MayUnlink,
    NotVaulted,
    Orders,
    Outcome,
    Removal,
    Swept,
    Unfinished,
    Unseen,
    UnseenAnswer,
    Vaulted,
)
from detectors.engine.verdict import Reason

SURVEY = b"id,sex,age\n" + b"1,2,34\n" * 1000


def put(supervisor, name="survey.csv", content=SURVEY):
    path = supervisor.root / name
    path.write_bytes(content)
    os.utime(path, (1, 1))  # old enough to be judged by the first sweep at once
    return path


def found_below(root):
    return {(w, n): open(os.path.join(w, n), "rb").read() for w, _, names in os.walk(root) for n in names}


def is_safe(supervisor, content=SURVEY):
    """Invariant 1: at a path of the root, or decryptable from an entry that has its name."""
    return content in found_below(supervisor.root).values() or content in supervisor.vaulted()


# --- the order of things


def test_the_story_is_told_in_order(supervisor):
    put(supervisor)
    with supervisor:
        supervisor.wait_for(Outcome)
    told = (Judged, MayPlace, Vaulted, MayUnlink, Outcome)
    assert [type(m) for m in supervisor.messages if isinstance(m, told)] == list(told)


def test_nothing_is_removed_before_custody_is_committed(supervisor):
    path = put(supervisor)
    there = {}

    def look(message):
        there[type(message)] = path.exists()
        return None

    supervisor.before = look
    with supervisor:
        supervisor.wait_for(Outcome)
    assert (there[Judged], there[Vaulted], there[MayUnlink]) == (True, True, False)


def test_orders_to_leave_are_obeyed(supervisor):
    supervisor.enforce = False
    path = put(supervisor)
    with supervisor:
        supervisor.wait_for(Swept)
    assert path.read_bytes() == SURVEY and not supervisor.of(Vaulted)
    assert not list((supervisor.vault_dir / "entries").iterdir())


def test_an_order_to_discard_leaves_the_file_and_no_copy(supervisor):
    supervisor.before = lambda m: Removal("discard") if isinstance(m, Vaulted) else None
    path = put(supervisor)
    with supervisor:
        supervisor.wait_for(Swept)
    assert path.read_bytes() == SURVEY
    assert not list((supervisor.vault_dir / "entries").iterdir())


@pytest.mark.parametrize("why", ["revoked", "a worker does not die"])
def test_a_revoked_intent_or_a_worker_that_hangs_puts_the_file_back(supervisor, why):
    supervisor.examiner.lets_go = why == "revoked"
    supervisor.before = lambda m: Go(why != "revoked") if isinstance(m, MayUnlink) else None
    path = put(supervisor)
    with supervisor:
        (outcome,) = supervisor.wait_for(Outcome)
    assert (outcome.result, outcome.reason, outcome.notice) == ("not_removed", "revoked", False)
    assert path.read_bytes() == SURVEY and os.listdir(supervisor.root) == ["survey.csv"]


def test_a_file_whose_worker_may_live_on_without_its_template_gets_no_entry(supervisor):
    supervisor.examiner.lost = True
    path = put(supervisor)
    with supervisor:
        supervisor.wait_for(NotVaulted)
        assert path.read_bytes() == SURVEY and not list((supervisor.vault_dir / "entries").iterdir())
        supervisor.examiner.lost = False
        supervisor.wait_for(Outcome)
    assert not path.exists() and len(supervisor.vaulted()) == 1


def test_what_the_supervisor_has_seen_is_not_examined(supervisor):
    put(supervisor)
    supervisor.before = lambda m: UnseenAnswer([]) if isinstance(m, Unseen) else None
    with supervisor:
        supervisor.wait_for(Swept)
    assert not supervisor.examiner.seen


# --- what cannot be examined is reported, by its reason


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: os.mkfifo(p), Reason.NOT_REGULAR),
        (lambda p: p.symlink_to("/etc/shadow"), Reason.LINK),
        (lambda p: p.symlink_to("."), Reason.LINK),
    ],
)
def test_what_is_no_file_is_told_and_counted(supervisor, make, reason):
    make(supervisor.root / "x")
    with supervisor:
        (judged,) = supervisor.wait_for(Judged)
        swept, *_ = supervisor.wait_for(Swept)
    assert (judged.verdict["outcome"], judged.verdict["reason"]) == ("unreadable", reason)
    assert judged.verdict["config_digest"] == "d" * 64
    assert swept.not_examined == {reason.value: 1}
    assert not supervisor.examiner.seen


def test_an_unreadable_verdict_is_passed_on_and_counted(supervisor):
    put(supervisor)
    supervisor.examiner.faults = [Reason.MALFORMED]
    with supervisor:
        swept, *_ = supervisor.wait_for(Swept)
    assert swept.not_examined == {"malformed": 1} and swept.judged == 1


def test_a_passing_fault_is_tried_again(supervisor, monkeypatch):
    monkeypatch.setattr("agent.keeper.RETRY_SECONDS", (0.05,) * 5)
    put(supervisor)
    supervisor.examiner.faults = [Reason.WORKER_UNAVAILABLE, Reason.WORKER_UNAVAILABLE]
    with supervisor:
        (outcome,) = supervisor.wait_for(Outcome)
    assert outcome.result == "quarantined" and len(supervisor.of(Judged)) == 1


def test_a_fault_that_does_not_pass_is_told_after_a_bounded_number_of_tries(supervisor, monkeypatch):
    monkeypatch.setattr("agent.keeper.RETRY_SECONDS", (0.02,) * 5)
    put(supervisor)
    supervisor.examiner.faults = [Reason.TIMEOUT] * 99
    with supervisor:
        (judged,) = supervisor.wait_for(Judged)
        time.sleep(0.2)
    assert judged.verdict["reason"] == "timeout"
    assert len(supervisor.examiner.seen) == 3, "a time-out is costly"


# --- attackers


def test_a_file_replaced_while_it_is_read_is_judged_again(supervisor):
    path = put(supervisor)

    def replace(fd):
        supervisor.examiner.act = lambda fd: None
        path.write_bytes(b"innocent")

    supervisor.examiner.act = replace
    with supervisor:
        supervisor.wait_for(Judged)
        supervisor.wait_for(Swept)
    assert path.read_bytes() == b"innocent"
    assert not supervisor.of(Vaulted)


def test_a_file_that_grows_while_it_is_vaulted_is_not_taken_as_it_was(supervisor):
    path = put(supervisor)
    supervisor.before = lambda m: path.write_bytes(SURVEY * 2) and None if isinstance(m, Judged) else None
    calls = []

    def once(message):
        if isinstance(message, Judged) and not calls:
            calls.append(1)
            path.write_bytes(SURVEY * 2)
        return None

    supervisor.before = once
    with supervisor:
        supervisor.wait_for(Outcome, seconds=8)
    assert supervisor.of(NotVaulted)[0].reason == "changed"
    assert supervisor.vaulted() == {SURVEY * 2}


def settling_in_the_vault(supervisor, monkeypatch, happens):
    """A survey is saved as `part.csv`; `happens` to it when its ciphertext may be placed. When was what?"""
    part, at = supervisor.root / "part.csv", {}
    supervisor.settings = {"settle_seconds": 0.5}
    monkeypatch.setattr(settling, "MEANWHILE_SECONDS", 0.5)

    def look(message):
        at.setdefault(type(message), time.monotonic())
        if isinstance(message, MayPlace) and not supervisor.of(NotVaulted):
            threading.Timer(0.005, happens, [part]).start()
        return None

    supervisor.before = look
    with supervisor:
        supervisor.wait_for(Swept)
        part.write_bytes(SURVEY)
        at["closed"] = time.monotonic()
        supervisor.wait_for(Outcome)
    return at


def test_a_file_is_vaulted_while_it_settles_and_custody_begins_when_it_has(supervisor, monkeypatch):
    at = settling_in_the_vault(supervisor, monkeypatch, lambda part: None)
    assert not supervisor.of(NotVaulted) and at[MayPlace] < at["closed"] + 0.45 < at[Vaulted]


def test_a_save_that_ends_with_a_rename_while_its_file_settles_is_not_disturbed(supervisor, monkeypatch):
    named = supervisor.root / "named.csv"
    settling_in_the_vault(supervisor, monkeypatch, lambda part: part.rename(named))
    assert [m.reason for m in supervisor.of(NotVaulted)] == ["changed"]
    assert [m.identity.relpath for m in supervisor.of(Judged)][-1] == "named.csv"
    assert len(supervisor.of(Vaulted)) == 1 and supervisor.vaulted() == {SURVEY}
    assert not list((supervisor.vault_dir / "tmp").iterdir())


def test_who_goes_on_writing_while_a_file_settles_waits_for_no_more_than_a_glance(supervisor, monkeypatch):
    waited = []

    def go_on(part):
        before = time.monotonic()
        with part.open("ab") as file:
            waited.append(time.monotonic() - before)
            file.write(SURVEY)

    settling_in_the_vault(supervisor, monkeypatch, go_on)
    assert [m.reason for m in supervisor.of(NotVaulted)] == ["in_use"]
    assert supervisor.vaulted() == {SURVEY * 2} and waited[0] < 0.3


def test_a_worker_that_plays_with_its_offset_changes_nothing(supervisor):
    put(supervisor)
    supervisor.examiner.act = lambda fd: os.lseek(fd, 500, os.SEEK_SET)
    with supervisor:
        supervisor.wait_for(Outcome)
    assert supervisor.vaulted() == {SURVEY}


def test_a_link_in_place_of_the_judged_file_protects_the_victim(supervisor, tmp_path):
    path = put(supervisor)
    victim = tmp_path / "victim"
    victim.write_bytes(SURVEY)

    def swap(message):
        if isinstance(message, Vaulted):
            path.unlink()
            path.symlink_to(victim)
        return None

    supervisor.before = swap
    with supervisor:
        (outcome,) = supervisor.wait_for(Outcome)
    assert outcome.result == "not_removed"
    assert victim.read_bytes() == SURVEY and path.is_symlink()


def test_a_folder_in_place_of_another_protects_what_is_in_it(supervisor, tmp_path):
    (supervisor.root / "d").mkdir()
    put(supervisor, "d/survey.csv")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "survey.csv").write_bytes(SURVEY)

    def swap(message):
        if isinstance(message, Vaulted):
            (supervisor.root / "d").rename(supervisor.root / "moved")
            (supervisor.root / "d").symlink_to(outside)
        return None

    supervisor.before = swap
    with supervisor:
        (outcome,) = supervisor.wait_for(Outcome)
    assert (outside / "survey.csv").read_bytes() == SURVEY and os.listdir(outside) == ["survey.csv"]
    assert outcome.result == "quarantined"
    assert os.listdir(supervisor.root / "moved") == ["survey.csv.quarantined.txt"]


def test_attackers_in_a_tight_loop_gain_nothing(supervisor, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    canary = outside / "survey.csv"
    canary.write_bytes(SURVEY)
    folder, other = supervisor.root / "d", supervisor.root / "e"
    folder.mkdir()
    other.symlink_to(outside)
    stop = threading.Event()

    def attack():
        turn = 0
        while not stop.is_set():
            turn += 1
            try:
                if turn % 20 == 0:
                    (folder / "survey.csv").write_bytes(SURVEY)
                folder.rename(supervisor.root / "t")
                other.rename(folder)
                folder.rename(other)
                (supervisor.root / "t").rename(folder)
                if turn % 7 == 0:
                    (folder / "survey.csv").rename(folder / "x")
                    (folder / "link").symlink_to(canary)
                    (folder / "link").rename(folder / "survey.csv")
            except OSError:
                pass

    supervisor.settings = {"quiet_seconds": 0.02, "settle_seconds": 0.005}
    attacker = threading.Thread(target=attack)
    with supervisor:
        attacker.start()
        time.sleep(1.0)
        stop.set()
        attacker.join()
    assert canary.read_bytes() == SURVEY and os.listdir(outside) == ["survey.csv"]
    assert supervisor.vaulted() <= {SURVEY, b""}


# --- hard cases


@pytest.mark.parametrize("name", ["x" * 255, os.fsdecode(b"\xff\xfe.csv"), "a\nb\x1b[2J.csv", "-rf", "‮vsc.x"])
def test_any_name_is_taken_and_noticed(supervisor, name):
    put(supervisor, name)
    with supervisor:
        (outcome,) = supervisor.wait_for(Outcome)
    assert (outcome.result, outcome.notice) == ("quarantined", True)
    (left,) = os.listdir(supervisor.root)
    assert left.endswith(".quarantined.txt")
    (kept,) = vault.manifests(supervisor.vault_dir)
    assert kept.relpath == name


def test_the_notices_name_may_be_taken(supervisor):
    put(supervisor)
    (supervisor.root / "survey.csv.quarantined.txt").write_bytes(b"mine")
    with supervisor:
        (outcome,) = supervisor.wait_for(Outcome)
    assert outcome.notice
    assert (supervisor.root / "survey.csv.quarantined.txt").read_bytes() == b"mine"
    assert (supervisor.root / "survey.csv.quarantined-2.txt").exists()


def test_two_names_of_one_content_are_both_taken_and_nothing_is_lost(supervisor):
    path = put(supervisor)
    os.link(path, supervisor.root / "second.csv")
    with supervisor:
        supervisor.wait_for(Outcome, 2, seconds=8)
    assert sorted(o.reason or "" for o in supervisor.of(Outcome)) == ["", "other_names"]
    assert len(list(vault.manifests(supervisor.vault_dir))) == 2


def test_a_file_still_open_for_writing_waits_for_its_writer(supervisor):
    path = supervisor.root / "survey.csv"
    with supervisor:
        supervisor.wait_for(Swept)
        with path.open("wb") as file:
            file.write(SURVEY)
            file.flush()
            time.sleep(0.5)
            assert not supervisor.of(Judged)
        (outcome,) = supervisor.wait_for(Outcome)
    assert outcome.result == "quarantined" and supervisor.vaulted() == {SURVEY}


def test_a_file_that_is_never_closed_is_told_in_the_end_and_stays(supervisor, monkeypatch):
    monkeypatch.setattr("agent.keeper.RETRY_SECONDS", (0.02,) * 5)
    path = put(supervisor)
    with path.open("ab"), supervisor:
        (outcome,) = supervisor.wait_for(Outcome)
        assert (outcome.result, outcome.reason) == ("not_removed", "in_use")
    assert path.read_bytes() == SURVEY and supervisor.vaulted() == {SURVEY}


def test_a_full_vault_leaves_the_file_and_says_so(supervisor):
    supervisor.settings = {"reserve_bytes": 1 << 60}
    path = put(supervisor)
    with supervisor:
        (refused,) = supervisor.wait_for(NotVaulted)
        supervisor.wait_for(Swept)
    assert refused.reason == "vault_full" and path.read_bytes() == SURVEY


def test_a_vault_that_fails_leaves_the_file_and_says_so(supervisor, monkeypatch):
    def fail(_fd):
        raise OSError(5, "made up")

    monkeypatch.setattr(streams.os, "fsync", fail)
    path = put(supervisor)
    with supervisor:
        (refused,) = supervisor.wait_for(NotVaulted)
    assert refused.reason == "vault_error" and path.read_bytes() == SURVEY


# --- death at every step


BOUNDARIES = [Unseen, Judged, MayPlace, Vaulted, MayUnlink, Outcome]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "after the answer"])
def test_a_supervisor_lost_at_any_message_loses_no_content(supervisor, boundary, answered):
    put(supervisor)
    lost = []

    def lose(message):
        if isinstance(message, boundary) and not lost:
            lost.append(message)
            if answered:
                supervisor.channel.send(supervisor.answer(message))
            supervisor.hang_up()
            raise ChannelClosed
        return None

    supervisor.before = lose
    with supervisor:
        supervisor.keeper.join(60)
        assert not supervisor.keeper.is_alive()
    assert lost and is_safe(supervisor)
    assert not list((supervisor.vault_dir / "tmp").iterdir())

    # Again, with what a ledger would know: entries in custody whose outcome it never heard of.
    heard = {m.entry_id for m in supervisor.of(Outcome)} if boundary is not Outcome else set()
    supervisor.unfinished = [
        Unfinished(
            m.entry_id, supervisor.entries[m.entry_id].identity, m.sha256, supervisor.asides[m.entry_id], ""
        )
        for m in supervisor.of(Vaulted)
        if m.entry_id not in heard and m.entry_id in supervisor.asides
    ]
    supervisor.before = lambda message: None
    if not supervisor.unfinished:
        supervisor.seen.clear()
    with supervisor:
        supervisor.wait_for(Swept)
        supervisor.wait(lambda: any(o.result == "quarantined" for o in supervisor.of(Outcome)))
    assert supervisor.vaulted() == {SURVEY}
    assert SURVEY not in found_below(supervisor.root).values()
    assert os.listdir(supervisor.root) == ["survey.csv.quarantined.txt"]


@pytest.mark.parametrize("where", ["mkdir", "rename", "unlink", "notice", "rmdir"])
def test_a_death_at_any_step_of_the_removal_loses_no_content(supervisor, monkeypatch, where):
    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    targets = {
        "mkdir": (removal.os, "mkdir"),
        "rename": (removal, "rename_no_replace"),
        "unlink": (removal, "unlink_durably"),
        "notice": (removal, "_has_other_names"),
        "rmdir": (removal.os, "rmdir"),
    }
    put(supervisor)
    with monkeypatch.context() as patch:
        patch.setattr(*targets[where], die)
        with pytest.raises(Killed), supervisor:
            supervisor.wait_for(Vaulted)
            supervisor.keeper.join(60)
    assert is_safe(supervisor)
    (vaulted,) = supervisor.of(Vaulted)
    judged = supervisor.entries[vaulted.entry_id]
    supervisor.unfinished = [
        Unfinished(vaulted.entry_id, judged.identity, vaulted.sha256, supervisor.asides[vaulted.entry_id], "")
    ]
    supervisor.fault = None
    with supervisor:
        supervisor.wait_for(Swept)
    assert supervisor.of(Outcome)[-1].result == "quarantined"
    assert supervisor.vaulted() == {SURVEY} and os.listdir(supervisor.root) == ["survey.csv.quarantined.txt"]


def test_an_end_in_the_middle_of_a_deposit_is_quick_and_takes_nothing(supervisor, monkeypatch):
    put(supervisor, content=SURVEY * 10_000)
    monkeypatch.setattr("agent.line._GLANCE_SECONDS", 0.0)
    supervisor.before = lambda m: supervisor.tell("end") if isinstance(m, Judged) else None
    with supervisor:
        begun = time.monotonic()
        supervisor.keeper.join(60)
        assert time.monotonic() - begun < 20
    assert not supervisor.of(Vaulted)
    assert not [*(supervisor.vault_dir / "tmp").iterdir(), *(supervisor.vault_dir / "entries").iterdir()]
    assert supervisor.examiner.closed


@pytest.mark.root
def test_umount_succeeds_while_a_big_file_goes_into_the_vault(supervisor, drive):
    volume = drive(200)
    supervisor.root = volume.plug()
    put(supervisor, content=SURVEY * 18_000)  # 126 MB: seconds of encryption
    results = []

    def pull(message):
        if isinstance(message, Judged):
            threading.Timer(0.05, lambda: results.append(volume.pull())).start()
        return None

    supervisor.before = pull
    with supervisor:
        supervisor.wait(lambda: results)
        assert not supervisor.of(Vaulted), "the file was too small for this test"
        assert results[0].returncode == 0, results[0].stderr
    assert not list((supervisor.vault_dir / "entries").iterdir())
    assert volume.plug() and (supervisor.root / "survey.csv").stat().st_size == len(SURVEY) * 18_000
    assert Orders


def test_a_log_that_is_never_closed_is_not_taken_again_and_again(supervisor, monkeypatch):
    monkeypatch.setattr("agent.keeper.RETRY_SECONDS", (0.01,) * 5)
    supervisor.settings = {"quiet_seconds": 0.01, "settle_seconds": 0.01}
    path = put(supervisor)
    with path.open("ab", buffering=0) as log, supervisor:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            log.write(b"1,2,34\n")
            time.sleep(0.02)
    assert len(supervisor.of(Outcome)) <= 1 and len(supervisor.of(Judged)) <= 3
    assert path.exists()


def test_an_end_before_the_welcome_is_an_end(supervisor):
    supervisor.before = lambda m: supervisor.tell("end") if isinstance(m, Hello) else None
    with supervisor:
        supervisor.keeper.join(60)
        assert not supervisor.keeper.is_alive()


def test_an_original_that_another_workstation_moved_aside_is_left_alone_and_holds_nothing_up(
    supervisor, monkeypatch
):
    monkeypatch.setattr("agent.line.BEAT_SECONDS", 0.05)
    aside = supervisor.root / f".recordwarden-{'a' * 32}"
    aside.mkdir()
    (aside / "original").write_bytes(SURVEY)
    with supervisor:
        supervisor.wait(lambda: supervisor.of(Beat) and supervisor.of(Beat)[-1].backlog)
        assert not supervisor.of(Judged)
        (aside / "original").unlink()
        aside.rmdir()
        put(supervisor)  # an event of its own may not be told: it is only looked whether it is there
        supervisor.wait_for(Outcome)
        supervisor.wait(lambda: not supervisor.of(Beat)[-1].backlog)
    judged = {m.identity.relpath for m in supervisor.of(Judged)}
    assert "survey.csv" in judged and not any(relpath.startswith(".recordwarden-") for relpath in judged)


def test_an_original_that_stays_aside_for_long_is_judged_like_any_file(supervisor, monkeypatch):
    monkeypatch.setattr("agent.keeper.ASIDE_SECONDS", 0.2)
    monkeypatch.setattr("agent.keeper.ASIDE_LOOK_SECONDS", 0.05)
    aside = supervisor.root / f".recordwarden-{'a' * 32}"
    aside.mkdir()
    (aside / "original").write_bytes(SURVEY)
    with supervisor:
        supervisor.wait_for(Outcome)
    assert supervisor.vaulted() == {SURVEY}


def test_a_fresh_file_is_encrypted_while_it_is_judged_and_only_where_it_may_be_taken(supervisor, monkeypatch):
    sealed = []
    real = vault.Vault.seal_ahead
    monkeypatch.setattr(
        vault.Vault, "seal_ahead", lambda self, source: sealed.append(source.relpath) or real(self, source)
    )
    put(supervisor, "old.csv")
    with supervisor:
        supervisor.wait_for(Outcome)
        (supervisor.root / "new.csv").write_bytes(SURVEY)
        supervisor.wait_for(Outcome, 2)
    assert sealed == ["new.csv"], "a sweep has other files waiting"
    supervisor.settings = {"mode": "audit"}
    with supervisor:
        supervisor.wait_for(Swept, 2)
        (supervisor.root / "other.csv").write_bytes(b"x,y\n1,2\n")
        supervisor.wait(lambda: any(j.identity.relpath == "other.csv" for j in supervisor.of(Judged)))
    assert sealed == ["new.csv"]
