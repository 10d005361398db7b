"""Alerts to Splunk's HTTP Event Collector: many events in one POST, each the OCSF record.

The collector answers 200 once it has queued what it was sent. A refusal says why by a number in
`code`: some of them are about the data, the others (a token, an index) are for an administrator to mend.
"""

from __future__ import annotations

import json
from typing import Any

from agent.sinks.rendering import rendered
from agent.sinks.sink import DeliveryError, Record, fitting, masked, one_line
from agent.sinks.web import Web

MOST_BYTES = 256 * 1024
_PATH = "/services/collector/event"
_ABOUT_THE_DATA = frozenset({5, 6, 12, 13, 15})


class SplunkSink:
    """One collector."""

    most = 16
    gather_seconds = 0.0
    splits = True

    def __init__(
        self,
        *,
        url: str,
        ca: str,
        timeout_seconds: float,
        token: str,
        index: str,
        source_type: str,
        format: str,
        mask_paths: bool,
    ) -> None:
        self._web = Web(url.rstrip("/") if url.rstrip("/").endswith(_PATH) else url.rstrip("/") + _PATH, ca,
                        timeout_seconds)  # fmt: skip
        self._token = token
        self._about = {"source": "recordwarden", "sourcetype": source_type} | (
            {"index": index} if index else {}
        )
        self._format = format
        self._mask_paths = mask_paths

    def deliver(self, *records: Record) -> None:
        body = "\n".join(one_line(self._event(record)) for record in records).encode("ascii")
        headers = {"Content-Type": "application/json", "Authorization": f"Splunk {self._token}"}
        status, answer = self._web.post(body, headers)
        if not 200 <= status < 300:
            permanent = status == 413 or (status == 400 and _code(answer) in _ABOUT_THE_DATA)
            raise DeliveryError(f"http_{status:d}", permanent=permanent)

    def close(self) -> None:
        """Nothing is kept open between deliveries."""

    def _event(self, record: Record) -> dict[str, Any]:
        told = fitting(masked(record) if self._mask_paths else record, MOST_BYTES)
        host = str(record.get("device", {}).get("hostname", ""))
        return {
            "time": record.get("time", 0) / 1000,
            "host": host,
            **self._about,
            "event": rendered(told, self._format),
        }


def _code(answer: bytes) -> int:
    try:
        plain = json.loads(answer)
        return int(plain["code"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
