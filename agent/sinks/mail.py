"""Alerts by mail: SMTP, by default with STARTTLS and never without it, as plain text and HTML.

Everything that waits goes into one mail. Its Message-ID is made of the records' ids, so that a mail that is
sent again because its acknowledgement was lost is the same mail. It counts as delivered when the server has
taken it for one recipient at least: to send it again would send it to that one for ever.
"""

from __future__ import annotations

import hashlib
import html
import smtplib
import socket
import ssl
import time
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from agent.sinks import tls, words
from agent.sinks.sink import DeliveryError, Record, masked, uid_of

_WHOLE_MOST = 20
"""So many alerts are told in full; of further ones there is a line each."""


class MailSink:
    """One server, and those who get the mail."""

    most = 500
    gather_seconds = 1.0
    splits = False

    def __init__(
        self,
        *,
        host: str,
        port: int,
        security: str,
        sender: str,
        recipients: Sequence[str],
        user: str,
        password: str,
        ca: str,
        mask_paths: bool,
        timeout_seconds: float,
    ) -> None:
        self._host, self._port, self._security = host, port, security
        self._sender, self._recipients = sender, list(recipients)
        self._user, self._password = user, password
        self._ca = ca
        self._mask_paths = mask_paths
        self._timeout_seconds = timeout_seconds

    def deliver(self, *records: Record) -> None:
        told = words.findings([masked(r) if self._mask_paths else r for r in records])
        if not told:
            return
        mail = message(told, self._sender, self._recipients)
        try:
            self._send(mail)
        except smtplib.SMTPResponseException as error:
            # what was said of the mail itself holds; a password, a sender, a host can be mended
            about_it = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
            raise DeliveryError(f"smtp_{error.smtp_code:d}", permanent=about_it) from None
        except smtplib.SMTPRecipientsRefused as error:
            code = max(code for code, _ in error.recipients.values())
            raise DeliveryError(f"smtp_{code:d}") from None
        except smtplib.SMTPServerDisconnected:
            raise DeliveryError("disconnected") from None
        except smtplib.SMTPNotSupportedError:
            raise DeliveryError("no_starttls" if self._security == "starttls" else "no_login") from None
        except smtplib.SMTPException:
            raise DeliveryError("bad_answer") from None
        except OSError as error:
            raise DeliveryError.of(error) from None

    def close(self) -> None:
        """Nothing is kept open between deliveries."""

    def _send(self, mail: EmailMessage) -> None:
        with self._connection() as server:
            if self._security == "starttls":
                server.starttls(context=tls.context(self._ca))
            if self._user:
                server.login(self._user, self._password)
            server.send_message(mail, self._sender, self._recipients)

    def _connection(self) -> smtplib.SMTP:
        name = socket.gethostname()
        own = name if name.isascii() and name.isprintable() and " " not in name and name else "localhost"
        if self._security == "tls":
            context: ssl.SSLContext = tls.context(self._ca)
            return smtplib.SMTP_SSL(
                self._host, self._port, own, timeout=self._timeout_seconds, context=context
            )
        return smtplib.SMTP(self._host, self._port, own, timeout=self._timeout_seconds)


def message(records: Sequence[Record], sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The mail about these alerts."""
    mail = EmailMessage(policy=SMTP.clone(max_line_length=900))
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = f"[recordwarden] {words.headline_of_all(records)}"
    mail["Date"] = formatdate(time.time(), localtime=False)
    named = hashlib.sha256("\n".join(uid_of(r) for r in records).encode()).hexdigest()[:32]
    mail["Message-ID"] = f"<{named}@recordwarden.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Recordwarden-Alerts"] = str(len(records))
    mail.set_content(_as_text(records))
    mail.add_alternative(_as_html(records), subtype="html")
    return mail


def _as_text(records: Sequence[Record]) -> str:
    parts = []
    if len(records) > 1:
        parts.append(f"{len(records)} alerts: {words.tally(records)}")
    for record in records[:_WHOLE_MOST]:
        lines = (f"{label + ':':<16}{text}" for label, text in words.facts(record))
        parts.append("\n".join((words.headline(record), *lines)))
    if rest := records[_WHOLE_MOST:]:
        parts.append("\n".join(f"{words.uid(r)}  {words.headline(r)}" for r in rest))
    parts.append("Show one:  recordwarden alerts show ID      Decide:  recordwarden alerts decide ID ...")
    return "\n\n".join(parts) + "\n"


def _as_html(records: Sequence[Record]) -> str:
    body = []
    if len(records) > 1:
        body.append(f"<p><b>{len(records)} alerts</b>: {html.escape(words.tally(records))}</p>")
    for record in records[:_WHOLE_MOST]:
        rows = "".join(
            f"<tr><th align=left>{html.escape(label)}</th><td>{html.escape(text)}</td></tr>"
            for label, text in words.facts(record)
        )
        body.append(f"<h3>{html.escape(words.headline(record))}</h3><table cellpadding=3>{rows}</table>")
    if rest := records[_WHOLE_MOST:]:
        lines = "".join(
            f"<li><code>{html.escape(words.uid(r))}</code> {html.escape(words.headline(r))}</li>"
            for r in rest
        )
        body.append(f"<ul>{lines}</ul>")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"></head>'
        f'<body style="font-family:sans-serif">{"".join(body)}</body></html>\n'
    )
