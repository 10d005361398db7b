"""From the settings of destinations to the courier's orders: the one place where their secrets are read.

The supervisor reads them, because their files are its own; the courier, which may open nothing, gets them
over its socket and keeps them in memory. They are never logged; a fault names the key, never the content.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.escape import escape
from config.destinations import Alerts, web_address
from config.load import ConfigError
from config.section import Section

_SECRETS = {"password_file": "password", "secret_file": "secret", "token_file": "token", "url_file": "url"}
_CERTIFICATES = {"ca_file": "ca", "certificate_file": "certificate", "key_file": "key"}
_PRIVATE = {*_SECRETS, "key_file"}
_MOST_BYTES = 256 * 1024
_WEB = {"webhook", "slack", "teams", "splunk", "console"}


class SecretTrouble(Exception):
    """A file that a destination needs cannot be used: `key` names it, `why` has nothing of its content."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key, self.why = key, why


def configured(alerts: Alerts) -> Iterator[tuple[str, Section]]:
    """The destinations that are set, by the name of their section."""
    for name in type(alerts).model_fields:
        section = getattr(alerts, name)
        if isinstance(section, Section):
            yield name, section


def names_of(alerts: Alerts) -> list[str]:
    return [name for name, _ in configured(alerts)]


def paces_of(alerts: Alerts) -> dict[str, float]:
    """Seconds from one message to the next, of destinations that people read."""
    return {name: s.every_seconds for name, s in configured(alerts) if hasattr(s, "every_seconds")}


def sinks_of(alerts: Alerts) -> dict[str, dict[str, Any]]:
    """All sinks as the courier takes them; raises `SecretTrouble`."""
    return {name: options_of(name, section) for name, section in configured(alerts)}


def check_secrets(alerts: Alerts, source: str) -> None:
    """Whether all files that destinations need can be used; raises `ConfigError`."""
    try:
        sinks_of(alerts)
    except SecretTrouble as trouble:
        hint = "give the file to root, chmod 600, and put one line into it"
        if trouble.key == "alerts.console.key_file":
            hint = "`recordwarden enrol` makes it"
        raise ConfigError.about(source, trouble.key, trouble.why, hint) from None


def options_of(name: str, section: Section) -> dict[str, Any]:
    """One sink's options, with the content of files instead of their paths; raises `SecretTrouble`."""
    if name == "file":
        return {}
    plain = section.model_dump(mode="json")
    plain.pop("every_seconds", None)
    if "port" in plain:
        plain["port"] = section.port_number  # type: ignore[attr-defined]
    for key, option in (_SECRETS | _CERTIFICATES).items():
        if key not in plain:
            continue
        del plain[key]
        path = getattr(section, key)
        plain.setdefault(option, "")
        if path is not None:
            plain[option] = _content(path, f"alerts.{name}.{key}", key)
    if name in _WEB:
        try:
            web_address(plain["url"])
        except ValueError as error:
            raise SecretTrouble(f"alerts.{name}.url_file", f"the address in it {error}") from None
    return plain


def _content(path: Path, key: str, kind: str) -> str:
    try:
        text = read_file(path, private=kind in _PRIVATE)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SecretTrouble(key, f"{escape(path)}: {why}") from None
    if kind in _CERTIFICATES:
        if "-----BEGIN " not in text:
            raise SecretTrouble(key, f"{escape(path)}: is not PEM")
        return text
    if not text.strip() or not text.strip().isprintable():
        raise SecretTrouble(key, f"{escape(path)}: must hold one line of text")
    return text.strip()


def read_file(path: Path, *, private: bool) -> str:
    """The text of a small regular file. A private one must be root's or ours, and open to nobody else.

    Raises `OSError`, or `ValueError` with a text that quotes nothing of it.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("is not a regular file")
        if private and status.st_uid not in (0, os.geteuid()):
            raise ValueError("belongs to somebody else: give it to root")
        if private and status.st_mode & 0o077:
            raise ValueError("is open to others: chmod 600")
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError("is too large")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
