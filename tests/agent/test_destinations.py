"""Secrets come from files that nobody else can read, and appear in no message."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agent.destinations import SecretTrouble, paces_of, read_file, sinks_of
from config.destinations import Alerts

SECRET = "made-up-and-secret"


def splunk(file: Path) -> Alerts:
    return Alerts.model_validate({"splunk": {"url": "https://splunk.example", "token_file": file}})


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    return file


def test_the_courier_gets_the_content_and_not_the_path(token: Path) -> None:
    plain = sinks_of(splunk(token))["splunk"]
    assert plain["token"] == SECRET
    assert "token_file" not in plain and str(token) not in str(plain)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(token: Path, mode: int) -> None:
    token.chmod(mode)
    with pytest.raises(SecretTrouble, match="open to others") as caught:
        sinks_of(splunk(token))
    assert caught.value.key == "alerts.splunk.token_file"
    assert SECRET not in str(caught.value)


@pytest.mark.root
def test_a_secret_of_somebody_else_is_refused(token: Path) -> None:
    os.chown(token, 65534, 65534)
    with pytest.raises(SecretTrouble, match="somebody else"):
        sinks_of(splunk(token))


@pytest.mark.parametrize("content", [b"", b" \n", b"two\nlines", b"x\x00y", b"\xff\xfe", b"x" * 300_000])
def test_what_is_no_line_of_text_is_refused_without_quoting_it(token: Path, content: bytes) -> None:
    token.write_bytes(content)
    with pytest.raises(SecretTrouble) as caught:
        sinks_of(splunk(token))
    assert len(str(caught.value)) < 300 + len(str(token))


def test_a_link_a_pipe_and_what_is_not_there_are_refused_and_nothing_hangs(token: Path) -> None:
    (token.parent / "link").symlink_to(token)
    os.mkfifo(token.parent / "pipe", 0o600)
    for name in ("link", "pipe", "nowhere"):
        with pytest.raises(SecretTrouble):
            sinks_of(splunk(token.parent / name))


def test_what_is_public_may_be_open(token: Path) -> None:
    token.chmod(0o644)
    assert read_file(token, private=False) == SECRET + "\n"


def test_an_authority_must_be_pem(token: Path) -> None:
    web: dict[str, Any] = {"url": "https://siem.example/in", "ca_file": token}
    with pytest.raises(SecretTrouble, match="PEM"):
        sinks_of(Alerts.model_validate({"webhook": web}))


@pytest.mark.parametrize("url", ["http://elsewhere.example/x", "file:///etc/passwd", SECRET])
def test_an_address_in_a_file_is_held_to_the_same_rules_and_not_quoted(token: Path, url: str) -> None:
    token.write_text(url)
    with pytest.raises(SecretTrouble) as caught:
        sinks_of(Alerts.model_validate({"slack": {"url_file": token}}))
    assert url not in str(caught.value)


def test_only_what_people_read_has_a_pace(token: Path) -> None:
    alerts = Alerts.model_validate(
        {
            "file": {"path": "/x"},
            "slack": {"url_file": token},
            "splunk": {"url": "https://s.example", "token_file": token},
        }
    )
    assert paces_of(alerts) == {"slack": 60.0}
