"""Alerts and heartbeats to the review console, and its bundle of papers from there, in requests signed with
this agent's key (docs/console-api.md).

The agent's id is the `device.uid` of what it tells. The console counts a record once by its id, so that
whatever is not known to have arrived is sent again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agent.sinks.sink import DeliveryError, Record, fitting, masked, one_line
from agent.sinks.web import Web, accepted

MOST_BYTES = 200 * 1024
_ALERTS, _HEARTBEATS, _BUNDLE = "/api/v1/alerts", "/api/v1/heartbeats", "/api/v1/bundle"
_FINDING_CLASS = 2006
_REFUSALS = frozenset({
    "unknown_agent", "revoked", "stale", "replayed", "bad_signature",
    "wrong_class", "wrong_device", "other_agents", "malformed", "too_large",
})  # fmt: skip
"""What the console may say of us and of a record; anything else is not repeated."""


class ConsoleSink:
    """One console."""

    most = 16
    gather_seconds = 0.0
    splits = True

    def __init__(self, *, url: str, ca: str, timeout_seconds: float, key: str, mask_paths: bool) -> None:
        self._web = Web(url, ca, timeout_seconds)
        self._base = urlsplit(url).path.rstrip("/")
        self._key_pem = key
        self._mask_paths = mask_paths

    def deliver(self, *records: Record) -> None:
        findings = [r for r in records if r.get("class_uid") == _FINDING_CLASS]
        others = [r for r in records if r.get("class_uid") != _FINDING_CLASS]
        for target, told in ((_ALERTS, findings), (_HEARTBEATS, others)):
            if told:
                self._post(self._base + target, told)

    def close(self) -> None:
        """Nothing is kept open between deliveries."""

    def fetch(self, agent: str, after: int, most: int) -> bytes | None:
        """The bundle of papers, unverified, cut at `most` bytes; None if none is newer than `after`."""
        target = f"{self._base}{_BUNDLE}?after={after:d}"
        status, answer = self._web.get(target, signed(self._key(), "GET", target, agent, b""), most)
        if status == 204:
            return None
        _check_known(status, _plain(answer) if status == 401 else {})
        accepted(status)
        return answer

    def _post(self, target: str, records: Sequence[Record]) -> None:
        told = [fitting(masked(r) if self._mask_paths else r, MOST_BYTES) for r in records]
        body = one_line({"records": told}).encode("ascii")
        agent = str(records[0].get("device", {}).get("uid", ""))
        status, answer = self._web.post(body, signed(self._key(), "POST", target, agent, body), target)
        plain = _plain(answer)
        _check_known(status, plain)
        accepted(status)
        if refused := plain.get("refused"):
            raise DeliveryError(_why(refused), permanent=True)

    def _key(self) -> Ed25519PrivateKey:
        try:
            key = load_pem_private_key(self._key_pem.encode(), None)
        except (ValueError, TypeError):
            raise DeliveryError("bad_key") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise DeliveryError("bad_key")
        return key


def signed(
    key: Ed25519PrivateKey,
    method: str,
    target: str,
    agent: str,
    body: bytes,
    stamp: str = "",
    nonce: str = "",
) -> dict[str, str]:
    """The headers of one request, with a time and a nonce of its own."""
    stamp, nonce = stamp or str(int(time.time())), nonce or secrets.token_urlsafe(24)
    digest = hashlib.sha256(body).hexdigest()
    text = "\n".join(("recordwarden-request-1", method, target, agent, stamp, nonce, digest))
    return {
        "Content-Type": "application/json",
        "Recordwarden-Agent": agent,
        "Recordwarden-Time": stamp,
        "Recordwarden-Nonce": nonce,
        "Recordwarden-Signature": base64.b64encode(key.sign(text.encode("ascii", "replace"))).decode(),
    }


def _plain(answer: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _check_known(status: int, plain: dict[str, Any]) -> None:
    if status == 401 and plain.get("error") in _REFUSALS:
        raise DeliveryError(f"console_{plain['error']}")


def _why(refused: Any) -> str:
    code = refused[0].get("code") if isinstance(refused, list) and isinstance(refused[0], dict) else ""
    return f"console_{code}" if code in _REFUSALS else "console_refused"
