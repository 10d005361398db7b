"""The settings of the review console: `[console]`."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from config.section import Section


class Console(Section):
    """Where the console listens, what it keeps, and how it lets people in."""

    folder: Path = Path("/var/lib/recordwarden-console")
    database: str = ""
    """An SQLAlchemy URL; "" is the file `console.sqlite` in `folder`."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8710
    public_url: str = ""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    session_hours: Annotated[float, Field(gt=0, le=168)] = 12.0
    idle_minutes: Annotated[float, Field(gt=0, le=1440)] = 60.0
    lockout_failures: Annotated[int, Field(ge=1, le=100)] = 5
    lockout_minutes: Annotated[float, Field(gt=0, le=1440)] = 15.0
    require_totp: bool = False
    silent_minutes: Annotated[float, Field(gt=0)] = 180.0
    retention_days: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _passwords_never_cross_a_network_in_the_clear(self) -> Console:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if self.public_url:
            parts = urlsplit(self.public_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
                raise ValueError("public_url must be like https://console.example.org")
        if not self.is_local and not self.is_secure:
            raise ValueError(
                "beyond this machine it takes tls_certificate and tls_key, or an https public_url before it"
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether nobody but this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by TLS only."""
        return self.tls_certificate is not None or self.public_url.startswith("https://")

    @property
    def hosts(self) -> list[str]:
        """The names by which it may be addressed."""
        named = urlsplit(self.public_url).hostname
        return [*{"localhost", "127.0.0.1", "[::1]", self.host}, *([named] if named else [])]

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL, with the driver that is installed."""
        url = self.database or f"sqlite:///{self.folder / 'console.sqlite'}"
        for scheme in ("postgresql://", "postgres://"):
            if url.startswith(scheme):
                return "postgresql+psycopg://" + url.removeprefix(scheme)
        return url
