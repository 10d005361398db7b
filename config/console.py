"""The settings of the review console: `[console]`."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from config.section import Section

RoleName = Literal[
    "analyst", "information_asset_owner", "data_protection_officer", "administrator", "auditor"
]


class Provider(Section):
    """An OpenID Connect provider that signs people in. Who somebody is and what they may do is said there."""

    issuer: Annotated[str, Field(max_length=1000)]
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client_secret_file: Path | None = None
    label: Annotated[str, Field(min_length=1, max_length=80)] = "your organisation"
    name_claim: str = "preferred_username"
    roles_claim: str = "groups"
    roles: Annotated[dict[str, tuple[RoleName, ...]], Field(min_length=1)]
    """For each value of `roles_claim`, the roles that it gives."""
    scopes: tuple[str, ...] = ("openid", "profile")
    ca_file: Path | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0

    @model_validator(mode="after")
    def _secrets_never_cross_a_network_in_the_clear(self) -> Provider:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("issuer must be an https address")
        if not parts.hostname or parts.query or parts.fragment:
            raise ValueError("issuer must be like https://sign-in.example.org/realm")
        return self


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
    local_sign_in: bool = True
    oidc: Provider | None = None
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
        if not self.local_sign_in and self.oidc is None:
            raise ValueError("without local_sign_in nobody gets in: set oidc")
        return self

    @property
    def is_local(self) -> bool:
        """Whether nobody but this machine can reach it."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """Where browsers find it, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_certificate else 'http'}://{host}:{self.port}"

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


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, so that what is sent there crosses no network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
