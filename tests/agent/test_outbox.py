"""The outbox: at least once, patient with a sink that is down, never stuck behind one letter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.ledger import Ledger
from agent.outbox import DIGEST_MOST, UNDER_WAY_MOST, Outbox
from agent.schema import AlertRow, AlertState, RootRow


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.attach(RootRow("r", "/srv", "shared", "unrestricted"))
    yield ledger
    ledger.close()


class Clock:
    def __init__(self) -> None:
        self.now = 4e9

    def __call__(self) -> float:
        return self.now


def alert(alert_id: str, revision: int = 1) -> AlertRow:
    return AlertRow(
        alert_id, "k", "r", None, "/srv/x", "detected", "", AlertState.RELEASED,
        {"class_uid": 2006, "activity_id": revision, "n": revision}, 1.0, 1.0, revision,
    )  # fmt: skip


def outbox(ledger: Ledger, clock: Clock, *sinks: str) -> Outbox:
    return Outbox(ledger, sinks or ("file",), 5.0, 900.0, clock)


def answer(order: dict[str, Any], ok: bool, permanent: bool = False) -> dict[str, Any]:
    plain = {k: order[k] for k in ("sink", "id", "revision")} | {"ok": ok}
    return plain if ok else plain | {"permanent": permanent, "code": "ECONNREFUSED"}


def test_a_letter_under_way_is_not_sent_twice_until_the_courier_dies(ledger: Ledger) -> None:
    box = outbox(ledger, Clock())
    ledger.tell(alert("a"), box.sinks)
    [order] = box.orders()
    assert (order["id"], order["record"]["activity_id"]) == ("a", 1)
    assert box.orders() == []
    box.courier_lost()
    assert [o["id"] for o in box.orders()] == ["a"]


def test_an_acknowledged_letter_is_done_also_after_a_restart(ledger: Ledger) -> None:
    box = outbox(ledger, Clock())
    ledger.tell(alert("a"), box.sinks)
    [order] = box.orders()
    box.answered(answer(order, ok=True))
    assert box.orders() == []
    assert outbox(ledger, Clock()).orders() == []
    assert box.status() == {"file": {"pending": 0, "delivered": 1, "dead": 0, "error": ""}}


def test_an_unacknowledged_letter_is_sent_again_after_a_restart(ledger: Ledger) -> None:
    box = outbox(ledger, Clock())
    ledger.tell(alert("a"), box.sinks)
    box.orders()
    assert [o["id"] for o in outbox(ledger, Clock()).orders()] == ["a"]


def test_a_temporary_failure_backs_off_and_one_letter_tries_the_door(ledger: Ledger) -> None:
    clock = Clock()
    box = outbox(ledger, clock)
    for n in range(5):
        ledger.tell(alert(f"a{n}"), box.sinks)
    orders = box.orders()
    assert len(orders) == 5
    for order in orders:
        box.answered(answer(order, ok=False))
    assert box.orders() == []
    clock.now += 900
    assert len(box.orders()) == 1
    assert box.status()["file"]["error"] == "ECONNREFUSED"


def test_one_letter_that_fails_does_not_hold_up_the_others_for_ever(ledger: Ledger) -> None:
    clock = Clock()
    box = outbox(ledger, clock)
    ledger.tell(alert("bad"), box.sinks)
    ledger.tell(alert("good"), box.sinks)
    delivered = set()
    for _ in range(20):
        clock.now += 100
        for order in box.orders():
            box.answered(answer(order, ok=order["id"] == "good"))
            delivered |= {order["id"]}
    assert "good" in delivered
    assert ledger.delivery_counts()["file"] == {"delivered": 1, "pending": 1}


def test_delays_double_are_spread_and_have_an_end(ledger: Ledger) -> None:
    box = outbox(ledger, Clock())
    delays = [box.delay(n) for n in range(40)]
    assert 2.5 <= delays[0] <= 5.0
    assert all(d <= 900 for d in delays)
    assert delays[20] >= 450
    assert len({box.delay(3) for _ in range(5)}) > 1


def test_a_permanent_failure_becomes_a_dead_letter_and_the_next_goes_on(ledger: Ledger) -> None:
    clock = Clock()
    box = outbox(ledger, clock)
    ledger.tell(alert("a"), box.sinks)
    [order] = box.orders()
    box.answered(answer(order, ok=False, permanent=True))
    ledger.tell(alert("b"), box.sinks)
    assert [o["id"] for o in box.orders()] == ["b"]
    assert box.status()["file"]["dead"] == 1
    clock.now += 10_000
    assert box.orders() == []


def test_a_sink_that_is_down_does_not_hold_up_another(ledger: Ledger) -> None:
    box = outbox(ledger, Clock(), "file", "syslog")
    ledger.tell(alert("a"), box.sinks)
    for order in box.orders():
        box.answered(answer(order, ok=order["sink"] == "file"))
    ledger.tell(alert("b"), box.sinks)
    assert [(o["id"], o["sink"]) for o in box.orders()] == [("b", "file")]


def test_an_update_waits_for_the_first_delivery_and_is_an_update(ledger: Ledger) -> None:
    box = outbox(ledger, Clock())
    ledger.tell(alert("a"), box.sinks)
    [order] = box.orders()
    ledger.tell(alert("a", 2), box.sinks)
    assert box.orders() == []
    box.answered(answer(order, ok=True))
    [second] = box.orders()
    assert (second["revision"], second["record"]["activity_id"]) == (2, 2)


def test_an_update_that_overtakes_is_a_create_for_that_sink(ledger: Ledger) -> None:
    box = outbox(ledger, Clock())
    ledger.tell(alert("a"), box.sinks)
    ledger.tell(alert("a", 2), box.sinks)
    [order] = box.orders()
    assert order["record"]["activity_id"] == 1


def test_no_more_is_under_way_than_a_courier_can_hold(ledger: Ledger) -> None:
    box = outbox(ledger, Clock())
    for n in range(UNDER_WAY_MOST * 2):
        ledger.tell(alert(f"a{n:03}"), box.sinks)
    assert len(box.orders()) == UNDER_WAY_MOST
    assert box.orders() == []


def test_answers_about_nothing_are_ignored(ledger: Ledger) -> None:
    box = outbox(ledger, Clock())
    box.answered({"sink": "file", "id": "x", "revision": 1, "ok": True})
    box.answered({"sink": "gone", "id": "x", "revision": 1, "ok": True})
    assert box.orders() == []


def test_a_dead_letter_is_listed_with_its_reason_and_sent_again_when_a_person_says_so(ledger: Ledger) -> None:
    box = outbox(ledger, Clock(), "file", "mail")
    for alert_id in ("a", "b"):
        ledger.tell(alert(alert_id), box.sinks)
    for order in box.orders():
        box.answered(answer(order, ok=order["sink"] == "mail", permanent=True))
    listed = ledger.undelivered_letters(10)
    assert [(d["alert_id"], d["sink"], d["state"], d["error"]) for d in listed] == [
        ("a", "file", "dead", "ECONNREFUSED"), ("b", "file", "dead", "ECONNREFUSED"),
    ]  # fmt: skip
    assert ledger.send_again(["mail"]) == 0
    assert ledger.send_again(box.sinks, "b") == 1
    assert [(o["id"], o["sink"]) for o in box.orders()] == [("b", "file")]
    assert ledger.send_again(box.sinks) == 1


def test_a_round_of_failures_is_one_failure(ledger: Ledger) -> None:
    """Sixteen letters under way that find a server down must not make it wait as after sixteen tries."""
    clock = Clock()
    box = outbox(ledger, clock)
    for n in range(UNDER_WAY_MOST):
        ledger.tell(alert(f"a{n:02}"), box.sinks)
    for order in box.orders():
        box.answered(answer(order, ok=False))
    clock.now += 5
    assert len(box.orders()) == 1


def test_people_get_one_message_for_all_that_came_since_the_last(ledger: Ledger) -> None:
    clock = Clock()
    box = Outbox(ledger, ["mail"], 5.0, 900.0, clock, paces={"mail": 300.0})
    ledger.tell(alert("first"), box.sinks)
    [order] = box.orders()
    for n in range(DIGEST_MOST + 10):
        ledger.tell(alert(f"a{n:04}"), box.sinks)
    assert box.orders() == []  # one message at a time
    box.answered(answer(order, ok=True))
    clock.now += 299
    assert box.orders() == []
    clock.now += 1
    assert len(box.orders()) == DIGEST_MOST


def test_what_people_get_has_no_evidence_in_it(ledger: Ledger) -> None:
    box = Outbox(ledger, ["mail", "file"], 5.0, 900.0, Clock(), paces={"mail": 300.0})
    row = alert("a")
    row.record["unmapped"] = {"findings": [1], "zone": "shared"}
    ledger.tell(row, box.sinks)
    told = {order["sink"]: order["record"]["unmapped"] for order in box.orders()}
    assert told == {"mail": {"zone": "shared"}, "file": {"findings": [1], "zone": "shared"}}


def test_people_are_not_told_of_heartbeats(ledger: Ledger) -> None:
    box = Outbox(ledger, ["mail", "file"], 5.0, 900.0, Clock(), paces={"mail": 0.0})
    assert box.heartbeat_sinks == ("file",)
