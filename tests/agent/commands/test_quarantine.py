"""The vault from the command line, at a real service."""

from __future__ import annotations

import json
import os
import stat
import subprocess

import pyrage
import pytest

from agent.cli import run
from agent.commands.demo_service import DemoService
from agent.commands.keys import read_identities, write_identity
from agent.demo_files import demo_files

CONTENT = {file.name: file.content for file in demo_files()}


@pytest.fixture
def survey(objects):
    return next(e for e in objects("quarantine", "list") if e["path"].endswith("survey_2026.csv"))


def test_what_was_taken_is_listed(objects, typed, running):
    found = {os.path.basename(e["path"]): e for e in objects("quarantine", "list")}
    assert set(found) >= {"survey_2026.csv", "staff.zip"}
    assert {e["state"] for e in found.values()} <= {"quarantined", "restored"}
    assert found["survey_2026.csv"]["size"] == len(CONTENT["survey_2026.csv"])
    code, out, _ = typed("quarantine", "list")
    assert code == 0 and str(running.watched / "survey_2026.csv") in out


def test_one_entry_is_shown_by_the_start_of_its_id(typed, survey):
    code, out, _ = typed("quarantine", "show", survey["entry_id"][:8])
    assert code == 0
    assert survey["entry_id"] in out and survey["sha256"] in out and "microdata" in out


def test_an_unknown_id_is_said_so(typed):
    code, _, err = typed("quarantine", "show", "ffffffff-0000")
    assert code == 1 and err.startswith("recordwarden: error: ")
    assert typed("quarantine", "show", "../../etc/passwd")[0] in (1, 2)


def test_all_entries_are_verified_with_and_without_the_key(typed, running):
    code, out, _ = typed("quarantine", "verify")
    assert code == 0 and "0 damaged" in out
    code, out, _ = typed("quarantine", "verify", "--identity", str(running.identity))
    assert code == 0 and "0 damaged" in out


def test_a_damaged_entry_is_found_and_named(typed, objects, running, survey):
    file = running.settings.state_dir / "vault" / "entries" / f"{survey['entry_id']}.age"
    whole = file.read_bytes()
    file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    try:
        code, out, _ = typed("quarantine", "verify", survey["entry_id"])
        assert code == 1 and "the ciphertext was changed" in out
        (told,) = objects("quarantine", "verify", survey["entry_id"])
        assert told["whole"] is False
    finally:
        file.write_bytes(whole)


def test_the_very_bytes_come_back_with_the_key(typed, running, survey, tmp_path):
    target = tmp_path / "back.csv"
    arguments = ("quarantine", "restore", survey["entry_id"], "--identity", str(running.identity), "--to")
    code, out, err = typed(*arguments, str(target))
    assert code == 0, err
    assert target.read_bytes() == CONTENT["survey_2026.csv"]
    assert "restored" in out
    code, _, err = typed(*arguments, str(target))
    assert code == 1 and "nothing was overwritten" in err


def test_into_a_folder_it_keeps_its_name(typed, running, survey, tmp_path):
    arguments = ("quarantine", "restore", survey["entry_id"], "--identity", str(running.identity), "--to")
    assert typed(*arguments, str(tmp_path))[0] == 0
    assert (tmp_path / "survey_2026.csv").read_bytes() == CONTENT["survey_2026.csv"]


def test_the_wrong_key_gives_nothing_back(typed, survey, tmp_path):
    write_identity(tmp_path / "other.txt")
    target = tmp_path / "back.csv"
    arguments = ("--identity", str(tmp_path / "other.txt"), "--to", str(target))
    code, _, err = typed("quarantine", "restore", survey["entry_id"], *arguments)
    assert code == 74 and "identity" in err
    assert [p.name for p in tmp_path.iterdir()] == ["other.txt"]


