"""`config`: what is written is checked whole, what counts is shown."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pyrage
import pytest

from agent.cli import run
from config.load import SHIPPED_FILE, load
from config.settings import Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("RECORDWARDEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("config.load.DEFAULT_FILE", tmp_path / "none.toml")


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> str:
        file = tmp_path / "config.toml"
        file.write_text(text)
        return str(file)

    return write


def test_shown_configuration_is_toml_that_loads_to_the_same(written, capsys):
    file = written('[[watch.roots]]\npath = "/srv/a b\\u202e"\nmode = "enforce"\n[alerts.file]\npath = "/x"')
    assert run(["config", "show", "--config", file]) == 0
    shown = capsys.readouterr().out
    assert "\u202e" not in shown

    assert Settings(**tomllib.loads(shown)) == load(Path(file))


def test_shown_as_json_it_is_one_object(capsys):
    assert run(["config", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"]["mode"] == "audit"


def test_the_schema_is_json(capsys):
    assert run(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["policy"]


def test_the_shipped_file_is_shown_with_its_comments(capsys):
    assert run(["config", "show", "--defaults"]) == 0
    assert capsys.readouterr().out == SHIPPED_FILE.read_text()


def test_a_good_configuration_is_said_good(written, capsys):
    recipient = pyrage.x25519.Identity.generate().to_public()
    file = written(f'[policy]\nmode = "enforce"\n[vault]\nrecipients = ["{recipient}"]')
    assert run(["config", "check", "--config", file, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True and told["enforces"] is True and len(told["config_digest"]) == 64


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[policy]\nmode = "enforce"', "vault.recipients"),
        ('[watch.volumes]\nmode = "enforce"', "vault.recipients"),
        ('[vault]\nrecipients = ["age1nonsense"]', "vault.recipients[0]"),
        ('[vault]\nrecipients_file = "/nowhere/at/all"', "vault.recipients_file"),
        ("[detectors.no_such]\nweight = 1", "detectors.no_such"),
        ("[detectors.small_cells]\nbelow = 1", "detectors.small_cells.below"),
        ("[detectors.small_cells]\nbelwo = 5", "detectors.small_cells.belwo"),
    ],
)
def test_what_only_the_service_would_notice_is_found_too(written, capsys, text, key):
    file = written(text)
    assert run(["config", "check", "--config", file]) == 78
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"recordwarden: error: {file}: {key}: ")
    assert len(lines) == 2 and lines[1].startswith("recordwarden: hint: ")


def test_a_notice_that_would_mislead_is_refused_before_the_service_is(tmp_path, capsys):
    (tmp_path / "notice.txt").write_text("{file} {reference} {secret}")
    config = tmp_path / "config.toml"
    config.write_text(f'state_dir = "{tmp_path}/state"\n[notice]\ntemplate_file = "{tmp_path}/notice.txt"\n')
    assert run(["config", "check", "--config", str(config)]) == 78
    assert "notice.template_file: unknown placeholder {secret}" in capsys.readouterr().err


def test_a_password_of_the_consoles_database_is_not_shown(tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text('[console]\ndatabase = "postgresql://console:s3cr@t:word@db.example.org/alerts"\n')
    for more in ([], ["--json"]):
        assert run(["config", "show", "--config", str(config), *more]) == 0
        out = capsys.readouterr().out
        assert (
            "postgresql://console:***@db.example.org/alerts" in out
            and "word" not in out.split("console:")[1][:40]
        )
