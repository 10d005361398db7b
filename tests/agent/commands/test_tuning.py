"""Tuning from the command line: written, signed by two, handed in, judged by, shown, revoked by one."""

from __future__ import annotations

import json
import time
import tomllib

import pytest

from agent.cli import run

TOML = '[detectors.row_subject]\nwords_person = ["disgybl"]\n'


@pytest.fixture
def running(own_service):
    return own_service


@pytest.fixture
def toml(tmp_path):
    file = tmp_path / "tuning.toml"
    file.write_text(TOML)
    return file


def until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_tuning_is_written_signed_handed_in_judged_by_and_revoked(running, typed, agreed, toml, tmp_path):
    paper = tmp_path / "tuning.json"
    made = ["tuning", "new", str(paper), "--settings", str(toml), "--reason", "Welsh headers"]
    assert run([*made, "--id", "TUN-1"]) == 0
    for person in (agreed.owner, agreed.officer):
        key = str(person.key_file(tmp_path))
        assert run(["tuning", "approve", str(paper), "--key", key, "--yes"]) == 0
    before = json.loads(typed("status", "--json")[1])["config_digest"]
    code, out, err = typed("tuning", "add", str(paper))
    assert code == 0 and "TUN-1 is in_force" in out, err

    def counts():
        return [row["tuning_id"] for row in listed() if row["counts"]]

    def listed():
        return [json.loads(line) for line in typed("tuning", "list", "--json")[1].splitlines()]

    until(lambda: counts() == ["TUN-1"])
    found = json.loads(typed("status", "--json")[1])
    assert found["config_digest"] != before and found["tuning"]["keys"] == ["row_subject.words_person"]
    assert "COUNTS" in typed("tuning", "list")[1] and "TUN-1: 1 key of detectors" in typed("status")[1]
    shown = typed("config", "show")[1]
    assert 'words_person = ["disgybl"]  # tuning TUN-1' in shown
    assert tomllib.loads(shown)["detectors"]["row_subject"]["words_person"] == ["disgybl"]
    sources = json.loads(typed("config", "show", "--json")[1])["sources"]
    assert sources["detectors.row_subject.words_person"] == "tuning TUN-1"
    assert sources["state_dir"] == str(running.config)
    assert "disgybl" in typed("tuning", "show", "TUN-1")[1]

    code, out, err = typed("tuning", "revoke", "TUN-1", "--key", key, "--reason", "too many")
    assert code == 0 and "revoked" in out, err
    until(lambda: counts() == [])
    assert json.loads(typed("status", "--json")[1])["config_digest"] == before
    assert "tuning TUN" not in typed("config", "show")[1]


@pytest.mark.parametrize("text", ["[policy]\nmode = 'audit'", "nonsense", "[detectors.row_subject]\n"])
def test_what_is_no_tuning_is_not_written(toml, tmp_path, capsys, text):
    toml.write_text(text)
    paper = tmp_path / "x"
    assert run(["tuning", "new", str(paper), "--settings", str(toml), "--reason", "x"]) == 2
    assert not paper.exists() and str(toml) in capsys.readouterr().err


def test_a_key_that_detectors_do_not_have_is_named(toml, tmp_path, capsys):
    toml.write_text("[detectors.row_subject]\nwrods_person = ['x']\n")
    assert run(["tuning", "new", str(tmp_path / "x"), "--settings", str(toml), "--reason", "x"]) == 78
    assert "wrods_person" in capsys.readouterr().err
