"""The command's frame: quick help, one line for what went wrong, the right exit code."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from agent import errors
from agent.cli import COMMANDS, EXIT_CODES, Program, program, refuse_unsupported, run
from agent.errors import Unsupported


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("RECORDWARDEN_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr("config.load.DEFAULT_FILE", tmp_path / "none.toml")


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> str:
        file = tmp_path / "config.toml"
        file.write_text(text)
        return str(file)

    return write


def test_help_imports_no_command_and_none_of_their_libraries():
    code = "import sys; from agent.cli import run; run(['--help']); print(sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("pydantic", "rich", "pyrage", "sqlite3", "agent.commands.scan", "pandas"):
        assert f"'{heavy}'" not in shown


def test_every_command_is_there_and_says_what_it_does():
    context = click.Context(program)
    assert isinstance(program, Program)
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None and command.name == name and command.help


def test_every_problem_has_an_exit_code_of_its_family():
    for kind in errors.Problem.__subclasses__():
        if kind.__module__ == "agent.errors":
            assert kind in EXIT_CODES


def test_wrong_usage_is_one_line_and_a_hint_and_code_2(capsys):
    assert run(["scna"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("recordwarden: error: ") and lines[1].startswith("recordwarden: hint: ")
    assert len(lines) == 2
    assert run(["scan"]) == 2


def test_a_wrong_key_is_one_line_with_file_and_key_and_code_78(written, capsys):
    file = written("[policy]\nmoed = 'enforce'")
    assert run(["config", "show", "--config", file]) == 78
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"recordwarden: error: {file}: policy.moed: unknown key",
        "recordwarden: hint: did you mean policy.mode?",
    ]


def test_a_missing_file_and_a_misspelt_variable_are_code_78(monkeypatch, capsys):
    assert run(["config", "show", "--config", "/nowhere/config.toml"]) == 78
    monkeypatch.setenv("RECORDWARDEN_POLICI__MODE", "enforce")
    assert run(["config", "show"]) == 78
    assert "did you mean RECORDWARDEN_POLICY__MODE?" in capsys.readouterr().err


def test_a_service_that_does_not_run_is_said_so(written, tmp_path, capsys):
    file = written(f'state_dir = "{tmp_path}/state"')
    assert run(["status", "--config", file]) == 69
    assert "no service is running" in capsys.readouterr().err
    assert run(["alerts", "list", "--config", file]) == 1
    assert "there is no ledger" in capsys.readouterr().err


def test_a_closed_pipe_is_no_traceback():
    command = f"{sys.executable} -m agent config schema | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_nothing_typed_shows_the_help_as_it_is(capsys):
    assert run([]) == 2
    assert len(capsys.readouterr().err.splitlines()) > 10
    assert run(["quarantine"]) == 2
    assert "restore" in capsys.readouterr().err


def test_a_locale_without_a_letter_ends_no_command(tmp_path):
    (tmp_path / "調査.csv").write_text("x")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "agent", "scan", "--all", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert b"Traceback" not in done.stderr and rb"\u8abf" in done.stdout


@pytest.mark.parametrize(("platform", "name"), [("win32", "Windows"), ("darwin", "macOS"), ("beos", "beos")])
def test_where_it_does_not_run_yet_it_says_so(platform, name):
    with pytest.raises(Unsupported, match=f"`run` does not run on {name} yet"):
        refuse_unsupported("run", platform)
    refuse_unsupported("run", "linux")
    refuse_unsupported("keys", platform)


def test_that_it_does_not_run_is_said_before_anything_of_linux_is_imported(tmp_path):
    absent = ("fcntl", "grp", "pwd", "resource", "termios")
    lines = [
        "import sys",
        f"sys.modules.update(dict.fromkeys({absent}))",
        "import agent.cli as cli",
        "cli.refuse_unsupported.__defaults__ = ('win32',)",
        "sys.exit(cli.run(['run']))",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (69, False)
    assert "does not run on Windows yet" in done.stderr
