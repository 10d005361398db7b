"""Each thing that can be wrong with an installation is found and comes with a way to mend it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyrage
import pytest

from agent import checkup
from agent.errors import NotPermitted, NotRunning
from config.load import ConfigError, validate
from config.settings import Protection

STATUS = {
    "started_at": 1_700_000_000.0, "mode": "enforce", "protections": {"missing": {}},
    "sinks": {"file": {"pending": 0, "error": ""}}, "own_disk": [], "roots": [],
}  # fmt: skip


def recipient() -> str:
    return str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def plain(tmp_path, monkeypatch):
    """A configuration with which nothing is wrong, as a dictionary to spoil."""
    monkeypatch.setattr(checkup, "clock_is_set", lambda: True)
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "returns").mkdir()
    return {
        "state_dir": str(tmp_path / "state"),
        "watch": {"roots": [{"path": str(tmp_path / "returns")}]},
        "policy": {"mode": "enforce", "review_by": "2999-01-01"},
        "vault": {"recipients": [recipient(), recipient()], "reserve_mb": 1},
        "alerts": {"file": {"path": str(tmp_path / "alerts.jsonl")}},
    }


def look(plain, status=STATUS, source="config.toml"):
    def ask(settings):
        if isinstance(status, Exception):
            raise status
        return status

    return list(checkup.checks(lambda: validate(plain, source), ask, source))


def wrong(plain, status=STATUS, source="config.toml"):
    """Check and level of what is not well, but for what depends on who runs the tests and where."""
    found = [c for c in look(plain, status, source) if c.level != "ok"]
    assert all(c.fix for c in found), "each comes with a way to mend it"
    return {(c.check, c.level) for c in found if c.check not in ("privileges", "kernel")}


def test_where_all_is_well_nothing_is_said_to_be_wrong(plain):
    assert wrong(plain) == set()
    assert {c.check for c in look(plain)} >= {
        "configuration", "permissions", "recipients", "roots", "room", "clock", "destinations", "policy",
        "service",
    }  # fmt: skip


def spoil(plain, path, value):
    *above, last = path.split(".")
    for key in above:
        plain = plain[key]
    plain[last] = value


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("vault.recipients", [], ("recipients", "fault")),
        ("vault.recipients", ["age1nonsense"], ("recipients", "fault")),
        ("watch.roots", [{"path": "/nowhere/at/all"}], ("roots", "fault")),
        ("watch.roots", [{"path": "/etc/hostname"}], ("roots", "fault")),
        ("watch.roots", [{"path": "/usr"}], ("roots", "warning")),
        ("alerts", {}, ("destinations", "fault")),
        ("policy.review_by", "2001-01-01", ("policy", "fault")),
        ("policy.review_by", None, ("policy", "warning")),
        ("policy.mode", "audit", ("policy", "warning")),
        ("vault.reserve_mb", 10**9, ("room", "fault")),
        ("service", {"courier_user": "nobody-of-that-name"}, ("permissions", "fault")),
    ],
)
def test_what_the_configuration_asks_for_and_is_not_there(plain, path, value, found):
    spoil(plain, path, value)
    assert found in wrong(plain)


def test_one_key_alone_is_a_risk(plain):
    plain["vault"]["recipients"] = [recipient()]
    assert wrong(plain) == {("recipients", "warning")}


def test_a_wrong_configuration_is_all_that_is_said():
    def load():
        raise ConfigError.about("config.toml", "polcy", "is not a key", "did you mean policy?")

    (check,) = checkup.checks(load, lambda settings: STATUS, "config.toml")
    assert (check.check, check.level) == ("configuration", "fault") and "polcy" in check.says


def test_modes_that_let_others_in(plain, tmp_path):
    source = tmp_path / "config.toml"
    source.write_text("")
    source.chmod(0o666)
    os.chmod(plain["state_dir"], 0o755)
    found = [c for c in look(plain, source=str(source)) if c.level == "fault"]
    assert [c.fix for c in found] == [f"chmod go-w {source}", f"chmod 700 {plain['state_dir']}"]


def test_a_clock_behind_its_own_audit_log(plain):
    log = Path(plain["state_dir"]) / "audit.jsonl"
    log.write_text(json.dumps({"time": 32_000_000_000.0}) + "\n")
    assert ("clock", "fault") in wrong(plain)


def test_a_clock_that_nothing_keeps_in_step(plain, monkeypatch):
    monkeypatch.setattr(checkup, "clock_is_set", lambda: False)
    assert wrong(plain) == {("clock", "warning")}


def test_a_folder_that_hangs_holds_up_nobody(plain, monkeypatch, tmp_path):
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setattr(checkup, "_PROBE", slow)
    monkeypatch.setattr(checkup, "_PROBE_SECONDS", 0.2)
    (hung,) = [c for c in look(plain) if c.check == "roots"]
    assert hung.level == "fault" and "does not answer" in hung.says


@pytest.mark.parametrize(
    "problem", [NotRunning("no service", "start it"), NotPermitted("not you", "as root")]
)
def test_a_service_that_cannot_be_asked(plain, problem):
    assert wrong(plain, problem) == {("service", "fault")}


@pytest.mark.parametrize("compulsory", [True, False])
def test_a_missing_protection_is_a_fault_where_it_is_compulsory(plain, compulsory):
    plain["service"] = {"require": ["landlock"] if compulsory else []}
    status = {**STATUS, "protections": {"missing": {"landlock": "the kernel has\x1b none"}}}
    (check,) = [c for c in look(plain, status) if c.check == "protections"]
    assert check.level == ("fault" if compulsory else "warning")
    assert check.fix == checkup.FIXES["landlock"] and "\x1b" not in check.says


def test_every_protection_has_a_way_to_get_it():
    assert set(checkup.FIXES) == set(Protection)


def test_a_destination_that_does_not_answer_and_a_plain_disk(plain):
    disk = {"mount_point": "/", "encryption_proof": ""}
    status = {**STATUS, "sinks": {"syslog": {"pending": 3, "error": "ECONNREFUSED"}}, "own_disk": [disk]}
    assert wrong(plain, status) == {("destinations", "fault"), ("own disk", "warning")}


def test_a_drive_that_cannot_be_held_is_named(plain):
    drives = [{"path": "/media/a", "hold": "held"}, {"path": "/media/b", "hold": "no questions (EINVAL)"}]
    assert wrong(plain, {**STATUS, "roots": drives}) == {("hold", "warning")}


def test_the_kernel_tells_whether_its_clock_is_set():
    assert checkup.clock_is_set() in (True, False)


@pytest.mark.parametrize(
    ("modules", "level"), [("capability,landlock,yama", "ok"), ("capability", "warning")]
)
def test_a_kernel_without_landlock_is_told(plain, monkeypatch, tmp_path, modules, level):
    (tmp_path / "lsm").write_text(modules)
    monkeypatch.setattr(checkup, "_MODULES", tmp_path / "lsm")
    assert [c.level for c in look(plain) if c.check == "kernel"] == [level]


@pytest.mark.root
def test_a_secret_that_others_can_read_is_found(plain, tmp_path):
    token = tmp_path / "token"
    token.write_text("made-up-and-secret")
    token.chmod(0o644)
    plain["alerts"]["splunk"] = {"url": "https://splunk.example", "token_file": str(token)}
    [found] = [c for c in look(plain) if c.check == "destinations" and c.level == "fault"]
    assert "alerts.splunk.token_file" in found.says and "chmod 600" in found.fix
    assert "made-up-and-secret" not in str(found)
