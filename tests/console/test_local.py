"""`recordwarden console` at the machine itself (console.local)."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from console.command import console


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("RECORDWARDEN_CONSOLE__FOLDER", str(tmp_path / "c"))
    return lambda *words, given="": CliRunner().invoke(console, words, input=given)


def test_the_first_administrator_is_made_here(run):
    words = ("user", "add", "ann", "--role", "administrator", "--role", "analyst", "--password-stdin")
    made = run(*words, given="correct horse battery\n")
    assert made.exit_code == 0, made.output
    assert run("user", "list").output == "ann\tadministrator analyst\n"
    again = run(*words, given="correct horse battery\n")
    assert again.exit_code == 1 and "there is an account of this name" in again.output


def test_a_short_password_is_refused_in_one_line(run):
    made = run("user", "add", "ann", "--role", "analyst", "--password-stdin", given="short\n")
    assert made.exit_code == 1 and "at least 12 characters" in made.output


def test_a_token_for_an_agent_and_the_audit_that_knows_of_it(run):
    assert run("agent", "token").output.startswith("rwe_")
    assert run("audit", "verify").output == "1 entries, 0 faults\n"


def test_a_folder_that_cannot_be_made_is_told_in_two_lines(run, monkeypatch):
    monkeypatch.setenv("RECORDWARDEN_CONSOLE__FOLDER", "/proc/nowhere")
    told = run("user", "list")
    assert told.exit_code == 69 and told.output.count("\n") == 2
