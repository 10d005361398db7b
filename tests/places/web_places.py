"""Small web servers that take alerts: a service of one's own, Splunk's collector, Slack, Teams."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from certificates import Authority
from sink_places import Place

from agent.sinks.chat import SlackSink, TeamsSink
from agent.sinks.sink import Sink
from agent.sinks.splunk import SplunkSink
from agent.sinks.webhook import WebhookSink


class WebPlace(Place):
    """Keeps the bodies of what it accepted. `path` and `told` are for the products below."""

    hangs = judges = True
    encrypted = True
    path = "/alerts"

    def __init__(self, tmp_path: Path, authority: Authority, host: str = "127.0.0.1") -> None:
        self._messages: list[bytes] = []
        self.refusal: tuple[int, bytes] | None = None
        self._hanging, self._done = threading.Event(), threading.Event()
        self._authority = authority
        self._certificate = authority.issue(host)
        self._serve(0)
        self.url = f"https://127.0.0.1:{self._server.server_port}{self.path}"
        self.sink = self.make()

    def _serve(self, port: int) -> None:
        place = self

        class Answer(BaseHTTPRequestHandler):
            timeout = 60

            def do_POST(self) -> None:
                if place._hanging.is_set():
                    place._done.wait(60)
                    return
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = place.refusal or place.judge(self.path, dict(self.headers), body)
                if status == 200:
                    place._messages += place.parts(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._certificate)
        # each handshake in the thread of its own request
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def parts(self, body: bytes) -> list[bytes]:
        """The records that one body holds."""
        return [body]

    def judge(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Whether this is as the product wants it."""
        return (200, b"ok") if path == self.path else (404, b"")

    def received(self) -> list[bytes]:
        return list(self._messages)

    def refuse(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def accept(self) -> None:
        self.refusal = None
        self._serve(int(self._server.server_port))

    def hang(self) -> None:
        self._hanging.set()

    def answer(self, *, permanent: bool) -> None:
        self.refusal = (400 if permanent else 503, b"no: the record has survey.csv in it")

    def close(self) -> None:
        self._done.set()
        self.refuse()
        super().close()


class WebhookPlace(WebPlace):
    secret = "made-up shared secret"

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        options: dict[str, Any] = {
            "url": self.url, "ca": self._authority.pem, "secret": self.secret, "format": "ocsf",
            "mask_paths": False, "timeout_seconds": timeout_seconds,
        } | other  # fmt: skip
        return WebhookSink(**options)

    def judge(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        signed = headers["Recordwarden-Time"].encode() + b"." + body
        wanted = "sha256=" + hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        if headers["Recordwarden-Signature"] != wanted:
            return 401, b""
        return super().judge(path, headers, body)


class SplunkPlace(WebPlace):
    secret = "00000000-made-up-token"
    path = "/services/collector/event"

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        options: dict[str, Any] = {
            "url": self.url.removesuffix(self.path), "ca": self._authority.pem, "token": self.secret,
            "index": "dlp", "source_type": "recordwarden:ocsf", "format": "ocsf", "mask_paths": False,
            "timeout_seconds": timeout_seconds,
        } | other  # fmt: skip
        return SplunkSink(**options)

    def judge(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if headers.get("Authorization") != f"Splunk {self.secret}":
            return 403, b'{"text":"Invalid token","code":4}'
        for line in body.splitlines():
            event = json.loads(line)
            if {"time", "host", "source", "sourcetype", "index", "event"} != set(event):
                return 400, b'{"text":"Invalid data format","code":6}'
        return super().judge(path, headers, body)

    def parts(self, body: bytes) -> list[bytes]:
        return [json.dumps(json.loads(line)["event"]).encode() for line in body.splitlines()]

    def answer(self, *, permanent: bool) -> None:
        super().answer(permanent=permanent)
        if permanent:
            self.refusal = (400, b'{"text":"Invalid data format","code":6}')


class ChatPlace(WebPlace):
    """A channel: `texts` are all that a reader sees."""

    whole = False
    path = "/services/T0/B0/made-up-and-secret"
    secret = "made-up-and-secret"
    kind: type[Sink]

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        options: dict[str, Any] = {
            "url": self.url, "ca": self._authority.pem, "mask_paths": False,
            "timeout_seconds": timeout_seconds,
        } | other  # fmt: skip
        return self.kind(**options)

    def texts(self, message: bytes) -> list[str]:
        raise NotImplementedError

    def ids(self, message: bytes) -> list[str]:
        lines = [line for text in self.texts(message) for line in text.split("\n")]
        return [line.removeprefix("Alert: ") for line in lines if line.startswith("Alert: ")]

    def count(self, message: bytes) -> int:
        more = re.search(r"^and (\d+) more", "\n".join(self.texts(message)), re.MULTILINE)
        return len(self.ids(message)) + (int(more[1]) if more else 0)


class SlackPlace(ChatPlace):
    kind = SlackSink

    def texts(self, message: bytes) -> list[str]:
        plain = json.loads(message)
        assert all(block["text"]["type"] == "plain_text" for block in plain["blocks"])
        assert not set("<>") & set(plain["text"])
        return [block["text"]["text"] for block in plain["blocks"]]


class TeamsPlace(ChatPlace):
    kind = TeamsSink

    def texts(self, message: bytes) -> list[str]:
        [attachment] = json.loads(message)["attachments"]
        body = attachment["content"]["body"]
        assert {block["type"] for block in body} == {"RichTextBlock"}
        assert {run["type"] for block in body for run in block["inlines"]} == {"TextRun"}
        return [run["text"] for block in body for run in block["inlines"]]
