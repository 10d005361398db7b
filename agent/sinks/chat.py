"""Alerts to a channel of Slack (incoming webhook) or Teams (workflow webhook).

All that waits goes into one short message. Text goes where these products take it as it is: Slack's
`plain_text`, Teams' text runs. Nothing in a name can become a link, a mention or markup there. The address
itself is the secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.sinks import words
from agent.sinks.sink import Record, masked, one_line
from agent.sinks.web import Web, accepted

_TOLD_MOST = 10


class ChatSink:
    """One channel."""

    most = 500
    gather_seconds = 1.0
    splits = False

    def __init__(self, *, url: str, ca: str, timeout_seconds: float, mask_paths: bool) -> None:
        self._web = Web(url, ca, timeout_seconds)
        self._mask_paths = mask_paths

    def deliver(self, *records: Record) -> None:
        told = words.findings([masked(r) if self._mask_paths else r for r in records])
        if told:
            body = one_line(self.shape(told)).encode("ascii")
            accepted(self._web.post(body, {"Content-Type": "application/json"})[0])

    def close(self) -> None:
        """Nothing is kept open between deliveries."""

    def shape(self, records: Sequence[Record]) -> dict[str, Any]:
        """The message as the product takes it."""
        raise NotImplementedError


class SlackSink(ChatSink):
    """Block Kit."""

    def shape(self, records: Sequence[Record]) -> dict[str, Any]:
        title = words.headline_of_all(records)
        blocks: list[dict[str, Any]] = [{"type": "header", "text": _slack_text(title, 150)}]
        blocks += [{"type": "section", "text": _slack_text(text, 3000)} for text in _texts(records)]
        entities = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": entities, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _slack_text(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:most], "emoji": False}


class TeamsSink(ChatSink):
    """An Adaptive Card."""

    def shape(self, records: Sequence[Record]) -> dict[str, Any]:
        body = [_teams_text(words.headline_of_all(records), bold=True)]
        body += [_teams_text(line) for text in _texts(records) for line in text.split("\n")]
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
        }
        kind = "application/vnd.microsoft.card.adaptive"
        return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


def _teams_text(text: str, bold: bool = False) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text[:1000]} | ({"weight": "Bolder"} if bold else {})
    return {"type": "RichTextBlock", "inlines": [run]}


def _texts(records: Sequence[Record]) -> list[str]:
    """A paragraph for each of the first alerts, and how many there are besides."""
    texts = ["\n".join(f"{label}: {text}" for label, text in words.facts(r)) for r in records[:_TOLD_MOST]]
    if len(records) > _TOLD_MOST:
        texts.append(f"and {len(records) - _TOLD_MOST} more. All together: {words.tally(records)}")
    return texts
