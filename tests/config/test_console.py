"""The console's settings: no password crosses a network in the clear."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.console import Console


def test_as_shipped_only_this_machine_reaches_it():
    rules = Console()
    assert rules.is_local and not rules.is_secure and rules.database_url.startswith("sqlite:////var/lib/")


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "console.example.org"},
        {"host": "10.0.0.1", "public_url": "http://console.example.org"},
        {"tls_certificate": "/x"},
        {"public_url": "console.example.org"},
        {"public_url": "https://console.example.org/below"},
    ],
)
def test_beyond_this_machine_it_takes_tls(changes):
    with pytest.raises(ValidationError):
        Console(**changes)


def test_a_proxy_that_speaks_tls_will_do():
    rules = Console(host="10.0.0.1", public_url="https://console.example.org")
    assert rules.is_secure and "console.example.org" in rules.hosts


def test_a_plain_postgresql_address_gets_the_driver_that_is_installed():
    assert Console(database="postgresql://u@h/d").database_url == "postgresql+psycopg://u@h/d"
    assert Console(database="sqlite:////x").database_url == "sqlite:////x"
