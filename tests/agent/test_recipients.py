"""Recipients are proved usable before anything is taken for them."""

from __future__ import annotations

import pyrage
import pytest

from agent.recipients import usable_recipients
from config.load import ConfigError
from config.settings import Settings

GOOD = str(pyrage.x25519.Identity.generate().to_public())


def test_both_places_count(tmp_path):
    file = tmp_path / "recipients.txt"
    file.write_text(f"# the security team\n\n{GOOD}\n")
    settings = Settings(vault={"recipients": [GOOD], "recipients_file": file})
    assert usable_recipients(settings) == [GOOD, GOOD]


def test_auditing_needs_none_and_enforcing_anywhere_needs_one():
    assert usable_recipients(Settings()) == []
    for enforcing in (
        {"policy": {"mode": "enforce"}},
        {"watch": {"volumes": {"mode": "enforce"}}},
        {"watch": {"roots": [{"path": "/srv", "mode": "enforce"}]}},
    ):
        with pytest.raises(ConfigError, match=r"here\.toml: vault\.recipients: enforcing needs"):
            usable_recipients(Settings(**enforcing), "here.toml")


def test_a_secret_key_is_refused_and_never_repeated():
    secret = str(pyrage.x25519.Identity.generate())
    with pytest.raises(ConfigError, match="secret key") as caught:
        usable_recipients(Settings(vault={"recipients": [secret]}))
    assert secret not in str(caught.value) + caught.value.hint


def test_a_wrong_line_of_the_file_is_named(tmp_path):
    file = tmp_path / "recipients.txt"
    file.write_text(f"{GOOD}\nnonsense\n")
    with pytest.raises(ConfigError, match="line 2"):
        usable_recipients(Settings(vault={"recipients_file": file}))
