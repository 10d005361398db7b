"""For whom the vault is encrypted: the recipients of the settings and of their file, proved usable."""

from __future__ import annotations

from collections.abc import Callable

import pyrage

from agent.vault import BadRecipient, parse_recipients
from config.load import ConfigError
from config.settings import Mode, Settings

_NEW = "`recordwarden keys new` makes a key pair; its public half starts with age1"


def usable_recipients(settings: Settings, source: str = "configuration") -> list[str]:
    """All recipients as text, each parsed and once encrypted to; raises `ConfigError` about `source`.

    May be empty in audit mode. Enforcing anywhere without one is an error: there would be no way
    back for what is taken.
    """
    found = [*settings.vault.recipients]
    for number, line in enumerate(found):
        _probe(line, f"vault.recipients[{number}]", source)
    if file := settings.vault.recipients_file:
        key = "vault.recipients_file"
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise ConfigError.about(source, key, f"{file} cannot be read", "check who may read it") from None
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.lstrip().startswith("#"):
                _probe(line, f"{key}: {file}: line {number}", source)
                found.append(line.strip())
    if not found and enforces(settings):
        raise ConfigError.about(source, "vault.recipients", "enforcing needs at least one recipient", _NEW)
    return found


def enforces(settings: Settings) -> bool:
    """Whether anything may be taken anywhere."""
    modes = [settings.policy.mode, settings.watch.volumes.mode, *(root.mode for root in settings.watch.roots)]
    return Mode.ENFORCE in modes


def _probe(line: str, key: str, source: str) -> None:
    if line.strip().upper().startswith("AGE-SECRET-KEY-"):
        raise ConfigError.about(source, key, "is a secret key: it must never be on a workstation", _NEW)
    try:
        encrypt: Callable[..., bytes] = pyrage.encrypt
        encrypt(b"probe", parse_recipients([line]))
    except (BadRecipient, pyrage.EncryptError):
        raise ConfigError.about(source, key, "is neither an age nor an ssh public key", _NEW) from None
