"""The console's settings: no password crosses a network in the clear."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.console import Console, Provider


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


@pytest.mark.parametrize("issuer", ["http://sign-in.example.org", "ftp://x", "https://", "https://a/?b"])
def test_a_provider_is_reached_by_tls_only(issuer):
    with pytest.raises(ValidationError):
        Provider(issuer=issuer, client_id="rw", roles={"a": ("analyst",)})


def test_a_provider_gives_roles_that_there_are():
    with pytest.raises(ValidationError):
        Provider(issuer="https://a", client_id="rw", roles={"a": ("root",)})
    with pytest.raises(ValidationError):
        Provider(issuer="https://a", client_id="rw", roles={})


def test_some_way_in_remains():
    with pytest.raises(ValidationError):
        Console(local_sign_in=False)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:8710"),
        ({"host": "::1"}, "http://[::1]:8710"),
        ({"public_url": "https://console.example.org/"}, "https://console.example.org"),
    ],
)
def test_where_browsers_find_it(given, url):
    assert Console(**given).url == url
