"""Syslog's own properties; the common ones are in the contract suite."""

from __future__ import annotations

import socket
import threading
from typing import Any

from agent.sinks.syslog import DATAGRAM_BYTES, SyslogSink, message, parameter

RECORD: dict[str, Any] = {
    "time": 1_700_000_000_123, "severity_id": 5, "disposition": "Uncorrected",
    "finding_info": {"uid": "id-1"}, "device": {"hostname": "a b\n\u00e9c"},
    "file": {"name": "a", "path": "/p/a"},
    "data_security": {"discovery_details": [{"type": "age"}] * 5000}, "unmapped": {"findings": []},
}  # fmt: skip


def test_the_header_is_rfc_5424() -> None:
    assert message(RECORD, 13).startswith(
        b"<106>1 2023-11-14T22:13:20.123Z abc recordwarden - ALERT [recordwarden@32473 id="
    )


def test_the_three_special_characters_are_escaped() -> None:
    assert parameter("p", 'a"b\\c]d') == 'p="a\\"b\\\\c\\]d"'


def test_a_long_record_loses_its_evidence_before_it_loses_itself() -> None:
    whole = message(RECORD, 13, DATAGRAM_BYTES)
    assert len(whole) <= DATAGRAM_BYTES
    assert b"id-1" in whole and b"discovery_details" not in whole
    long_name = {**RECORD, "file": {"path": "\u20ac" * 100_000}}
    assert len(message(long_name, 13, DATAGRAM_BYTES)) <= DATAGRAM_BYTES


def test_paths_can_be_masked() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        SyslogSink("udp", "127.0.0.1", server.getsockname()[1], "", 13, True, 1.0).deliver(RECORD)
        assert b"/p/a" not in server.recv(65536)


def test_a_server_that_reads_but_never_closes_counts_as_delivered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def read() -> None:
            connection, _ = server.accept()
            while connection.recv(65536):
                pass
            done.wait(60)
            connection.close()

        thread = threading.Thread(target=read)
        thread.start()
        SyslogSink("tcp", "127.0.0.1", server.getsockname()[1], "", 13, False, 0.2).deliver(RECORD)
        done.set()
        thread.join()
