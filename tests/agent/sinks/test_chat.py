"""Chat: short, masked, and nothing in a name becomes markup. The rest is in the contract suite."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.sinks import words
from agent.sinks.chat import ChatSink, SlackSink, TeamsSink

NAME = "<!channel> *x* [a](https://evil.example) & \u202e\n.csv"


def record(number: int = 1, name: str = NAME) -> dict[str, Any]:
    return {
        "class_uid": 2006, "time": 0, "severity_id": 4, "severity": "High", "disposition": "Detected",
        "metadata": {"uid": f"id-{number}:1"}, "finding_info": {"uid": f"id-{number}", "title": name},
        "device": {"hostname": name}, "file": {"path": name, "name": name},
        "unmapped": {"zone": "shared", "request": {"reason": name}},
    }  # fmt: skip


@pytest.mark.parametrize("kind", [SlackSink, TeamsSink])
def test_no_text_of_anybody_is_markup(kind: type[ChatSink]) -> None:
    sink = kind(url="https://chat.example/x", ca="", timeout_seconds=1.0, mask_paths=False)
    plain = sink.shape([record()])
    text = json.dumps(plain, ensure_ascii=False)
    assert "\u202e" not in text
    assert "mrkdwn" not in text and "TextBlock" not in text.replace("RichTextBlock", "")
    if kind is SlackSink:
        assert "<!channel>" not in plain["text"] and "&lt;!channel&gt;" in plain["text"]


@pytest.mark.parametrize("kind", [SlackSink, TeamsSink])
def test_a_storm_is_one_message_that_these_products_still_take(kind: type[ChatSink]) -> None:
    sink = kind(url="https://chat.example/x", ca="", timeout_seconds=1.0, mask_paths=False)
    plain = sink.shape([record(n, "x" * 4000) for n in range(500)])
    text = json.dumps(plain)
    assert "and 490 more" in text
    assert len(text) < 28_000
    for block in plain.get("blocks", ()):
        assert len(block["text"]["text"]) <= 3000


def test_words_leave_out_what_is_not_known() -> None:
    assert words.facts({"class_uid": 2006})[0] == ("Done", "told (policy)")
    assert words.headline({}) == ": Alert: told on an unnamed computer"
    assert words.findings([{"class_uid": 6007}]) == []
    assert words.tally([record(), record()]) == "2 Detected"
