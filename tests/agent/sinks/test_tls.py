"""TLS: who is trusted, and how we show who we are (`agent.sinks.tls`)."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from rsyslog_place import RsyslogPlace

from agent.sinks import tls
from agent.sinks.sink import DeliveryError

RECORD: dict[str, Any] = {"time": 0, "severity_id": 4, "finding_info": {"uid": "id-1"}}


def test_certificates_and_names_are_always_checked_and_old_versions_refused(tmp_path: Path) -> None:
    made = tls.context(Authority(tmp_path).pem)
    assert made.verify_mode is ssl.CERT_REQUIRED and made.check_hostname
    assert made.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(made.get_ca_certs()) == 1  # not the system's besides


def test_a_server_that_asks_is_shown_our_certificate(tmp_path: Path, need: Callable[..., None]) -> None:
    need("rsyslogd")
    authority = Authority(tmp_path)
    place = RsyslogPlace(tmp_path, authority, asks=True)
    try:
        certificate, key = (file.read_text() for file in authority.issue("desk-7.example"))
        with suppress(DeliveryError):  # it cannot say so in every case
            place.sink.deliver({**RECORD, "finding_info": {"uid": "without"}})
        place.make(certificate=certificate, key=key).deliver(RECORD)
        deadline = time.monotonic() + 60
        while not place.received() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [place.ids(m) for m in place.received()] == [["id-1"]]
    finally:
        place.close()


def test_no_descriptor_and_no_file_stays_of_a_key(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = (file.read_text() for file in authority.issue("desk-7.example"))
    before = os.listdir("/proc/self/fd")
    tls.context(authority.pem, certificate, key)
    assert os.listdir("/proc/self/fd") == before


def test_what_is_no_certificate_is_an_ordinary_failure() -> None:
    with pytest.raises(OSError) as caught:
        tls.context("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    assert DeliveryError.of(caught.value).code == "tls_failed"
