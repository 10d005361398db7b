"""The keeper as a whole: real files, a scripted supervisor, a fake sandbox."""

from __future__ import annotations

import os
import time

from agent.protocol import Beat, Judged, Outcome, Swept

SURVEY = b"id,sex,age\n" + b"1,2,34\n" * 1000


def test_a_file_of_records_ends_in_the_vault_with_a_notice_in_its_place(supervisor):
    with supervisor:
        supervisor.wait_for(Swept)
        (supervisor.root / "survey.csv").write_bytes(SURVEY)
        (outcome,) = supervisor.wait_for(Outcome)
    assert (outcome.result, outcome.reason, outcome.notice) == ("quarantined", None, True)
    assert supervisor.content_of(outcome.entry_id) == SURVEY
    assert os.listdir(supervisor.root) == ["survey.csv.quarantined.txt"]


def test_what_was_there_before_is_found_by_the_sweep(supervisor):
    deep = supervisor.root / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "survey.csv").write_bytes(SURVEY)
    os.utime(deep / "survey.csv", (1, 1))
    with supervisor:
        supervisor.wait_for(Outcome)
        swept, *_ = supervisor.wait_for(Swept)
    assert (swept.files, swept.folders, swept.judged, swept.complete) == (1, 3, 1, True)
    assert supervisor.vaulted() == {SURVEY}


def test_an_innocent_file_is_judged_once_and_left_alone(supervisor):
    with supervisor:
        supervisor.wait_for(Swept)
        (supervisor.root / "letter.txt").write_bytes(b"Dear all")
        supervisor.wait_for(Judged)
        supervisor.tell("sweep")
        supervisor.wait_for(Swept, 2)
        time.sleep(0.3)
    assert len(supervisor.of(Judged)) == 1
    assert (supervisor.root / "letter.txt").read_bytes() == b"Dear all"


def test_an_idle_keeper_says_that_it_lives_and_holds_nothing(supervisor):
    with supervisor:
        supervisor.wait_for(Swept)
        supervisor.wait(lambda: supervisor.of(Beat) and supervisor.of(Beat)[-1].state == "native")
        time.sleep(0.1)
        held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd_exists(fd)]
        assert not [path for path in held if path.startswith(str(supervisor.root))]


def fd_exists(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


def test_a_folder_that_took_the_roots_place_unseen_is_watched(supervisor, monkeypatch):
    monkeypatch.setattr("agent.line.BEAT_SECONDS", 0.1)
    above = supervisor.root.parent / "above"
    above.mkdir()
    supervisor.root.rename(above / "root")
    supervisor.root = above / "root"
    with supervisor:
        supervisor.wait_for(Swept)
        above.rename(above.with_name("moved"))  # nothing that is watched is told of this
        supervisor.root.mkdir(parents=True)
        (supervisor.root / "survey.csv").write_bytes(SURVEY)
        (outcome,) = supervisor.wait_for(Outcome)
    assert outcome.result == "quarantined"
    assert os.listdir(supervisor.root) == ["survey.csv.quarantined.txt"]
