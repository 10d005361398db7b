"""What the service says of itself, in words and as JSON; and what in it calls for a person."""

from __future__ import annotations

import copy
import json

import pytest

from agent.cli import run

ROOT = {
    "root_id": "r1", "path": "/srv/a\x1b[2J", "zone": "shared", "mode": "enforce", "handling": "unrestricted",
    "state": "native", "since": 1_700_000_000.0, "fault": "", "backlog": 0, "swept": None, "not_examined": {},
    "coverage": "native", "covered": True, "hold": "off", "proof": "off", "proved_at": 0.0, "held": 0,
    "breaker_open": False, "unfinished": 0, "abandoned": [],
}  # fmt: skip
STATUS = {
    "pid": 7, "started_at": 1_700_000_000.0, "mode": "enforce", "state_dir": "/var/lib/recordwarden",
    "protections": {"present": ["seccomp"], "missing": {"landlock": "the kernel has none"}}, "roots": [ROOT],
    "sinks": {"file": {"pending": 1, "delivered": 2, "dead": 0, "error": "disk full"}},
    "vault": {"lost": [], "unknown": []}, "custody": {"quarantined": 3},
    "reviews": {"policy": None, "agreements": [], "entries": 0}, "releases": [],
    "papers": {
        "serial": 7, "made_at": 1_790_000_000, "taken_at": 1_790_000_001.0, "refused": {}, "fault": "",
        "has_key": True, "busy": False,
    },
}  # fmt: skip


@pytest.fixture
def told(monkeypatch):
    """The status that the service will tell; tests change it."""
    status = copy.deepcopy(STATUS)
    monkeypatch.setattr("agent.commands.status.ask", lambda settings, command: status)
    return status


def test_a_real_service_is_told_in_full(typed, objects, running):
    code, out, _ = typed("status")
    assert code == 0
    for word in (str(running.watched), "enforce", "native", "custody", "delivered"):
        assert word in out
    (plain,) = objects("status")
    assert plain["roots"][0]["path"] == str(running.watched)


def test_coverage_of_a_real_service(typed, objects, running):
    code, out, _ = typed("coverage")
    assert code == 0 and "last full pass" in out
    (root,) = objects("coverage")
    assert root["covered"] is True and root["path"] == str(running.watched)


def test_names_are_escaped_and_missing_protections_named(told, capsys):
    assert run(["status"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and r"/srv/a\x1b[2J" in out
    assert "landlock: the kernel has none" in out and "disk full" in out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["roots"][0].update(state="stuck", fault="silent"), "is stuck: silent"),
        (lambda s: s["roots"][0].update(state="degraded", proof="missed"), "canary"),
        (lambda s: s["roots"][0].update(breaker_open=True), "circuit breaker"),
        (lambda s: s["roots"][0].update(hold="no questions"), "before they are judged: no questions"),
        (lambda s: s["roots"][0].update(abandoned=[1]), "1 keeper hangs"),
        (lambda s: s["vault"].update(lost=["x"]), "should be in the vault"),
        (lambda s: s["sinks"]["file"].update(dead=2), "could not be delivered"),
        (lambda s: s["reviews"].update(policy="2025-01-01"), "due for review on 2025-01-01"),
        (lambda s: s["reviews"].update(agreements=["DAA-1"]), "1 agreement is overdue for review: DAA-1"),
        (lambda s: s["reviews"].update(entries=2), "2 entries are due for review"),
        (lambda s: s["releases"].append({"state": "written", "destination": "/x"}), "begun and not ended"),
        (lambda s: s["papers"].update(fault="older"), "refused (older): the last good one stays"),
        (lambda s: s["papers"].update(refused={"agreement:X": "malformed"}), "agreement:X (malformed)"),
    ],
)
def test_what_calls_for_a_person_is_said_and_in_the_exit_code(told, capsys, change, said):
    change(told)
    assert run(["status"]) == 1
    assert said in capsys.readouterr().out
    assert run(["status", "--json"]) == 1


def test_coverage_counts_what_was_not_examined_by_reason(told, capsys):
    told["roots"][0].update(
        not_examined={"malformed": 3, "link": 12}, backlog=5,
        swept={"started_at": 1.0, "finished_at": 2.0, "files": 10, "folders": 1, "complete": False},
    )  # fmt: skip
    assert run(["coverage"]) == 0
    out = capsys.readouterr().out
    assert "3  not examined: broken" in out and "(link)" in out and "not complete" in out
    told["roots"][0]["state"] = "no_access"
    assert run(["coverage", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["covered"] is False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"proof": "seen", "proved_at": 0.0}, "proved by a canary"),
        ({"hold": "held"}, "nobody opens a file there before it is judged"),
        ({"proof": "unwritable"}, "not proven"),
        ({"held": 3}, "3 files older than the watch"),
        ({"state": "waiting", "coverage": "offline"}, "offline (waiting)"),
    ],
)
def test_coverage_tells_its_proof_and_what_waits_for_a_person(told, capsys, change, said):
    told["roots"][0].update(change)
    run(["coverage"])
    assert said in capsys.readouterr().out


def test_a_machine_that_was_enrolled_without_a_key_for_papers_says_so(told, capsys):
    told["sinks"]["console"] = {}
    told["papers"]["has_key"] = False
    run(["status"])
    assert "enrol this machine again" in capsys.readouterr().out


def test_nothing_watched_is_said(told, capsys):
    told["roots"] = []
    assert run(["coverage"]) == 0
    assert "no root is watched" in capsys.readouterr().out


def test_an_older_service_that_knows_no_papers_is_told_all_the_same(told, capsys):
    del told["papers"]
    told["sinks"]["console"] = {"pending": 0, "delivered": 1, "dead": 0, "error": ""}
    run(["status"])
    assert "papers" not in capsys.readouterr().out