def test_no_root_gets_a_file_that_it_would_take_again(typed, running, survey):
    arguments = ("quarantine", "restore", survey["entry_id"], "--identity", str(running.identity))
    code, _, err = typed(*arguments)
    assert code == 1
    assert "would take it again" in err and "alerts decide" in err
    code, _, err = typed(*arguments, "--to", str(running.watched / "elsewhere.csv"))
    assert code == 1 and "would take it again" in err


def test_after_a_determination_it_goes_back_to_its_place_and_stays(typed, objects, running):
    entry = next(e for e in objects("quarantine", "list") if e["path"].endswith("staff.zip"))
    assert typed("alerts", "decide", entry["alert_id"], "authorised", "--note", "agreed on paper")[0] == 0
    code, _, err = typed("quarantine", "restore", entry["entry_id"], "--identity", str(running.identity))
    assert code == 1 and "policy does not allow" in err  # one person's word is no agreement
    assert typed("alerts", "decide", entry["alert_id"], "false_positive", "--note", "made up")[0] == 0
    arguments = ("--identity", str(running.identity))
    code, _, err = typed("quarantine", "restore", entry["entry_id"], *arguments)
    assert code == 0, err
    file = running.watched / "staff.zip"
    assert file.read_bytes() == CONTENT["staff.zip"]
    assert not file.with_name("staff.zip.quarantined.txt").exists()
    running.judge_all()
    assert file.read_bytes() == CONTENT["staff.zip"]
    (now,) = objects("quarantine", "show", entry["entry_id"])
    assert now["state"] == "restored"


def test_entries_are_handed_over_as_age_files(typed, running, survey, tmp_path):
    folder = tmp_path / "handover"
    assert typed("quarantine", "export", survey["entry_id"], "--to", str(folder))[0] == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    sealed = (folder / f"{survey['entry_id']}.age").read_bytes()
    assert pyrage.decrypt(sealed, read_identities(running.identity)) == CONTENT["survey_2026.csv"]
    assert json.loads((folder / f"{survey['entry_id']}.json").read_text())["sha256"] == survey["sha256"]
    assert typed("quarantine", "export", survey["entry_id"], "--to", str(folder))[0] == 1


def test_a_service_without_a_vault_is_said_so(tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text(f'state_dir = "{tmp_path}/nothing"')
    assert run(["quarantine", "list", "--config", str(config)]) == 1
    assert "there is no ledger" in capsys.readouterr().err


def test_the_key_file_is_never_repeated(typed, survey, tmp_path):
    key = tmp_path / "key.txt"
    key.write_text("AGE-SECRET-KEY-1NONSENSE\n")
    code, out, err = typed("quarantine", "restore", survey["entry_id"], "--identity", str(key))
    assert code == 2 and "NONSENSE" not in out + err


def test_age_itself_opens_an_entry(running, survey):
    found = subprocess.run(["which", "age"], capture_output=True, check=False)
    if found.returncode:
        pytest.skip("age is not installed")
    file = running.settings.state_dir / "vault" / "entries" / f"{survey['entry_id']}.age"
    done = subprocess.run(["age", "-d", "-i", running.identity, file], capture_output=True, check=True)
    assert done.stdout == CONTENT["survey_2026.csv"]


def test_with_the_service_down_entries_are_seen_and_given_back_elsewhere(tmp_path, capsys):
    service = DemoService(tmp_path)
    service.prepare()
    file = service.watched / "survey_2026.csv"
    try:
        service.start()
        service.wait_until_up()
        file.write_bytes(CONTENT["survey_2026.csv"])
        entry_id = service.entry_of(file)["entry_id"]
    finally:
        service.stop()
    options = ("--config", str(service.config))
    restore = ("quarantine", "restore", entry_id, "--identity", str(service.identity), *options)
    assert run(["quarantine", "list", *options]) == 0
    assert entry_id in capsys.readouterr().out
    assert run(restore) == 1
    assert "would take it again" in capsys.readouterr().err
    assert run([*restore, "--to", str(tmp_path / "back.csv")]) == 0
    assert "the ledger does not know" in capsys.readouterr().err
    assert (tmp_path / "back.csv").read_bytes() == CONTENT["survey_2026.csv"]
