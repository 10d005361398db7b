"""A mail server on loopback, with STARTTLS and a password."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import ssl
import threading
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from certificates import Authority
from sink_places import Place

from agent.sinks.mail import MailSink
from agent.sinks.sink import Sink

_ID = re.compile(r"^(?:Alert: +)?([\w-]*id-[\w-]+)\b", re.MULTILINE)


class MailPlace(Place):
    hangs = judges = True
    encrypted = True
    whole = False
    secret = "made-up-password"

    def __init__(self, tmp_path: Path, authority: Authority, host: str = "127.0.0.1") -> None:
        self.mails: list[bytes] = []
        self.logins: list[bytes] = []
        self.offers_starttls = True
        self._refusal = ""
        self._hanging = False
        self._authority = authority
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*authority.issue(host))
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.accept()
        self.sink = self.make()

    def make(self, timeout_seconds: float = 60.0, **other: Any) -> Sink:
        options: dict[str, Any] = {
            "host": "127.0.0.1", "port": self.port, "security": "starttls", "sender": "warden@dept.example",
            "recipients": ["security@dept.example"], "user": "warden", "password": self.secret,
            "ca": self._authority.pem, "mask_paths": False, "timeout_seconds": timeout_seconds,
        } | other  # fmt: skip
        sink = MailSink(**options)
        sink.gather_seconds = 0.0
        return sink

    # -- what aiosmtpd asks

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        while self._hanging:
            await asyncio.sleep(0.05)
        if self._refusal:
            return self._refusal
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        return "250 taken"

    def _authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins.append(data.login)
        good = data.login == b"warden" and data.password == self.secret.encode()
        return AuthResult(success=good, handled=good)

    # -- the place

    def received(self) -> list[bytes]:
        return list(self.mails)

    def parsed(self, message: bytes) -> EmailMessage:
        found = email.message_from_bytes(message, policy=email.policy.default)
        assert isinstance(found, EmailMessage) and not found.defects
        return found

    def text(self, message: bytes, kind: str = "plain") -> str:
        part = self.parsed(message).get_body((kind,))
        assert part is not None
        return str(part.get_content())

    def ids(self, message: bytes) -> list[str]:
        return _ID.findall(self.text(message))

    def accept(self) -> None:
        async def serve() -> asyncio.Server:
            return await self._loop.create_server(
                lambda: SMTP(
                    self, hostname="mail.example",
                    tls_context=self._context if self.offers_starttls else None,
                    require_starttls=self.offers_starttls, auth_required=self.offers_starttls,
                    auth_require_tls=self.offers_starttls, authenticator=self._authenticate,
                    loop=self._loop, timeout=60,
                ),
                "127.0.0.1", self.port,
            )  # fmt: skip

        self._refusal = ""
        self._server = asyncio.run_coroutine_threadsafe(serve(), self._loop).result(60)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        async def stop() -> None:
            self._server.close()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(60)

    def hang(self) -> None:
        self._hanging = True

    def answer(self, *, permanent: bool) -> None:
        self._refusal = "554 survey.csv is refused" if permanent else "451 later"

    def close(self) -> None:
        self._hanging = False
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        super().close()
