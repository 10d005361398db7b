"""Mail: what people are told, and what the server's answers mean. The rest is in the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from mail_place import MailPlace

from agent.sinks.mail import MailSink, message
from agent.sinks.sink import DeliveryError

RECORD: dict[str, Any] = {
    "class_uid": 2006, "time": 1_700_000_000_123, "severity_id": 4, "severity": "High",
    "disposition": "Quarantined", "status_detail": "policy", "metadata": {"uid": "id-1:1"},
    "finding_info": {"uid": "id-1", "title": "Record-level data about people"},
    "device": {"hostname": "desk-7"}, "file": {"name": "survey.csv", "path": "/media/stick/survey.csv"},
    "message": "Record-level data about people, about 500 records: quarantined (policy)",
    "unmapped": {"zone": "removable", "entry": "e-1"},
}  # fmt: skip


def numbered(number: int, severity_id: int = 4) -> dict[str, Any]:
    return RECORD | {
        "metadata": {"uid": f"id-{number}:1"}, "severity_id": severity_id,
        "severity": {4: "High", 5: "Critical"}[severity_id],
        "finding_info": {"uid": f"id-{number}", "title": "Record-level data about people"},
    }  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[MailPlace]:
    place = MailPlace(tmp_path, Authority(tmp_path))
    yield place
    place.close()


def test_it_says_what_where_and_what_to_do_in_text_and_html(place: MailPlace) -> None:
    place.sink.deliver(RECORD)
    [mail] = place.received()
    parsed = place.parsed(mail)
    assert parsed["Subject"] == "[recordwarden] High: Record-level data about people: Quarantined on desk-7"
    assert parsed["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        text = place.text(mail, kind)
        assert "id-1" in text and "/media/stick/survey.csv" in text and "e-1" in text


def test_paths_are_left_out_when_masked(place: MailPlace) -> None:
    place.make(mask_paths=True).deliver(RECORD)
    [mail] = place.received()
    assert "survey" not in mail.decode() and "id-1" in mail.decode()


def test_a_storm_is_one_digest_with_each_alert_in_it_once(place: MailPlace) -> None:
    place.sink.deliver(*(numbered(n, 5 if n == 7 else 4) for n in range(300)))
    [mail] = place.received()
    assert sorted(place.ids(mail)) == sorted(f"id-{n}" for n in range(300))
    assert place.parsed(mail)["Subject"] == "[recordwarden] 300 alerts on desk-7, the gravest Critical"


def test_heartbeats_are_not_mailed(place: MailPlace) -> None:
    place.sink.deliver({"class_uid": 6007, "metadata": {"uid": "h:1"}})
    assert place.received() == []


def test_the_same_alerts_make_the_same_message_id() -> None:
    one, two = (message([RECORD], "a@b.example", ["c@d.example"]) for _ in range(2))
    other = message([numbered(2)], "a@b.example", ["c@d.example"])
    assert one["Message-ID"] == two["Message-ID"] != other["Message-ID"]


def test_a_server_without_starttls_gets_neither_alert_nor_password(tmp_path: Path) -> None:
    """Somebody on the way may have cut the offer out."""
    place = MailPlace(tmp_path, Authority(tmp_path))
    try:
        place.refuse()
        place.offers_starttls = False
        place.accept()
        with pytest.raises(DeliveryError) as caught:
            place.sink.deliver(RECORD)
        assert (caught.value.code, caught.value.permanent) == ("no_starttls", False)
        assert place.received() == [] and place.logins == []
    finally:
        place.close()


def test_in_the_open_only_when_it_was_said_so(tmp_path: Path) -> None:
    place = MailPlace(tmp_path, Authority(tmp_path))
    try:
        place.refuse()
        place.offers_starttls = False
        place.accept()
        place.make(security="none", user="", password="").deliver(RECORD)
        assert len(place.received()) == 1
    finally:
        place.close()


def test_a_host_name_that_is_none_breaks_no_greeting(
    monkeypatch: pytest.MonkeyPatch, place: MailPlace
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "a b\r\nMAIL FROM:<x>")
    place.sink.deliver(RECORD)
    assert len(place.received()) == 1


def test_it_takes_many_at_once_and_splits_none() -> None:
    assert MailSink.most >= 500 and not MailSink.splits
