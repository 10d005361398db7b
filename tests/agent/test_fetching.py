"""When the console is asked for its papers, and what happens to what the courier brings."""

from __future__ import annotations

import os
from typing import Any, cast

import pytest

from agent.carried import Carried
from agent.fetching import CONFIRM_SECONDS, EVERY_SECONDS, PATIENCE_SECONDS, Fetching
from agent.memory_file import sealed
from agent.paper_bundle import BadBundle


class Kept:
    """Stands in for what takes bundles up."""

    def __init__(self) -> None:
        self.key, self.serial, self.host_id, self.fault = "ed25519:x", 7, "host-1", ""
        self.took: list[bytes] = []
        self.is_busy = False
        self.asked_again = 0

    def take(self, untrusted: bytes, by: str) -> None:
        assert by == "console"
        self.took.append(untrusted)
        if untrusted != b"good":
            raise BadBundle("malformed", "no")
        self.serial = 8

    def unchanged(self) -> None:
        self.asked_again += 1


class Asking:
    def __init__(self, every_seconds: float = 60.0) -> None:
        self.now, self.kept = 1000.0, Kept()
        self.said: list[str] = []
        carried = cast(Carried, self.kept)
        delay = lambda failures: 5.0 * 2**failures  # noqa: E731
        self.fetching = Fetching(carried, every_seconds, delay, self.said.append, lambda: self.now)

    def order(self) -> dict[str, Any] | None:
        return self.fetching.order()

    def brings(self, fd: int) -> None:
        self.fetching.answered({"fetched": "console", "ok": True}, [fd])
        os.close(fd)


@pytest.fixture
def asking() -> Asking:
    return Asking()


def test_it_asks_at_the_start_with_what_it_has_and_then_at_its_pace(asking: Asking) -> None:
    order = asking.order()
    assert order is not None and (order["agent"], order["after"]) == ("host-1", 7)
    assert asking.order() is None
    asking.fetching.answered({"ok": True}, [])
    assert asking.kept.asked_again == 1
    asking.now += 59
    assert asking.order() is None
    asking.now += 2
    assert asking.order() is not None


def test_what_was_taken_is_confirmed_soon_and_the_same_again_is_not(asking: Asking) -> None:
    """A console that goes on sending it must not keep the service busy."""
    asking.order()
    asking.brings(sealed(b"good"))
    assert asking.kept.took == [b"good"] and asking.order() is None and asking.said == []
    asking.now += CONFIRM_SECONDS
    assert asking.order() is not None
    asking.brings(sealed(b"good"))
    asking.now += CONFIRM_SECONDS
    assert asking.order() is None


def test_while_papers_are_being_handed_in_nothing_more_is_asked_for(asking: Asking) -> None:
    asking.kept.is_busy = True
    assert asking.order() is None
    asking.kept.is_busy = False
    assert asking.order() is not None


def test_a_bad_bundle_is_said_and_asked_for_again_only_at_the_pace(asking: Asking) -> None:
    asking.order()
    asking.brings(sealed(b"bad"))
    assert "last good one stays" in asking.said[0] and asking.order() is None


def test_what_is_not_sealed_memory_counts_as_a_bad_bundle(asking: Asking) -> None:
    asking.order()
    reading, writing = os.pipe()
    asking.brings(reading)
    os.close(writing)
    assert asking.kept.took == [b""]


def test_what_nobody_asked_for_is_not_looked_at(asking: Asking) -> None:
    """A courier that was taken over must not keep the service busy."""
    asking.brings(sealed(b"good"))
    asking.order()
    asking.brings(sealed(b"bad"))
    asking.brings(sealed(b"good"))
    assert asking.kept.took == [b"bad"]


def test_after_a_failure_it_tries_sooner_but_ever_less_often(asking: Asking) -> None:
    for wait in (5, 10, 20):
        assert asking.order() is not None
        asking.fetching.answered({"ok": False, "code": "ECONNREFUSED"}, [])
        assert asking.kept.fault == "ECONNREFUSED"
        asking.now += wait - 1
        assert asking.order() is None
        asking.now += 1


def test_a_courier_that_never_answers_is_asked_again(asking: Asking) -> None:
    asking.order()
    asking.now += PATIENCE_SECONDS
    assert asking.order() is not None


def test_without_a_key_nothing_is_asked_for(asking: Asking) -> None:
    asking.kept.key = ""
    assert asking.order() is None
    asking.kept.key = "ed25519:x"
    asking.fetching.hurry()
    assert asking.order() is not None


def test_without_heartbeats_it_has_a_pace_of_its_own() -> None:
    asking = Asking(every_seconds=0)
    asking.order()
    asking.fetching.answered({"ok": True}, [])
    asking.now += EVERY_SECONDS - 1
    assert asking.order() is None
