"""A share full of old files, on the first day and after."""

from __future__ import annotations

import os
import time

import pytest


@pytest.fixture
def share(service, made_up, drop):
    """A root with old surveys and tables in it, and the service that will meet it."""
    service.settings["policy"]["first_contact"] = "report"
    root = service.root()
    for number in range(24):
        drop(root / f"old{number}.csv", made_up.survey(150, seed=number))
    drop(root / "table.csv", made_up.statistics())
    time.sleep(1.1)  # old is what did not change for a second before the root was attached
    return root


def digests(service):
    return [r for r in service.alerts() if r["unmapped"].get("finding") == "first_contact"]


def surveys(root):
    return sorted(root.glob("old*.csv"))


def test_old_files_are_one_alert_and_new_and_changed_ones_are_taken(service, share, made_up, drop):
    service.start()
    made_up.wait(lambda: digests(service), "the digest")
    service.caught(drop(share / "new.csv", made_up.survey(seed=99)))
    changed = share / "old3.csv"
    changed.write_bytes(made_up.survey(seed=98))
    service.caught(changed)
    assert len(surveys(share)) == 23
    service.stop()

    # what came while the service was down is new, whatever time it bears
    late = drop(share / "late.csv", made_up.survey(seed=97))
    os.utime(late, (1_000_000_000, 1_000_000_000))
    os.utime(share / "table.csv", (1_000_000_000, 1_000_000_000))
    service.start()
    service.caught(late)
    service.settled()
    assert len(surveys(share)) == 23
    assert len({r["finding_info"]["uid"] for r in digests(service)}) == 1
    assert [r["unmapped"]["facts"]["total"] for r in digests(service)] == [24, 23]
    told = {r["file"]["name"] for r in service.alerts() if r not in digests(service)}
    assert told == {"new.csv", "old3.csv", "late.csv"}
    held = [a for a in service.ask("alerts", recorded=True) if a["reason"] == "first_contact"]
    assert len({a["path"] for a in held if a["state"] == "recorded"}) >= 23


def test_a_person_has_them_enforced_by_date_and_in_bulk(service, share, made_up):
    for number in range(6):
        os.utime(share / f"old{number}.csv", (1_000_000_000, 1_000_000_000))
    time.sleep(1.1)
    service.start()
    made_up.wait(lambda: digests(service), "the digest")
    done = service.command("baseline", "enforce", "--before", "2010-01-01", "--note", "the oldest first")
    assert done.returncode == 0 and "6 files" in done.stdout, done.stdout + done.stderr
    made_up.wait(lambda: len(surveys(share)) == 18, "the oldest are taken", 60)
    assert service.command("baseline", "enforce", str(share)).returncode == 0
    made_up.wait(lambda: not surveys(share), "all are taken", 60)
    service.settled()
    made_up.wait(lambda: digests(service)[-1]["status"] == "Resolved", "the digest is closed")
    taken = {r["file"]["name"] for r in service.alerts() if r["disposition"] == "Quarantined"}
    assert len(taken) == 24 and len(service.vault_digests()) == 24


def test_enforcing_in_bulk_goes_as_fast_as_the_breaker_lets_and_tells_no_storm(service, share, made_up):
    service.settings["policy.breaker"]["max_files_per_hour"] = 10
    service.start()
    made_up.wait(lambda: digests(service), "the digest")
    service.command("baseline", "enforce")
    made_up.wait(lambda: len(surveys(share)) == 14, "as many as may be", 60)
    service.settled()
    assert len(surveys(share)) == 14
    assert len([r for r in service.alerts() if r not in digests(service)]) == 10
    assert digests(service)[-1]["unmapped"]["facts"]["total"] == 14


def test_accepted_files_stay_and_are_on_record_in_somebodys_name(service, share, made_up):
    service.start()
    made_up.wait(lambda: digests(service), "the digest")
    service.command("baseline", "accept", "--note", "the archive")
    service.settled()
    made_up.wait(lambda: digests(service)[-1]["status"] == "Resolved", "the digest is closed")
    assert len(surveys(share)) == 24
    rows = [a for a in service.ask("alerts", recorded=True) if a["reason"] == "accepted"]
    assert len(rows) == 24 and {r["disposition"] for r in rows} == {"detected"}
    # and can be enforced after all
    assert service.command("baseline", "enforce").returncode == 0
    made_up.wait(lambda: not surveys(share), "all are taken", 60)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.system)])
def test_killed_in_the_middle_of_the_first_sweep_nothing_is_taken_or_told_twice(
    service, share, made_up, seed
):
    service.configure()
    for turn in range(4):
        service.start(wait=False)
        made_up.wait(lambda: service.status(), "it is up", 60)
        time.sleep(0.15 * (turn + seed))
        service.kill("keeper" if turn % 2 else "supervisor")
        if turn % 2:
            service.kill()
    service.start()
    service.settled()
    made_up.wait(lambda: digests(service), "the digest")
    assert len(surveys(share)) == 24 and not service.vault_digests()
    [record] = service.alerts()
    assert record["unmapped"]["facts"]["total"] == 24
