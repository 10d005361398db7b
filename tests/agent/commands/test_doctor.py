"""The doctor at a real service: all in order, then with something wrong."""

from __future__ import annotations

from agent.cli import run


def test_a_real_service_is_looked_at_in_full(typed, objects, running):
    code, out, _ = typed("doctor")
    found = objects("doctor")
    assert code == (1 if any(c["level"] == "fault" for c in found) else 0)
    assert not [c for c in found if c["level"] == "fault" and c["check"] != "status"]
    assert {c["check"] for c in found} >= {"configuration", "recipients", "roots", "service"}
    for check in found:
        assert set(check) == {"check", "level", "says", "fix"}
        assert check["says"] in out
        assert bool(check["fix"]) == (check["level"] != "ok")


def test_without_a_service_it_says_how_to_start_one(tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text(f'state_dir = "{tmp_path}/state"\n')
    assert run(["doctor", "--config", str(config)]) == 1
    out = capsys.readouterr().out
    assert "no service is running" in out and "systemctl start recordwarden" in out


def test_a_misspelt_key_is_named(tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text("[polcy]\n")
    assert run(["doctor", "--config", str(config), "--json"]) == 1
    assert "polcy" in capsys.readouterr().out
