"""Destinations: what must not be configured, because it would tell alerts or secrets to bystanders."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.destinations import Alerts, web_address

MAIL = {"host": "mail.example", "sender": "a@b.example", "recipients": ["c@d.example"]}


@pytest.mark.parametrize(
    "url", ["https://siem.example/in?x=1", "http://127.0.0.1:8080/", "http://[::1]/", "http://localhost/"]
)
def test_https_and_this_very_machine_are_fine(url: str) -> None:
    assert web_address(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://siem.example/in",
        "ftp://siem.example/",
        "siem.example",
        "https://user:word@siem.example/",
        "https:///in",
        "https://siem.example/a b",
        "https://siem.example/\r\nX: y",
        "https://siem.example/\u202e",
        "http://localhost.evil.example/",
        "https://siem.example:0/",
        "https://siem.example:99999/",
    ],
)
def test_what_goes_in_the_open_or_breaks_a_line_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        web_address(url)


@pytest.mark.parametrize(
    "alerts",
    [
        {"mail": MAIL | {"user": "warden"}},
        {"mail": MAIL | {"user": "warden", "password_file": "/x", "security": "none"}},
        {"mail": MAIL | {"recipients": []}},
        {"mail": MAIL | {"sender": "a@b.example\r\nBcc: e@f.example"}},
        {"mail": MAIL | {"recipients": ["c@d.example, e@f.example"]}},
        {"mail": MAIL | {"security": "perhaps"}},
        {"slack": {"url": "https://hooks.example/x", "url_file": "/x"}},
        {"teams": {}},
        {"splunk": {"url": "https://splunk.example"}},
        {"syslog": {"transport": "carrier_pigeon"}},
    ],
)
def test_what_is_not_safe_or_not_whole_is_refused(alerts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Alerts.model_validate(alerts)


def test_what_many_read_is_masked_and_mail_is_encrypted_unless_said_otherwise() -> None:
    alerts = Alerts.model_validate(
        {
            "mail": MAIL,
            "slack": {"url_file": "/x"},
            "teams": {"url_file": "/x"},
            "syslog": {"transport": "tls"},
        }
    )
    assert alerts.mail and alerts.slack and alerts.teams and alerts.syslog
    assert alerts.mail.mask_paths and alerts.slack.mask_paths and alerts.teams.mask_paths
    assert (alerts.mail.security, alerts.mail.port_number) == ("starttls", 587)
    assert alerts.syslog.port_number == 6514
