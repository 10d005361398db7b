"""What an analyst does with alerts, from afar."""

from __future__ import annotations

import pytest

from console.remote import alerts as remote_alerts

ALL = {f"agent-1-{n}" for n in range(5)}


def test_list_finds_all_page_by_page_and_as_many_as_asked(ann, monkeypatch):
    monkeypatch.setattr(remote_alerts, "_AT_ONCE", 2)
    assert {row["id"] for row in ann("alerts", "list", "--json").lines} == ALL
    assert len(ann("alerts", "list", "--all", "--json").lines) == 5
    assert len(ann("alerts", "list", "--limit", "3", "--json").lines) == 3
    table = ann("alerts", "list", "--search", "agent-1-3").out.splitlines()
    assert len(table) == 2 and table[0].startswith("id\tupdated") and table[1].startswith("agent-1-3\t20")


def test_show_tells_the_record_the_timeline_and_what_is_related(ann):
    (told,) = ann("alerts", "show", "agent-1-0", "--json").lines
    assert told["record"]["finding_info"]["uid"] == "agent-1-0" and told["timeline"]
    out = ann("alerts", "show", "agent-1-0").out
    assert "what\t" in out and "\tfound\t" in out


def test_decide_note_assign_reopen(ann, rig):
    assert ann("alerts", "assign", "agent-1-1", "agent-1-2", "--to", "me").code == 0
    assert ann("alerts", "note", "agent-1-1", "--note", "ask her on Monday").code == 0
    decided = ann("alerts", "decide", "agent-1-1", "-", "false_positive", "--json", given="agent-1-2\n\n")
    assert [(a["id"], a["determination"], a["assignee"]) for a in decided.lines] == [
        ("agent-1-1", "false_positive", "ann"), ("agent-1-2", "false_positive", "ann"),
    ]  # fmt: skip
    assert ann("alerts", "reopen", "agent-1-1", "--json").lines[0]["state"] == "open"
    assert ann("alerts", "assign", "agent-1-1", "--to", "nobody", "--json").lines[0]["assignee"] is None
    (told,) = ann("alerts", "show", "agent-1-1", "--json").lines
    assert ("alert noted", "note: ask her on Monday") in [(s["what"], s["detail"]) for s in told["timeline"]]
    assert ("ann", "alert_noted", "alert:agent-1-1") in rig.audited()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "nowhere"), 1, "There is no such thing here."),
        (("decide", "agent-1-1", "nowhere", "true_positive"), 1, "There is no such thing here."),
        (("decide", "agent-1-1", "authorised"), 1, "say in the note who authorised it"),
        (("decide", "agent-1-1", "perhaps"), 2, "perhaps"),
        (("note", "agent-1-1", "--note", " "), 1, "a note has 1 to 4000 characters"),
        (("assign", "agent-1-1", "--to", "bob"), 1, "nobody of that name may decide"),
        (("list", "--view", "none"), 2, "you have no view of that name"),
        (("list", "--after", "x"), 2, "--after"),
    ],
)
def test_what_is_refused_says_why_and_has_its_code(ann, words, code, said):
    told = ann("alerts", *words)
    assert (told.code, told.out) == (code, "") and said in told.err


def test_a_view_is_saved_used_and_forgotten(ann):
    assert ann("views", "save", "sticks", "--zone", "removable", "--severity", "4").code == 0
    assert ann("views", "list", "--json").lines == [{"name": "sticks", "query": "zone=removable&severity=4"}]
    found = ann("alerts", "list", "--view", "sticks", "--severity", "0", "--state", "all", "--json").lines
    assert all(a["zone"] == "removable" and a["severity"] >= 4 for a in found)
    assert ann("views", "forget", "sticks").code == 0
    assert ann("views", "forget", "sticks").code == 1 and ann("views", "list", "--json").out == ""


def test_a_hostile_name_neither_steers_the_terminal_nor_makes_a_line(ann, rig):
    agent = rig.agent("agent-2")
    name = "\x1b[2Jx\r\nagent-9-9\tfine\u202egpj.csv"
    rig.send(agent, agent.alert(1, name=name, path="/srv/" + name))
    for words in (("list", "--agent", "agent-2"), ("show", "agent-2-1"), ("list", "--json")):
        out = ann("alerts", *words).out
        assert not set(out) & {"\x1b", "\r", "\u202e"} and "\nagent-9-9" not in out
