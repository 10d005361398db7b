"""Alerts to systemd's journal, by its native protocol: one datagram of fields for each record.

Source: systemd, "Native Journal Protocol". A value with a line break in it has its length before it; a
record that is too large for a datagram goes without its evidence.
"""

from __future__ import annotations

import socket
import struct

from agent.sinks.sink import DeliveryError, OneByOne, Record, fitting, masked, one_line, uid_of, visible

MOST_BYTES = 48 * 1024
_PRIORITY = {1: 6, 2: 5, 3: 4, 4: 3, 5: 2}
"""From OCSF severity_id to syslog severity."""


class JournalSink(OneByOne):
    """The journal of this machine."""

    def __init__(self, *, path: str, mask_paths: bool, timeout_seconds: float) -> None:
        self._path = path
        self._mask_paths = mask_paths
        self._timeout_seconds = timeout_seconds

    def deliver_one(self, record: Record) -> None:
        told = fitting(masked(record) if self._mask_paths else record, MOST_BYTES)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(self._timeout_seconds)
                sock.connect(self._path)
                sock.send(datagram(told))
        except OSError as error:
            raise DeliveryError.of(error) from error


def datagram(record: Record) -> bytes:
    """The fields of one record."""
    fields = {
        "MESSAGE": visible(str(record.get("message", "")), 500),
        "PRIORITY": str(_PRIORITY.get(record.get("severity_id", 1), 5)),
        "SYSLOG_IDENTIFIER": "recordwarden",
        "RECORDWARDEN_ALERT": visible(str(record.get("finding_info", {}).get("uid", "")), 100),
        "RECORDWARDEN_RECORD_UID": uid_of(record),
        "RECORDWARDEN_DISPOSITION": visible(str(record.get("disposition", "")), 50),
        "RECORDWARDEN_PATH": visible(str(record.get("file", {}).get("path", "")), 4000),
        "RECORDWARDEN_RECORD": one_line(record),
    }
    return b"".join(_field(name, value.encode("utf-8", "replace")) for name, value in fields.items())


def _field(name: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
