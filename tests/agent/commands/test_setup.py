"""The first configuration: by options, by questions, again; never half, never over what was there unsaid."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pyrage
import pytest

from agent.cli import run
from config.load import load

KEY = str(pyrage.x25519.Identity.generate().to_public())
SPARE = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def place(tmp_path):
    (tmp_path / "returns").mkdir()
    return tmp_path


def options(place, *more):
    return [
        "setup", "--yes", "--config", str(place / "etc/config.toml"),
        "--alerts-file", str(place / "log/alerts.jsonl"), "--root", f"shared={place}/returns", *more,
    ]  # fmt: skip


def test_options_alone_make_a_configuration_that_holds(place, capsys):
    identity = place / "identity.txt"
    wanted = [
        "--mode",
        "enforce",
        "--new-identity",
        str(identity),
        "--no-shares",
        "--review-by",
        "2027-01-01",
    ]
    assert run(options(place, *wanted, "--contact", 'The "team", 1234')) == 0
    out = capsys.readouterr().out
    settings = load(place / "etc/config.toml")
    assert settings.policy.mode == "enforce" and settings.policy.contact == 'The "team", 1234'
    assert settings.watch.volumes.removable and not settings.watch.volumes.shares
    assert [(r.path, r.zone) for r in settings.watch.roots] == [(place / "returns", "shared")]
    assert identity.stat().st_mode & 0o777 == 0o600 and settings.vault.recipients[0] in identity.read_text()
    assert "AGE-SECRET-KEY" not in out and "must not stay on this machine" in out
    assert "no service is running" in out, "it ends with what doctor says"
    assert (place / "log").is_dir()


def test_again_it_keeps_what_is_set_and_the_former_file(place, capsys):
    target = place / "etc/config.toml"
    assert run(options(place, "--recipient", KEY)) == 0
    first = target.read_text()
    target.write_text("# mine\n" + first + "\n[service]\nstuck_seconds = 7.0\n")
    kept = target.read_text()
    run(["setup", "--yes", "--config", str(target), "--mode", "enforce", "--root", f"local={place}/returns"])
    settings = load(target)
    assert settings.policy.mode == "enforce" and settings.service.stuck_seconds == 7.0
    assert settings.vault.recipients == (KEY,)
    assert [(r.path, r.zone) for r in settings.watch.roots] == [(place / "returns", "local")]
    (former,) = [p for p in target.parent.iterdir() if p != target]
    assert former.read_text() == kept and str(former) in capsys.readouterr().out


def test_as_json_it_says_what_was_written_and_each_check(place, capsys):
    assert run(options(place, "--recipient", KEY, "--json")) == 0
    said, *checks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said == {"config": str(place / "etc/config.toml"), "former": None, "identity_file": None}
    assert {"check", "level", "says", "fix"} == set(checks[0])


@pytest.mark.parametrize(
    ("more", "code", "word"),
    [
        (["--mode", "enforce"], 78, "recipient"),
        (["--recipient", "AGE-SECRET-KEY-1QQQ"], 78, "secret key"),
        (["--recipient", "age1nonsense"], 78, "public key"),
        (["--root", "cellar=/srv"], 2, "zone is one of"),
        (["--root", "/srv"], 2, "shared=/srv/returns"),
        (["--syslog", "https://x"], 2, "tls://"),
        (["--syslog", "tls://host:99999"], 2, "tls://"),
        (["--console", "http://far.example.org"], 78, "https"),
        (["--review-by", "soon"], 78, "review_by"),
        (["--new-identity", "{place}/id.txt", "--review-by", "soon"], 78, "review_by"),
    ],
)
def test_what_does_not_hold_is_told_and_nothing_is_written(place, capsys, more, code, word):
    assert run(options(place, *(m.format(place=place) for m in more))) == code
    assert word in capsys.readouterr().err
    assert [p.name for p in place.iterdir()] == ["returns"]


def test_a_place_that_cannot_be_written_is_told(place, capsys):
    (place / "etc").write_text("in the way")
    assert run(options(place, "--recipient", KEY)) == 77
    assert "--config" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_on_a_terminal_it_asks(place, kind):
    answers = [
        KEY,
        SPARE,
        "",
        "y",
        "n",
        "nowhere",
        str(place / "returns"),
        "website",
        "",
        "udp://127.0.0.1",
        "Room 7",
        "",
        "enforce",
    ]
    ours, theirs = pty.openpty()
    config = ["--config", str(place / "config.toml"), "--alerts-file", str(place / "alerts.jsonl")]
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "agent", "setup", *config],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TERM": kind},
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    out, err = process.communicate(timeout=120)
    os.close(ours)
    assert process.returncode == 0, out + err
    settings = load(place / "config.toml")
    assert settings.policy.mode == "enforce" and settings.policy.contact == "Room 7"
    assert settings.policy.review_by is not None and "nowhere is no folder" in out
    assert settings.watch.volumes.removable and not settings.watch.volumes.shares
    assert settings.watch.roots[0].zone == "website" and settings.vault.recipients == (KEY, SPARE)
    assert settings.alerts.syslog is not None and settings.alerts.syslog.transport == "udp"


def test_at_a_console_it_enrols(place, capsys):
    """One that is not there: the configuration stays, and it is said what to try again."""
    token = place / "token"
    token.write_text("t")
    config = place / "etc/config.toml"
    given = options(place, "--recipient", KEY, "--console", "http://127.0.0.1:1", "--token-file", str(token))
    key = f'[alerts.console]\nurl = "http://127.0.0.1:1"\nkey_file = "{place}/console-key.pem"\n'
    config.parent.mkdir()
    config.write_text(f'state_dir = "{place}/state"\n{key}')
    assert run(given) == 1
    assert "does not answer" in capsys.readouterr().err
    assert load(config).alerts.console is not None
