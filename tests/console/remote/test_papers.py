"""Agreements and requests from afar: carried, never signed."""

from __future__ import annotations

import csv
import io
import json

import pytest

from agent.statements import as_text, from_json
from console.roles import Role


@pytest.fixture
def dora(desk, as_):
    return as_("dora", Role.INFORMATION_ASSET_OWNER, Role.DATA_PROTECTION_OFFICER, Role.ANALYST)


def put(folder, name, envelope):
    (folder / name).write_text(as_text(envelope))
    return str(folder / name)


def test_a_token_of_both_approvers_approves_nothing(dora, agreed, draft, tmp_path):
    """Only the signatures of two keys do, and they travel through the command line as they were made."""
    (line,) = dora("agreements", "hand-in", put(tmp_path, "draft", draft), "--json").lines
    assert (line["standing"], line["approved_by"]) == ("pending", [])
    out = tmp_path / "to-sign.json"
    assert dora("agreements", "document", "DAA-made-up-1", "--out", str(out)).code == 0
    assert json.loads(out.read_text()) == draft.to_json()
    (line,) = dora("agreements", "hand-in", put(tmp_path, "signed", agreed.both(draft)), "--json").lines
    assert (line["standing"], len(line["approved_by"])) == ("in_force", 2)
    assert dora("agreements", "list", "--json").lines[0]["id"] == "DAA-made-up-1"
    assert "University of Somewhere" in dora("agreements", "show", "DAA-made-up-1").out


def test_the_report_is_a_table_and_the_bundle_a_file(dora, agreed, draft, tmp_path):
    dora("agreements", "hand-in", put(tmp_path, "signed", agreed.both(draft)))
    (row,) = csv.DictReader(io.StringIO(dora("agreements", "report").out))
    assert row["agreement"] == "DAA-made-up-1"
    assert dora("agreements", "report", "--json").lines[0]["id"] == "DAA-made-up-1"
    out = tmp_path / "papers.json"
    assert dora("agreements", "bundle", "--out", str(out)).code == 0 and json.loads(out.read_text())
    assert dora("agreements", "bundle", "--out", str(out)).code == 2  # nothing is written over


def test_requests_are_listed_and_what_is_no_paper_is_refused(dora, tmp_path):
    assert dora("requests", "list", "--json").out == ""
    assert dora("requests", "show", "release", "none").code == 1
    assert dora("requests", "document", "disposal", "none").code == 1
    (tmp_path / "x").write_text("no document")
    assert dora("requests", "hand-in", str(tmp_path / "x")).code == 1
    assert dora("requests", "hand-in", str(tmp_path / "nowhere")).code == 2


def test_an_exception_is_proposed_signed_and_revoked_from_afar(desk, dora, agreed, tmp_path):
    agent = desk.agent()
    desk.send(agent, agent.alert(1))
    dora("alerts", "decide", "agent-1-1", "false_positive")
    wanted = ("--scope", "content", "--reason", "codes")
    (line,) = dora("exceptions", "propose", "agent-1-1", *wanted, "--json").lines
    assert line["standing"] == "pending"
    document = dora("exceptions", "document", line["id"]).out
    signed = agreed.both(from_json(json.loads(document)))
    (line,) = dora("exceptions", "hand-in", put(tmp_path, "signed", signed), "--json").lines
    assert line["standing"] == "in_force" and line["id"] in dora("exceptions", "list").out
    assert "codes" in dora("exceptions", "show", line["id"]).out
    end = dora("exceptions", "revocation", line["id"], "--reason", "they are people").out
    signed = agreed.owner.sign(from_json(json.loads(end)))
    (line,) = dora("exceptions", "hand-in", put(tmp_path, "end", signed), "--json").lines
    assert (line["standing"], line["revoked_because"]) == ("revoked", "they are people")


def test_a_tuning_is_proposed_and_revoked_from_afar(desk, as_, agreed, tmp_path, monkeypatch):
    from console import trial

    monkeypatch.setattr(trial, "fault_of", lambda stanzas: "")
    root = as_("root", Role.ADMINISTRATOR)
    (tmp_path / "toml").write_text("[detectors.row_subject]\nbonus = 1\n")
    wanted = ("--settings", str(tmp_path / "toml"), "--reason", "headers")
    (line,) = root("tuning", "propose", *wanted, "--agent", "agent-1", "--json").lines
    number = line["id"]
    assert line["statement"]["agents"] == ["agent-1"] and line["standing"] == "pending"
    out = tmp_path / "to-sign.json"
    assert root("tuning", "document", number, "--out", str(out)).code == 0
    signed = put(tmp_path, "signed", agreed.both(from_json(json.loads(out.read_text()))))
    assert root("tuning", "hand-in", signed, "--json").lines[0]["standing"] == "in_force"
    end = root("tuning", "revocation", number, "--reason", "too many", "--json").lines[0]
    ended = put(tmp_path, "end", agreed.owner.sign(from_json(end)))
    assert root("tuning", "hand-in", ended, "--json").lines[0]["standing"] == "revoked"
    assert root("tuning", "list", "--json").lines[0]["id"] == number
    assert root("agreements", "list").code == 77
