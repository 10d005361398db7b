"""The settings of the destinations of alerts, one section each.

A secret is never in the configuration: its key names a file that holds it (`agent.destinations` reads it).
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from config.section import Seconds, Section

Port = Annotated[int, Field(ge=1, le=65535)]
Format = Literal["ocsf", "ecs", "cef"]
Interval = Annotated[float, Field(ge=0, le=7 * 86400)]


def web_address(url: str) -> str:
    """`url` if alerts may go there: https, or http to this very machine; else `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an https:// address")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must hold no user name, password or fragment")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("must be plain ASCII without spaces")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise ValueError("must be an https:// address: http is for this very machine only")
    if parts.port == 0:
        raise ValueError("has no such port")
    return url


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class FileSink(Section):
    """Alerts as JSON Lines in a file."""

    path: Path


class SyslogSink(Section):
    """Alerts by syslog (RFC 5424): `tls` (RFC 5425), `tcp` (octet counting), `udp`, or the `local` socket."""

    transport: Literal["tls", "tcp", "udp", "local"] = "local"
    host: str = "127.0.0.1"
    port: Port | None = None
    path: Path = Path("/dev/log")
    facility: Annotated[int, Field(ge=0, le=23)] = 13
    format: Format = "ocsf"
    mask_paths: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    timeout_seconds: Seconds = 10.0

    @property
    def port_number(self) -> int:
        """The port given, else the registered one."""
        return self.port or (6514 if self.transport == "tls" else 514)


class JournalSink(Section):
    """Alerts to systemd's journal on this machine."""

    path: Path = Path("/run/systemd/journal/socket")
    mask_paths: bool = False
    timeout_seconds: Seconds = 10.0


class WebSection(Section):
    """What all destinations that are reached by HTTPS share: the address, or a file that holds it."""

    url: str = ""
    url_file: Path | None = None
    ca_file: Path | None = None
    timeout_seconds: Seconds = 15.0

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        return web_address(url) if url else url

    @model_validator(mode="after")
    def _one_address(self) -> WebSection:
        if bool(self.url) == (self.url_file is not None):
            raise ValueError("needs either url or url_file")
        return self


class WebhookSink(WebSection):
    """Alerts to a web service of your own, signed with a shared secret."""

    secret_file: Path | None = None
    format: Literal["ocsf", "ecs"] = "ocsf"
    mask_paths: bool = False


class ChatSink(WebSection):
    """Short messages to a channel of Slack or Teams. Many read there: names of files are left out."""

    mask_paths: bool = True
    every_seconds: Interval = 60.0


class SplunkSink(WebSection):
    """Alerts to Splunk's HTTP Event Collector."""

    token_file: Path
    index: str = ""
    source_type: str = "recordwarden:ocsf"
    format: Literal["ocsf", "ecs"] = "ocsf"
    mask_paths: bool = False


class ConsoleSink(WebSection):
    """Alerts and heartbeats to the review console, signed with the key that `recordwarden enrol` made."""

    key_file: Path = Path("/etc/recordwarden/console-key.pem")
    mask_paths: bool = False


Address = Annotated[str, Field(pattern=r"^[!-?A-~]+@[!-?A-~]+$", max_length=254)]


class MailSink(Section):
    """Alerts by mail (SMTP): the first one at once, then one digest in each interval."""

    host: str
    port: Port | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Address
    recipients: Annotated[tuple[Address, ...], Field(min_length=1, max_length=100)]
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    mask_paths: bool = True
    every_seconds: Interval = 300.0
    timeout_seconds: Seconds = 30.0

    @property
    def port_number(self) -> int:
        """The port given, else the registered one."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]

    @model_validator(mode="after")
    def _no_password_in_the_open(self) -> MailSink:
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file go together")
        if self.user and self.security == "none":
            raise ValueError("a password is not sent over an open connection: set security")
        return self


class Alerts(Section):
    """Destinations. Each is optional; with none, alerts wait in the ledger."""

    file: FileSink | None = None
    syslog: SyslogSink | None = None
    journal: JournalSink | None = None
    mail: MailSink | None = None
    webhook: WebhookSink | None = None
    slack: ChatSink | None = None
    teams: ChatSink | None = None
    splunk: SplunkSink | None = None
    console: ConsoleSink | None = None
    retry_seconds: Seconds = 5.0
    retry_max_seconds: Seconds = 900.0
    own_disk: bool = True
    heartbeat_seconds: Interval = 3600.0
