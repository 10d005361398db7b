"""Alerts to a web service of one's own: one record for each POST, signed with a shared secret.

`Recordwarden-Signature` is `sha256=` and the HMAC-SHA256, in hex, of `TIME.BODY`, where TIME is what
`Recordwarden-Time` says: the receiver recomputes it over the bytes that it got, and refuses an old time.
"""

from __future__ import annotations

import hashlib
import hmac
import time

from agent.sinks.rendering import rendered
from agent.sinks.sink import OneByOne, Record, fitting, masked, one_line, uid_of
from agent.sinks.web import Web, accepted

MOST_BYTES = 512 * 1024


class WebhookSink(OneByOne):
    """One address."""

    def __init__(
        self, *, url: str, ca: str, timeout_seconds: float, secret: str, format: str, mask_paths: bool
    ) -> None:
        self._web = Web(url, ca, timeout_seconds)
        self._secret = secret.encode()
        self._format = format
        self._mask_paths = mask_paths

    def deliver_one(self, record: Record) -> None:
        told = fitting(masked(record) if self._mask_paths else record, MOST_BYTES)
        body = one_line(rendered(told, self._format)).encode("ascii")
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Recordwarden-Id": uid_of(record).encode("ascii", "replace").decode(),
            "Recordwarden-Time": stamp,
        }
        if self._secret:
            headers["Recordwarden-Signature"] = signature(self._secret, stamp, body)
        accepted(self._web.post(body, headers)[0])


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """What the header says of `body` at the time `stamp`."""
    return "sha256=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
