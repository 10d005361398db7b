"""One word for how far a root is seen, and a record of each change."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agent.coverage import COVERED, WORDS, Changes, word_for


@pytest.mark.parametrize(
    ("state", "word"),
    [("waiting", "offline"), ("probing", "degraded"), ("starting", "degraded"), ("ending", "offline")]
    + [(word, word) for word in WORDS],
)
def test_every_state_of_a_post_has_its_word(state: str, word: str) -> None:
    assert word_for(state) == word
    assert (word in COVERED) == (word in ("native", "polling"))


def post(state: str, root_id: str = "r1") -> Any:
    root = SimpleNamespace(root_id=root_id, path="/srv")
    return SimpleNamespace(state=state, fault="", since=1.0, root=root)


def told(changes: Changes, *states: str) -> list[tuple[Any, str]]:
    found = [changes.look([post(state)]) for state in states]
    return [(e["from"], e["to"]) for events in found for e in events]


def test_a_good_start_is_no_change_and_a_bad_one_is() -> None:
    assert told(Changes(), "probing", "starting", "native", "native") == []
    assert told(Changes(), "probing", "waiting", "native") == [(None, "offline"), ("offline", "native")]


def test_each_change_is_told_once_and_a_restart_in_between_is_none() -> None:
    states = ("native", "degraded", "degraded", "native", "starting", "native", "stuck", "native")
    assert told(Changes(), *states) == [
        ("native", "degraded"), ("degraded", "native"), ("native", "stuck"), ("stuck", "native"),
    ]  # fmt: skip


def test_a_root_that_is_gone_is_forgotten() -> None:
    changes = Changes()
    changes.look([post("native")])
    changes.look([])
    assert [e["from"] for e in changes.look([post("no_access")])] == [None]
