"""The loader: every wrong key is named, nothing falls back silently."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from config.load import CLIENT_VARIABLES, SHIPPED_FILE, ConfigError, config_file, key_paths, load
from config.settings import Mode, Settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("RECORDWARDEN_"):
            monkeypatch.delenv(name)


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        file = tmp_path / "config.toml"
        file.write_text(text)
        return file

    return write


def _flat(plain: Any, above: str = "") -> set[str]:
    if isinstance(plain, dict) and plain:
        return {
            key for name, value in plain.items() for key in _flat(value, f"{above}.{name}" if above else name)
        }
    if isinstance(plain, list) and plain and isinstance(plain[0], dict):
        return _flat(plain[0], f"{above}[]")
    return {above}


def test_shipped_file_states_the_defaults_of_the_model():
    assert load(SHIPPED_FILE).model_copy(update={"detectors": {}}) == Settings()


def test_shipped_file_states_every_option_of_every_detector():
    done = subprocess.run(
        [sys.executable, "-I", "-m", "detectors.engine.catalogue"],
        input="{}",
        capture_output=True,
        text=True,
        check=True,
    )
    options = {d["id"]: d["options"] for d in json.loads(done.stdout)["detectors"]}
    assert tomllib.loads(SHIPPED_FILE.read_text())["detectors"] == options


def test_shipped_file_names_every_key_and_no_other():
    uncommented = re.sub(r"(?m)^#(?=[\[a-z])", "", SHIPPED_FILE.read_text())
    keys = {
        key.partition(".")[0] if key.startswith("detectors.") else key.removesuffix(".rw-analysts")
        for key in _flat(tomllib.loads(uncommented))
    }
    assert keys == set(key_paths())


def test_shipped_file_explains_every_section():
    lines = SHIPPED_FILE.read_text().splitlines()
    explained = [line for line in lines if line.startswith("# ")]
    assert len(explained) >= len(list(key_paths())) // 2


def test_without_a_file_the_shipped_defaults_count(monkeypatch, tmp_path):
    monkeypatch.setattr("config.load.DEFAULT_FILE", tmp_path / "absent.toml")
    assert config_file() is None
    assert load() == Settings()


def test_the_default_file_counts_when_it_is_there(monkeypatch, written):
    monkeypatch.setattr("config.load.DEFAULT_FILE", written('[policy]\nmode = "enforce"'))
    assert load().policy.mode is Mode.ENFORCE


def test_the_environment_names_the_file_and_an_argument_wins_over_it(monkeypatch, written, tmp_path):
    monkeypatch.setenv("RECORDWARDEN_CONFIG", str(written('state_dir = "/named"')))
    assert load().state_dir == Path("/named")
    other = tmp_path / "other.toml"
    other.write_text('state_dir = "/given"')
    assert load(other).state_dir == Path("/given")


def test_the_environment_wins_over_the_file_and_leaves_its_neighbours(monkeypatch, written):
    monkeypatch.setenv("RECORDWARDEN_POLICY__MODE", "enforce")
    monkeypatch.setenv("RECORDWARDEN_VAULT__RECIPIENTS", '["age1x"]')
    monkeypatch.setenv("RECORDWARDEN_ALERTS__FILE__PATH", "/var/alerts")
    settings = load(written('[policy]\nmode = "audit"\ncontact = "Ms Example"\n[vault]\nreserve_mb = 5'))
    assert settings.policy.mode is Mode.ENFORCE
    assert settings.policy.contact == "Ms Example"
    assert (settings.vault.recipients, settings.vault.reserve_mb) == (("age1x",), 5)
    assert settings.alerts.file is not None


def test_what_a_client_of_the_console_reads_is_no_setting(monkeypatch):
    for name in CLIENT_VARIABLES:
        monkeypatch.setenv(name, "x")
    load()


def test_a_missing_file_is_an_error_however_it_was_named(monkeypatch, tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "absent.toml")
    monkeypatch.setenv("RECORDWARDEN_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(ConfigError, match="there is no such file"):
        load()


@pytest.mark.parametrize(
    ("text", "key", "message", "hint"),
    [
        ('state_dri = "/x"', "state_dri", "unknown key", "did you mean state_dir?"),
        ('mode = "enforce"', "mode", "unknown key", "did you mean policy.mode?"),
        ("[policy]\nfrobnicate = 1", "policy.frobnicate", "unknown key", "keys here are: mode, actions"),
        (
            '[policy]\nmode = "enforced"',
            "policy.mode",
            "must be one of audit, enforce",
            "did you mean enforce?",
        ),
        ("[watch]\nsettle_seconds = -3", "watch.settle_seconds", "must be greater than 0", "value is 0.02"),
        ('[[watch.roots]]\npath = "x"', "watch.roots[0]", "must be an absolute path", ""),
        ('[[watch.roots]]\npth = "/x"', "watch.roots[0].pth", "unknown key", "watch.roots[0].path?"),
        ("[alerts.file]", "alerts.file.path", "is required", ""),
        ('[vault]\nrecipients = "x"', "vault.recipients", "must be a list", ""),
        ("policy = 3", "policy", "must be a section", ""),
        ('[service]\nrequire = ["seccmp"]', "service.require[0]", "must be one of", "did you mean seccomp?"),
    ],
)
def test_a_wrong_key_is_named_with_file_and_hint(written, text, key, message, hint):
    file = written(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert (caught.value.source, caught.value.key) == (str(file), key)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in str(caught.value) + caught.value.hint


def test_a_misspelt_key_is_named_before_a_wrong_value(written):
    with pytest.raises(ConfigError) as caught:
        load(written('[watch]\nsettle_seconds = -1\n[policy]\nmodus = "x"'))
    assert caught.value.key == "policy.modus"


def test_broken_toml_is_named_with_its_line(written):
    with pytest.raises(ConfigError) as caught:
        load(written('state_dir = "/x"\n[policy\nmode = "audit"'))
    assert caught.value.key.startswith("line 2")


def test_a_file_that_is_not_text_is_an_error(tmp_path):
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(file)


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        (
            "RECORDWARDEN_POLICY__MOD",
            "enforce",
            "unknown variable",
            "did you mean RECORDWARDEN_POLICY__MODE?",
        ),
        (
            "RECORDWARDEN_POLICY_MODE",
            "enforce",
            "unknown variable",
            "did you mean RECORDWARDEN_POLICY__MODE?",
        ),
        ("RECORDWARDEN_STATEDIR", "/x", "unknown variable", "did you mean RECORDWARDEN_STATE_DIR?"),
        ("RECORDWARDEN_POLICY__MODE", "x", "must be one of audit, enforce", ""),
        ("RECORDWARDEN_VAULT__RECIPIENTS", "age1x", "must be JSON", "write a list"),
        ("RECORDWARDEN_POLICY", "audit", "must be JSON", ""),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch, name, value, message, hint):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load()
    assert (caught.value.source, caught.value.key) == ("environment", name)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_fault_within_a_variable_names_the_variable_and_the_place(monkeypatch):
    monkeypatch.setenv("RECORDWARDEN_WATCH__ROOTS", '[{"pth": "/x"}]')
    with pytest.raises(ConfigError) as caught:
        load()
    assert caught.value.key == "RECORDWARDEN_WATCH__ROOTS[0].pth"


def test_detectors_stanzas_pass_through_to_be_checked_by_the_detectors(monkeypatch, written):
    monkeypatch.setenv("RECORDWARDEN_DETECTORS__SHAPE__THRESHOLD", "0.5")
    monkeypatch.setenv("RECORDWARDEN_DETECTORS__SHAPE__WORDS", '["a", "b"]')
    monkeypatch.setenv("RECORDWARDEN_DETECTORS__SHAPE__MODE", "strict")
    settings = load(written("[detectors.shape]\nrows = 3\nlabel = '7'"))
    shape = {"rows": 3, "label": "7", "threshold": 0.5, "words": ["a", "b"], "mode": "strict"}
    assert settings.detectors == {"shape": shape}


def test_a_key_found_wrong_later_names_the_variable_that_set_it(monkeypatch):
    assert str(ConfigError.about("f", "vault.recipients[0]", "bad")) == "f: vault.recipients[0]: bad"
    monkeypatch.setenv("RECORDWARDEN_VAULT__RECIPIENTS", "[]")
    told = ConfigError.about("f", "vault.recipients[0]", "bad")
    assert str(told) == "environment: RECORDWARDEN_VAULT__RECIPIENTS: vault.recipients[0]: bad"
