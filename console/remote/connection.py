"""One console over HTTP, with a personal token: asks, and says what went wrong with an exit code.

The token goes to nobody but a console whose certificate holds, or to this very machine. Nothing is followed
elsewhere, and no proxy is asked.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from config.console import is_loopback

TOKEN_VARIABLE = "RECORDWARDEN_CONSOLE_TOKEN"  # noqa: S105 - the name of it
FAILED, USAGE, UNAVAILABLE, NOT_PERMITTED = 1, 2, 69, 77
_TOKEN = re.compile(r"rwp_[A-Za-z0-9_-]{20,100}", re.ASCII)
_MOST_BYTES = 256 * 1024 * 1024
_TIMEOUT_SECONDS = 120
_EXITS = {401: NOT_PERMITTED, 403: NOT_PERMITTED, 400: USAGE, 405: UNAVAILABLE, 413: USAGE}


class Trouble(Exception):
    """It was not done; the exit code says who must act. The sentence may hold the console's words."""

    def __init__(self, message: str, exit_code: int, hint: str = "") -> None:
        super().__init__(message)
        self.exit_code, self.hint = exit_code, hint


@dataclass(frozen=True, slots=True)
class Remote:
    """A console and who asks there."""

    url: str
    token: str
    ca: Path | None = None

    def get(self, *steps: str, **query: Any) -> Any:
        """The answer of GET /api/v1/…, read as JSON. Filters that are empty are left out."""
        return self._json("GET", steps, query, None)

    def post(self, *steps: str, body: Any = None) -> Any:
        return self._json("POST", steps, {}, body)

    def patch(self, *steps: str, body: Any) -> Any:
        return self._json("PATCH", steps, {}, body)

    def text(self, *steps: str) -> str:
        """The answer as it came, where it is a document of its own."""
        return self._ask("GET", target(steps, {}), None).decode("utf-8", "backslashreplace")

    def _json(self, method: str, steps: tuple[str, ...], query: dict[str, Any], body: Any) -> Any:
        answer = self._ask(method, target(steps, query), body)
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise Trouble("what answers there is no console", UNAVAILABLE, _HINT_URL) from None

    def _ask(self, method: str, path: str, body: Any) -> bytes:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection = self._connect()
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            told = answer.read(_MOST_BYTES + 1)
        except ssl.SSLCertVerificationError as error:
            hint = "if the certificate is of your own authority, name its file with --ca"
            raise Trouble(f"the console's certificate: {error.verify_message}", UNAVAILABLE, hint) from None
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise Trouble(f"the console does not answer: {why}", UNAVAILABLE, _HINT_URL) from None
        finally:
            connection.close()
        if len(told) > _MOST_BYTES:
            raise Trouble("the answer is too long", UNAVAILABLE, _HINT_URL)
        if answer.status not in (200, 201):
            raise refusal(answer.status, told)
        return told

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_SECONDS)
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:  # SSLError is one
            why = error.strerror or "it holds no certificate"
            raise Trouble(f"the file of --ca: {why}", USAGE) from None
        return http.client.HTTPSConnection(host, parts.port, timeout=_TIMEOUT_SECONDS, context=context)


_HINT_URL = "give the address of the console with --url or RECORDWARDEN_CONSOLE_URL"


def checked_url(given: str) -> str:
    """`given` without a slash at its end; raises `Trouble` if a token would cross a network in the clear."""
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or parts.path not in ("", "/") or parts.query:
        raise Trouble("the address must be like https://console.example.org", USAGE, _HINT_URL)
    if parts.scheme == "http" and not is_loopback(host):
        raise Trouble("beyond this machine the address must begin with https", USAGE, _HINT_URL)
    return given.rstrip("/")


def token_of(file: Path | None) -> str:
    """The token out of a file that is its owner's alone, else out of the environment; raises `Trouble`."""
    given = _read_secret(file) if file is not None else os.environ.get(TOKEN_VARIABLE, "")
    if not given:
        hint = "make one in the console, under your name, and name its file with --token-file"
        raise Trouble("a personal token is needed", USAGE, hint)
    if not _TOKEN.fullmatch(given):
        raise Trouble("that is no personal token", USAGE, "it begins with rwp_ and is one line")
    return given


def _read_secret(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            found = os.fstat(stream.fileno())
            others = stat.S_IMODE(found.st_mode) & 0o077
            if os.name == "posix" and (others or found.st_uid not in (os.geteuid(), 0)):
                raise Trouble("others may read the token's file", NOT_PERMITTED, "chmod 600 it, as its owner")
            return stream.read(4096).decode("ascii", "replace").strip()
    except OSError as error:
        raise Trouble(f"the token's file: {error.strerror}", USAGE) from None


def target(steps: tuple[str, ...], query: dict[str, Any]) -> str:
    """The path and query below /api/v1; each step is one step, whatever is in it."""
    given = {key: value for key, value in query.items() if value not in ("", None, 0)}
    path = "/api/v1/" + "/".join(quote(step, safe="") for step in steps)
    return f"{path}?{urlencode(given)}" if given else path


def refusal(status: int, told: bytes) -> Trouble:
    """What the console's error means for whoever asked."""
    try:
        plain = json.loads(told)
        code, detail = str(plain["error"]), str(plain["detail"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return Trouble(f"what answers there is no console (status {status})", UNAVAILABLE, _HINT_URL)
    if status >= 500:
        return Trouble(detail, UNAVAILABLE)
    hint = {"no_token": "it may be over or revoked: make another in the console, under your name"}.get(
        code, ""
    )
    malformed = USAGE if code == "malformed" else FAILED
    return Trouble(detail, _EXITS.get(status, malformed), hint)
