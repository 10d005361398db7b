"""`recordwarden request` (agent.commands.request) where nobody takes requests; the rest is in tests/flow."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli import run


def test_without_a_socket_it_says_whom_to_ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text("")
    assert run(["request", "11111111", "--reason", "x", "--config", str(tmp_path / "config.toml")]) == 78
    assert "ask whom the notice names" in capsys.readouterr().err


def test_without_a_service_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(f'[notice]\nrequest_socket = "{tmp_path}/r.sock"\n')
    assert run(["request", "11111111", "--reason", "x", "--config", str(tmp_path / "config.toml")]) != 0
    assert "no service is running" in capsys.readouterr().err
