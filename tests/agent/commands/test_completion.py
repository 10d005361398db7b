"""Shells complete commands."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from agent.cli import run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_command(shell, capsys):
    assert run(["completion", shell]) == 0
    assert "_RECORDWARDEN_COMPLETE" in capsys.readouterr().out


def test_completion_completes(monkeypatch):
    environment = {
        "COMP_WORDS": "recordwarden quar",
        "COMP_CWORD": "1",
        "_RECORDWARDEN_COMPLETE": "bash_complete",
    }
    code = "from agent.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["plain,quarantine"]
