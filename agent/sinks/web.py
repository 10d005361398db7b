"""One request to a web address, for all sinks that speak HTTPS. No redirect is followed, no proxy asked."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from ssl import SSLContext
from urllib.parse import urlsplit

from agent.sinks import tls
from agent.sinks.sink import DeliveryError

_MOST_ANSWER_BYTES = 64 * 1024
_ABOUT_THE_RECORD = frozenset({400, 413, 415, 422})
"""Any other refusal is about us or the address, and passes when somebody mends it."""


class Web:
    """One address. A connection for each request: whatever became of the last one is of no account."""

    def __init__(self, url: str, ca: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        self._https = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._ca = ca
        self._timeout_seconds = timeout_seconds
        self._context: SSLContext | None = None

    def post(self, body: bytes, headers: Mapping[str, str], target: str = "") -> tuple[int, bytes]:
        """(status, body of the answer). Raises `DeliveryError` when there was no answer."""
        return self._ask("POST", target or self._target, body, headers, _MOST_ANSWER_BYTES)

    def get(self, target: str, headers: Mapping[str, str], most: int) -> tuple[int, bytes]:
        """(status, at most the first `most` bytes of the answer). Raises `DeliveryError`."""
        return self._ask("GET", target, None, headers, most)

    def _ask(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], most: int
    ) -> tuple[int, bytes]:
        connection: http.client.HTTPConnection | None = None
        try:
            connection = self._connection()
            connection.request(method, target, body, {"User-Agent": "recordwarden", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read(most)
        except OSError as error:
            raise DeliveryError.of(error) from None
        except (http.client.HTTPException, ValueError):
            raise DeliveryError("bad_answer") from None
        finally:
            if connection is not None:
                connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self._https:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_seconds)
        self._context = self._context or tls.context(self._ca)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout_seconds, context=self._context
        )


def accepted(status: int) -> None:
    """Raises `DeliveryError` for any status but a success."""
    if not 200 <= status < 300:
        raise DeliveryError(f"http_{status:d}", permanent=status in _ABOUT_THE_RECORD)
