"""Enrolment at a real console: once, repeatable when an answer was lost, and the key stays here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from certificates import Authority
from click.testing import CliRunner
from console_place import ConsolePlace

from agent.carried import pinned
from agent.cli import run
from agent.commands.enrol import enrol
from agent.destinations import sinks_of
from agent.service import host_id
from agent.sinks.console import ConsoleSink
from config.load import load
from console.bundle import public_key


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ConsolePlace]:
    place = ConsolePlace(tmp_path, Authority(tmp_path))
    yield place
    place.close()


@pytest.fixture
def config(place: ConsolePlace, tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_text(place._authority.pem)
    file = tmp_path / "config.toml"
    file.write_text(
        f'state_dir = "{tmp_path}/state"\n[alerts.console]\nurl = "{place.url}"\n'
        f'ca_file = "{tmp_path}/ca.pem"\nkey_file = "{tmp_path}/agent.pem"\n'
    )
    return file


@pytest.fixture
def try_it(place: ConsolePlace, config: Path, tmp_path: Path) -> Callable[[str], int]:
    def typed(token: str) -> int:
        (tmp_path / "token").write_text(token + "\n")
        return run(["enrol", "--token-file", str(tmp_path / "token"), "--config", str(config)])

    return typed


def test_an_enrolled_machine_delivers(
    try_it: Callable[[str], int], place: ConsolePlace, config: Path, tmp_path: Path
) -> None:
    assert try_it(place.token()) == 0
    assert (tmp_path / "agent.pem").stat().st_mode & 0o777 == 0o600
    assert pinned(tmp_path / "state") == public_key(place.rules)
    sink = ConsoleSink(**sinks_of(load(config).alerts)["console"])
    device = {"uid": host_id(tmp_path / "state"), "hostname": "desk-7"}
    sink.deliver(
        {
            "class_uid": 2006, "time": 1_700_000_000_000, "severity_id": 4, "metadata": {"uid": "id-1:1"},
            "finding_info": {"uid": "id-1", "title": "x"}, "device": device, "unmapped": {},
        }
    )  # fmt: skip
    assert place.counted() == 1


def test_an_answer_that_was_lost_can_be_asked_for_again_and_no_key_is_made_anew(
    try_it: Callable[[str], int], place: ConsolePlace, tmp_path: Path
) -> None:
    token = place.token()
    assert try_it(token) == 0
    key = (tmp_path / "agent.pem").read_bytes()
    assert try_it(token) == 0
    assert (tmp_path / "agent.pem").read_bytes() == key


def test_a_wrong_token_an_old_one_and_a_used_one_enrol_nobody(
    try_it: Callable[[str], int], place: ConsolePlace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert try_it("rwe_made-up") != 0
    assert try_it(place.token(at=1_000_000.0)) != 0
    token = place.token()
    assert try_it(token) == 0
    (tmp_path / "agent.pem").unlink()
    assert try_it(token) != 0
    told = capsys.readouterr()
    assert "token is unknown, used or older" in told.err and token not in told.err + told.out


def test_a_key_that_others_can_read_is_not_used(
    try_it: Callable[[str], int], place: ConsolePlace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert try_it(place.token()) == 0
    (tmp_path / "agent.pem").chmod(0o644)
    assert try_it(place.token()) != 0
    assert "open to others" in capsys.readouterr().err


def test_a_server_with_a_wrong_certificate_learns_no_token(
    try_it: Callable[[str], int], place: ConsolePlace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "ca.pem").write_text(Authority(tmp_path / "other", "somebody else").pem)
    assert try_it(place.token()) != 0
    assert "certificate_refused" in capsys.readouterr().err


def test_without_a_console_there_is_nothing_to_enrol_at(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    assert run(["enrol", "--config", str(tmp_path / "config.toml")]) == 78


def test_the_token_is_asked_for_and_not_shown(place: ConsolePlace, config: Path) -> None:
    token = place.token()
    done = CliRunner().invoke(enrol, ["--config", str(config)], input=token + "\n")
    assert done.exit_code == 0 and token not in done.output
