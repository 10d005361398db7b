"""Workstations, trends, custody, the audit and erasing, from afar."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from console.roles import Role


def test_agents_with_what_they_watch(ann, rig):
    agent = rig.agent("agent-2")
    rig.send(agent, agent.heartbeat(rig.now, covered=False), to="/api/v1/heartbeats")
    assert [a["id"] for a in ann("agents", "list", "--json").lines] == ["agent-1", "agent-2"]
    assert [a["id"] for a in ann("agents", "list", "--state", "uncovered", "--json").lines] == ["agent-2"]
    (whole,) = ann("agents", "show", "agent-2", "--json").lines
    assert len(whole["roots"]) == 2 and "no answer" in ann("agents", "show", "agent-2").out


def test_trends_and_custody(ann):
    (told,) = ann("trends", "--json").lines
    assert told["total"] == 5 and "detector" not in ann("trends").err
    held = ann("custody", "--json").lines
    assert held and all(entry["entry"].startswith("e-agent-1-") for entry in held)


def test_an_administrator_lets_in_and_shuts_out(rig, as_):
    run = as_("adam", Role.ADMINISTRATOR)
    rig.agent("agent-1")
    assert run("agents", "token", "--note", "pc-9", "--json").lines[0]["token"].startswith("rwe_")
    assert run("agents", "revoke", "agent-1", "--json").lines[0]["revoked_at"] == rig.now
    assert run("agents", "revoke", "agent-9").code == 1


def test_the_audit_is_read_and_checked(rig, as_):
    run = as_("ora", Role.AUDITOR)
    assert run("alerts", "list").code == 0
    (entry,) = run("audit-trail", "list", "--actor", "ora", "--limit", "1", "--json").lines
    assert entry["action"] == "alerts_listed"
    assert run("audit-trail", "verify").code == 0
    with rig.database.transaction() as db:
        db.execute(text("UPDATE audit SET actor = 'x' WHERE sequence = 1"))
    broken = run("audit-trail", "verify", "--json")
    assert broken.code == 1 and broken.lines[0]["faults"][0]["kind"] == "changed"


@pytest.mark.parametrize(("words", "given", "code"), [(("--yes",), "", 0), ((), "y\n", 0), ((), "n\n", 130)])
def test_erasing_asks_first(rig, as_, words, given, code):
    run = as_("dora", Role.DATA_PROTECTION_OFFICER)
    assert run("erase", "--days", "30", *words, given=given).code == code
