"""Where nothing may ever be taken."""

from __future__ import annotations

import pytest

from agent.forbidden import why_never


@pytest.mark.parametrize(
    "path",
    [
        "/", "/etc", "/usr", "/usr/share/data", "/var", "/var/lib", "/var/log/app", "/boot", "/proc/1",
        "/run", "/opt", "/var/mail", "/var/spool/mail/x", "/home/ann/Maildir", "/home/ann/.thunderbird/p",
        "/srv/vmail",
        "/var/lib/clamav", "/var/opt/microsoft/mdatp/quarantine", "/srv/scanner/Quarantine",
        "/var/lib/recordwarden", "/var/lib/recordwarden/vault", "/mnt/team/vault",
    ],
)  # fmt: skip
def test_nothing_is_taken_there(path: str) -> None:
    assert why_never(path, ("/var/lib/recordwarden", "/mnt/team/vault"))


@pytest.mark.parametrize(
    "path",
    [
        "/srv/returns", "/home", "/home/ann/Documents", "/media/ann/STICK", "/run/media/ann/STICK",
        "/mnt/share", "/var/www/html", "/var/lib/nextcloud/data", "/run/user/1000/gvfs", "/tmp/x",
        "/mnt/team",
    ],
)  # fmt: skip
def test_places_of_people_may_be_enforced(path: str) -> None:
    assert why_never(path, ("/var/lib/recordwarden", "/mnt/team/vault")) is None
