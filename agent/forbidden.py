"""Places where nothing may ever be taken: the system, mail stores, other programs' quarantines, our own.

A mistake of the judgement costs somebody a file on a share; here it would cost the machine its boot, a
mail server its queue, or a virus scanner its evidence. Such a place may be watched in `audit` mode.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from agent.platform.linux import inside

_SYSTEM = (
    "/bin", "/boot", "/dev", "/efi", "/etc", "/lib", "/lib32", "/lib64", "/nix", "/proc", "/run", "/sbin",
    "/snap", "/sys", "/usr", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/var/lib/pacman", "/var/lib/rpm",
    "/var/lib/systemd", "/var/log", "/var/run",
)  # fmt: skip
_NOT_SYSTEM = ("/run/media", "/run/user")
_MAIL = (
    "/var/imap", "/var/lib/cyrus", "/var/lib/dovecot", "/var/lib/mailman", "/var/lib/mailman3", "/var/mail",
    "/var/spool", "/var/vmail",
)  # fmt: skip
_MAIL_NAMES = frozenset(
    {"maildir", ".maildir", "vmail", ".thunderbird", ".mozilla-thunderbird", ".evolution"}
)
_QUARANTINES = (
    "/opt/eset", "/opt/kaspersky", "/opt/sophos-spl", "/var/lib/amavis", "/var/lib/clamav", "/var/lib/rspamd",
    "/var/opt/eset", "/var/opt/kaspersky", "/var/opt/microsoft",
)  # fmt: skip
_QUARANTINE_NAMES = frozenset({"quarantine", ".quarantine", "virusmails"})


def why_never(path: str, own: Iterable[str] = ()) -> str | None:
    """Why nothing may be taken below an absolute, normal path; None if it may. `own` are folders of the
    service itself. A folder that holds such a place is one, except that ours in it are left alone."""
    names = {part.lower() for part in PurePosixPath(path).parts}
    if any(inside(path, folder) for folder in own):
        return "it is the service's own"
    for what, folders, telling in (
        ("the system's", _SYSTEM, frozenset[str]()),
        ("a mail store", _MAIL, _MAIL_NAMES),
        ("another program's quarantine", _QUARANTINES, _QUARANTINE_NAMES),
    ):
        is_one = any(inside(path, f) or inside(f, path) for f in folders)
        if names & telling or (is_one and not any(inside(path, f) for f in _NOT_SYSTEM)):
            return f"it is, or holds, {what}"
    return None
