"""The console's wire: the page's own example, and what its answers mean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from console_place import AGENT, ConsolePlace
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.sinks.console import signed
from agent.sinks.sink import DeliveryError


def alert(number: int, device: str = AGENT) -> dict[str, Any]:
    return {
        "class_uid": 2006, "time": 1_700_000_000_000, "severity_id": 4, "disposition": "Quarantined",
        "metadata": {"uid": f"id-{number}:1"}, "finding_info": {"uid": f"id-{number}", "title": "x"},
        "device": {"uid": device, "hostname": "desk-7"}, "unmapped": {"zone": "shared"},
    }  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ConsolePlace]:
    place = ConsolePlace(tmp_path, Authority(tmp_path))
    yield place
    place.close()


def test_it_signs_as_the_page_says() -> None:
    """The example of docs/console-api.md."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    headers = signed(
        key, "POST", "/api/v1/alerts", "agent-1", b'{"records":[]}', "1700000000", "nonce-nonce-nonce-1"
    )
    assert headers["Recordwarden-Signature"] == (
        "Vsm4dGBQ/vT7xzpvidootw9JQQV5eOmmxdiyA7/MPvOKku2INhUoQOl6wtuEE44R8oLfR0LXwVzOiFr+GjnNDw=="
    )


def test_what_is_sent_twice_is_counted_once(place: ConsolePlace) -> None:
    place.sink.deliver(*(alert(n) for n in range(10)))
    place.sink.deliver(*(alert(n) for n in range(5, 15)))
    assert place.counted() == 15


def test_alerts_and_heartbeats_go_where_they_belong(place: ConsolePlace) -> None:
    beat = {
        "class_uid": 6007, "time": 1_700_000_000_000, "metadata": {"uid": "heartbeat-x:1"},
        "device": {"uid": AGENT, "hostname": "desk-7"}, "unmapped": {"coverage": []},
    }  # fmt: skip
    place.sink.deliver(alert(1), beat, alert(2))
    assert place.counted() == 2


def test_an_agent_that_is_not_enrolled_waits(place: ConsolePlace) -> None:
    with pytest.raises(DeliveryError) as caught:
        place.sink.deliver(alert(1, "agent-8"))
    assert (caught.value.code, caught.value.permanent) == ("console_unknown_agent", False)


def test_what_the_console_refuses_for_good_is_a_dead_letter_with_its_reason(place: ConsolePlace) -> None:
    with pytest.raises(DeliveryError) as caught:
        place.sink.deliver(alert(1), alert(2, "agent-8"))
    assert (caught.value.code, caught.value.permanent) == ("console_wrong_device", True)
    assert place.counted() == 1
    assert place.sink.splits  # the courier finds out which


def test_words_of_a_server_that_is_no_console_are_not_repeated(place: ConsolePlace) -> None:
    place.refusal = (401, b'{"error": "survey.csv"}')
    with pytest.raises(DeliveryError) as caught:
        place.sink.deliver(alert(1))
    assert caught.value.code == "http_401"
    place.refusal = (200, b'{"refused": [{"code": "survey.csv"}]}')
    with pytest.raises(DeliveryError) as caught:
        place.sink.deliver(alert(1))
    assert caught.value.code == "console_refused"


def test_what_is_no_key_is_an_ordinary_failure(place: ConsolePlace) -> None:
    with pytest.raises(DeliveryError) as caught:
        place.make(key="-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----").deliver(alert(1))
    assert caught.value.code == "bad_key"
