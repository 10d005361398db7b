"""The contract of all sinks, against real servers on loopback (`tests/places`)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from console_place import ConsolePlace
from mail_place import MailPlace
from rsyslog_place import RsyslogPlace
from sink_places import (
    IMPATIENT_SECONDS,
    SYSLOG,
    DatagramPlace,
    FilePlace,
    JournalPlace,
    Place,
    SyslogPlace,
    TcpPlace,
)
from web_places import ChatPlace, SlackPlace, SplunkPlace, TeamsPlace, WebhookPlace

from agent.ledger import Ledger
from agent.outbox import Outbox
from agent.schema import AlertRow, AlertState, RootRow
from agent.sinks.sink import DeliveryError, Sink

RECORD: dict[str, Any] = {
    "class_uid": 2006,
    "activity_id": 1,
    "time": 1_700_000_000_123,
    "severity_id": 4,
    "severity": "High",
    "disposition": "Quarantined",
    "status_detail": "policy",
    "metadata": {"uid": "id-1:1"},
    "finding_info": {"uid": "id-1", "title": "Record-level data about people"},
    "device": {"hostname": "desk-7", "uid": "agent-7"},
    "file": {"name": "survey.csv", "path": "/media/stick/survey.csv"},
    "data_security": {"discovery_details": [{"type": "age"}] * 50},
    "unmapped": {"findings": [{"detector": "shape"}] * 50, "zone": "removable"},
}
HOSTILE = [
    'x"] [evil@1 a="b',
    "x\n<0>1 forged - - - - -",
    "x\r\n120 <0>1 forged",
    "x\r\nBcc: everybody@elsewhere.example\r\n\r\n.\r\nRCPT TO:<a@b.example>",
    "\x1b[2Jx\x00\x07",
    "\udcff\udc80",
    "\u202etxt.exe\u2028",
    "back\\slash] | a=b",
    "<img src=x onerror=alert(1)>&<!channel> [a](http://evil.example) *b*",
    "n" * 4096,
]
KINDS = (
    "file", "tcp", "udp", "local", "journal", "webhook", "console", "splunk", "slack", "teams", "mail",
    "rsyslog", "rsyslog-tls",
)  # fmt: skip
SERVERS = {
    "webhook": WebhookPlace, "console": ConsolePlace, "splunk": SplunkPlace, "slack": SlackPlace,
    "teams": TeamsPlace, "mail": MailPlace,
}  # fmt: skip
ENCRYPTED = (*SERVERS, "rsyslog-tls")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def make(tmp_path: Path, authority: Authority, need: Callable[..., None]) -> Callable[..., Place]:
    def made(kind: str, host: str = "127.0.0.1") -> Place:
        if kind.startswith("rsyslog"):
            need("rsyslogd")
            return RsyslogPlace(tmp_path, authority if kind.endswith("tls") else None, host)
        if kind in SERVERS:
            return SERVERS[kind](tmp_path, authority, host)
        match kind:
            case "file":
                return FilePlace(tmp_path)
            case "tcp":
                return TcpPlace(tmp_path)
            case "journal":
                return JournalPlace(tmp_path)
            case _:
                return DatagramPlace(tmp_path, kind == "local")

    return made


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, make: Callable[..., Place]) -> Iterator[Place]:
    found = make(request.param)
    yield found
    found.close()


def arrived(place: Place, count: int) -> list[bytes]:
    """What is there as soon as it is so many messages; those that came if they never do."""
    deadline = time.monotonic() + 60
    while len(got := list(place.received())) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    return got


def named(name: str) -> dict[str, Any]:
    return {**RECORD, "file": {"name": name[:255], "path": "/media/" + name}}


def numbered(number: int) -> dict[str, Any]:
    return {**RECORD, "metadata": {"uid": f"id-{number}:1"}, "finding_info": {"uid": f"id-{number}"}}


def test_a_delivered_record_is_there_and_whole(place: Place) -> None:
    place.sink.deliver(RECORD)
    [message] = arrived(place, 1)
    assert place.ids(message) == ["id-1"]
    if place.whole:
        assert place.record(message) == RECORD


def test_a_duplicate_is_told_by_its_id(place: Place) -> None:
    place.sink.deliver(RECORD)
    place.sink.deliver(RECORD)
    messages = arrived(place, 2)
    assert len(messages) == 2
    assert {alert_id for m in messages for alert_id in place.ids(m)} == {"id-1"}


def test_no_name_can_break_out_of_its_message(place: Place) -> None:
    for name in HOSTILE:
        place.sink.deliver(named(name))
    messages = arrived(place, len(HOSTILE))
    assert [place.ids(m) for m in messages] == [["id-1"]] * len(HOSTILE)
    for message, name in zip(messages, HOSTILE, strict=True):
        _check_whole(place, message, name)
        _check_shown(place, message)


def _check_whole(place: Place, message: bytes, name: str) -> None:
    """What machines read: nothing that steers or breaks a line, and the name as it is."""
    if place.whole:
        assert not any(byte in message for byte in b"\r\x1b\x00\x07")
        assert place.record(message)["file"] == named(name)["file"]
    if isinstance(place, SyslogPlace) and (found := SYSLOG.fullmatch(message)):
        assert b"\n" not in message
        assert found[7].count(b"[recordwarden@32473 ") == 1
        assert b"[evil" not in re.sub(rb'"(?:[^"\\\]]|\\.)*"', b'""', found[7])


def _check_shown(place: Place, message: bytes) -> None:
    """What people read."""
    if isinstance(place, ChatPlace):
        assert all(text.replace("\n", "").isprintable() for text in place.texts(message))
    if isinstance(place, MailPlace):
        mail = place.parsed(message)
        assert mail["To"] == "security@dept.example" and mail["Bcc"] is None
        assert "<img" not in place.text(message, "html")
        assert not set("\x00\x07\x1b\u202e\u2028") & set(place.text(message))


def test_a_destination_that_is_down_is_a_temporary_failure_and_then_it_works(place: Place) -> None:
    place.refuse()
    if place.knows_refusal:
        with pytest.raises(DeliveryError) as caught:
            place.sink.deliver(RECORD)
        assert not caught.value.permanent
        assert re.fullmatch(r"[A-Z]+", caught.value.code)
    place.accept()
    place.sink.deliver(RECORD)
    assert len(arrived(place, 1)) == 1


@pytest.mark.parametrize("place", ["tcp", *SERVERS], indirect=True)
def test_a_destination_that_hangs_is_given_up_in_time_as_a_temporary_failure(place: Place) -> None:
    """Those that answer; there is nothing to hang on in a local write or a datagram."""
    place.hang()
    sink = place.make(IMPATIENT_SECONDS)
    started = time.monotonic()
    with pytest.raises(DeliveryError) as caught:
        sink.deliver({**RECORD, "message": "x" * 200_000})
    assert not caught.value.permanent
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("place", SERVERS, indirect=True)
@pytest.mark.parametrize("permanent", [True, False])
def test_what_is_refused_for_good_and_what_for_now_are_told_apart_without_quoting(
    place: Place, permanent: bool
) -> None:
    place.answer(permanent=permanent)
    with pytest.raises(DeliveryError) as caught:
        place.sink.deliver(RECORD)
    assert caught.value.permanent is permanent
    assert re.fullmatch(r"(http|smtp)_\d{3}", caught.value.code)
    assert not place.received()


def test_a_record_that_cannot_be_printed_is_a_permanent_failure(place: Place) -> None:
    if place.whole:
        with pytest.raises(DeliveryError) as caught:
            place.sink.deliver({**RECORD, "message": float("nan")})
        assert caught.value.permanent
    place.sink.deliver(RECORD)
    assert len(arrived(place, 1)) == 1


def test_a_huge_record_is_told_without_what_makes_it_huge(place: Place) -> None:
    huge = {**RECORD, "unmapped": {"findings": [{"detector": "shape", "term": "x" * 1000}] * 2000}}
    place.sink.deliver({**huge, "metadata": {"uid": "id-2:1"}, "finding_info": {"uid": "id-2"}})
    place.sink.deliver(RECORD)
    assert [place.ids(m) for m in arrived(place, 2)] == [["id-2"], ["id-1"]]


@pytest.mark.parametrize("place", ENCRYPTED, indirect=True)
def test_a_server_with_a_certificate_of_somebody_else_is_told_nothing(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    sink = place.make(ca=Authority(tmp_path / "other", "somebody else").pem)
    with pytest.raises(DeliveryError) as caught:
        sink.deliver(RECORD)
    assert (caught.value.code, caught.value.permanent) == ("certificate_refused", False)
    assert not place.received()


@pytest.mark.parametrize("kind", ENCRYPTED)
def test_a_server_with_the_certificate_of_another_host_is_told_nothing(
    kind: str, make: Callable[..., Place]
) -> None:
    place = make(kind, "elsewhere.example")
    try:
        with pytest.raises(DeliveryError) as caught:
            place.sink.deliver(RECORD)
        assert (caught.value.code, caught.value.permanent) == ("certificate_refused", False)
        assert not place.received()
    finally:
        place.close()


@pytest.mark.parametrize("place", SERVERS, indirect=True)
def test_a_secret_is_in_no_failure_no_message_and_no_description(place: Place) -> None:
    told = [repr(place.sink), str(place.sink)]
    place.sink.deliver(RECORD)
    told += [m.decode(errors="replace") for m in place.received()]
    for permanent in (True, False):
        place.answer(permanent=permanent)
        with pytest.raises(DeliveryError) as caught:
            place.sink.deliver(RECORD)
        told += [repr(caught.value), str(caught.value.__cause__)]
    assert not any(place.secret in text for text in told)


@pytest.mark.parametrize("place", SERVERS, indirect=True)
def test_a_wrong_secret_waits_until_somebody_mends_it(place: Place) -> None:
    """Nothing is wrong with the alert: a dead letter would be for nothing."""
    option = {"mail": "password", "splunk": "token", "webhook": "secret", "console": "key"}.get(_kind(place))
    wrong = place.make(**({option: "wrong"} if option else {"url": place.url.rpartition("/")[0] + "/other"}))
    with pytest.raises(DeliveryError) as caught:
        wrong.deliver(RECORD)
    assert not caught.value.permanent
    assert not place.received()


def _kind(place: Place) -> str:
    return next((kind for kind, cls in SERVERS.items() if isinstance(place, cls)), "")


@pytest.mark.parametrize("place", [k for k in KINDS if k not in ("file", "udp")], indirect=True)
def test_while_a_destination_is_down_nothing_is_lost_and_then_all_is_counted_once(
    place: Place, tmp_path: Path
) -> None:
    """Days go by in the outbox. A full disk is another test; UDP never knows whether anybody listens."""
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.attach(RootRow("r", "/srv", "shared", "unrestricted"))
    clock = _Clock()
    paced = {"it": 300.0} if not place.whole else {}
    box = Outbox(ledger, ["it"], 5.0, 900.0, clock, paces=paced)
    for number in range(3):
        _tell(ledger, number)
    _deliver_all(box, place.sink)
    place.refuse()
    for number in range(3, 30):
        _tell(ledger, number)
        clock.now += 8 * 3600
        _deliver_all(box, place.sink)
    place.accept()
    before = len(place.received())
    while box.status()["it"]["pending"]:
        clock.now += 900
        _deliver_all(box, place.sink)
        assert clock.now < 9e9, box.status()
    ids = {f"id-{number}" for number in range(30)}
    deadline = time.monotonic() + 60
    while sum(map(place.count, place.received())) < len(ids) and time.monotonic() < deadline:
        time.sleep(0.01)
    ledger.close()
    assert sum(map(place.count, place.received())) == len(ids)
    if not isinstance(place, ChatPlace):
        assert sorted(_ids(place)) == sorted(ids)
    if not place.whole:
        assert len(place.received()) - before == 1


class _Clock:
    now = 4e9

    def __call__(self) -> float:
        return self.now


def _ids(place: Place) -> list[str]:
    return [alert_id for message in place.received() for alert_id in place.ids(message)]


def _tell(ledger: Ledger, number: int) -> None:
    row = AlertRow(
        f"id-{number}", f"k{number}", "r", None, "/srv/x", "detected", "", AlertState.RELEASED,
        numbered(number), 1.0, 1.0,
    )  # fmt: skip
    ledger.tell(row, ["it"])


def _deliver_all(box: Outbox, sink: Sink) -> None:
    """As the courier does it."""
    orders = box.orders()
    for start in range(0, len(orders), sink.most):
        batch = orders[start : start + sink.most]
        fault = None
        try:
            sink.deliver(*(json.loads(json.dumps(order["record"])) for order in batch))
        except DeliveryError as error:
            fault = error
        for order in batch:
            answer = {k: order[k] for k in ("sink", "id", "revision")} | {"ok": fault is None}
            box.answered(answer | ({"permanent": fault.permanent, "code": fault.code} if fault else {}))
