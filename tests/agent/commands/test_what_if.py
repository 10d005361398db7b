"""Another configuration is tried on files: what would change is told, and nothing is touched."""

from __future__ import annotations

import json

import pytest

from agent.cli import run
from agent.commands.what_if import answer
from agent.demo_files import demo_files
from config.settings import Action, Settings, Zone
from detectors.engine.verdict import Outcome, Subject, Tier, Verdict

MICRODATA = Verdict(Outcome.MICRODATA, flagged=True, tier=Tier.LIKELY, subject=Subject.PERSON)


@pytest.fixture
def tried(tmp_path, capsys):
    """Types `what-if` with two configurations over a survey and a table of statistics."""
    folder = tmp_path / "files"
    folder.mkdir()
    files = {f.name: f.content for f in demo_files()}
    for name in ("survey_2026.csv", "strength_by_rank.csv"):
        content = files.get(name) or b"Region,2023,2024\nNorth,1200,1300\nTotal,1200,1300\n"
        (folder / name).write_bytes(content)

    def tried(old: str, new: str, *more: str):
        (tmp_path / "old.toml").write_text(old)
        (tmp_path / "new.toml").write_text(new)
        capsys.readouterr()
        code = run(
            ["what-if", "--config", str(tmp_path / "new.toml"), "--against", str(tmp_path / "old.toml"),
             *more, str(folder)]
        )  # fmt: skip
        return code, *capsys.readouterr()

    return tried


def test_the_same_configuration_changes_nothing(tried):
    code, out, _ = tried("", "")
    assert code == 0
    assert "2 files judged under both; nothing would change" in out


def test_another_policy_changes_actions_and_no_verdict(tried):
    code, out, _ = tried("", "[policy.actions.shared]\nconfirmed = 'record'\nlikely = 'record'\n", "--json")
    (line,) = map(json.loads, out.splitlines())
    assert code == 1
    assert line["path"].endswith("survey_2026.csv")
    assert line["changed"] == ["action"]
    assert (line["before"]["action"], line["after"]["action"]) == ("alert", "record")
    assert "findings" not in line["before"]["verdict"]


def test_other_detectors_change_verdicts(tried):
    code, out, _ = tried("", "[detectors.record_model]\npossible = 0.999\nlikely = 0.9999\nconfirmed = 1.0\n")
    assert code == 1
    assert "survey_2026.csv" in out and "now:" in out and "would:" in out
    assert "strength_by_rank" not in out


def test_a_wrong_configuration_is_named_and_nothing_is_judged(tried):
    code, _, err = tried("", "[detectors.small_cells]\nbelow = 'x'\n")
    assert code == 78
    assert "new.toml: detectors.small_cells.below" in err


def test_a_path_that_is_not_there_is_wrong_usage(tmp_path, capsys):
    (tmp_path / "new.toml").write_text("")
    assert run(["what-if", "--config", str(tmp_path / "new.toml"), str(tmp_path / "gone")]) == 2


def test_the_root_that_a_file_lies_in_decides_as_the_service_would():
    settings = Settings.model_validate(
        {
            "policy": {"mode": "enforce", "actions": {"website": {"likely": "alert"}}},
            "watch": {
                "roots": [
                    {"path": "/srv", "zone": "shared"},
                    {"path": "/srv/web", "zone": "website"},
                    {"path": "/srv/safe", "handling": "restricted"},
                ]
            },
        }
    )
    acts = {
        path: answer(settings, MICRODATA, path, Zone.REMOVABLE).disposition.act
        for path in ("/srv/a.csv", "/srv/web/a.csv", "/srv/safe/a.csv", "/elsewhere/a.csv")
    }
    assert list(acts.values()) == [Action.QUARANTINE, Action.ALERT, Action.RECORD, Action.QUARANTINE]


def test_a_tuning_is_tried_before_it_is_signed(tried, tmp_path, capsys):
    (tmp_path / "old.toml").write_text("")
    toml = tmp_path / "tuning.toml"
    toml.write_text("[detectors.record_model]\npossible = 0.999\nlikely = 0.9999\nconfirmed = 1.0\n")
    words = ["what-if", "--against", str(tmp_path / "old.toml"), str(tmp_path / "files")]
    assert run([*words, "--tuning", str(toml)]) == 1
    assert "survey_2026.csv" in capsys.readouterr().out
    toml.write_text("[policy]\nmode = 'audit'\n")
    assert run([*words, "--tuning", str(toml)]) == 2
    assert run(words) == 2
