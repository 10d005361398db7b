"""What answers mean (agent.sinks.web, agent.sinks.webhook, agent.sinks.splunk), and agent.sinks.journal."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from web_places import SplunkPlace, WebhookPlace

from agent.sinks.journal import datagram
from agent.sinks.sink import DeliveryError
from agent.sinks.web import Web, accepted
from agent.sinks.webhook import signature

RECORD: dict[str, Any] = {
    "class_uid": 2006,
    "time": 1500,
    "metadata": {"uid": "id-1:1"},
    "finding_info": {"uid": "id-1"},
}


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_is_about_the_record_is_permanent(status: int) -> None:
    with pytest.raises(DeliveryError) as caught:
        accepted(status)
    assert caught.value.permanent


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 408, 410, 429, 500, 502, 503, 504])
def test_what_is_about_the_address_or_about_us_can_be_mended(status: int) -> None:
    with pytest.raises(DeliveryError) as caught:
        accepted(status)
    assert not caught.value.permanent and caught.value.code == f"http_{status}"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_success(status: int) -> None:
    accepted(status)


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-made-up\r\n", b"", b"HTTP/1.1 abc\r\n\r\n"],
)
def test_nonsense_is_a_temporary_failure(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(DeliveryError) as caught:
            Web(f"http://127.0.0.1:{server.getsockname()[1]}/", "", 60.0).post(b"{}", {})
        thread.join()
        assert not caught.value.permanent


def test_the_signature_is_what_the_page_says() -> None:
    """Computed with `openssl dgst -sha256 -hmac key`."""
    made = signature(b"key", "1700000000", b'{"n":1}')
    assert made == "sha256=fb65f9bd0a02faafbd7bb3a9fe9f62c2809b0ed738871c173e25db852f7ff138"


@pytest.fixture
def splunk(tmp_path: Path) -> Iterator[SplunkPlace]:
    place = SplunkPlace(tmp_path, Authority(tmp_path))
    yield place
    place.close()


def test_many_events_go_in_one_post(splunk: SplunkPlace) -> None:
    splunk.sink.deliver(*[RECORD] * 16)
    assert len(splunk.received()) == 16


def test_a_wrong_index_can_be_mended(splunk: SplunkPlace) -> None:
    splunk.refusal = (400, b'{"text":"Incorrect index","code":7}')
    with pytest.raises(DeliveryError) as caught:
        splunk.sink.deliver(RECORD)
    assert (caught.value.code, caught.value.permanent) == ("http_400", False)


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"code":"x"}', b"[" * 5000])
def test_a_refusal_that_says_nothing_can_be_mended(splunk: SplunkPlace, answer: bytes) -> None:
    splunk.refusal = (400, answer)
    with pytest.raises(DeliveryError) as caught:
        splunk.sink.deliver(RECORD)
    assert not caught.value.permanent


def test_a_webhook_can_have_ecs_and_no_paths(tmp_path: Path) -> None:
    place = WebhookPlace(tmp_path, Authority(tmp_path))
    try:
        place.make(format="ecs", mask_paths=True).deliver(
            {**RECORD, "file": {"name": "a.csv", "path": "/x/a.csv"}}
        )
        [body] = place.received()
        assert b'"ecs"' in body and b"a.csv" not in body
    finally:
        place.close()


def test_a_journal_field_with_a_line_break_has_its_length_before_it() -> None:
    plain = datagram({**RECORD, "message": "one\nMESSAGE=two"})
    assert plain.startswith(b"MESSAGE=one?MESSAGE=two\nPRIORITY=6\n")
