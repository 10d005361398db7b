"""`run` refuses to start on a wrong configuration, and says which key of which file."""

from __future__ import annotations

import pytest

from agent.cli import run


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[policy]\nmoed = 'enforce'", "policy.moed"),
        ("[policy]\nmode = 'enforce'", "vault.recipients"),
        ("[detectors.no_such]\nweight = 1", "detectors.no_such"),
        ("[alerts.file]\npath = '/nowhere/at/all'", "alerts.file.path"),
    ],
)
def test_a_wrong_configuration_never_starts(tmp_path, capsys, text, key):
    file = tmp_path / "config.toml"
    file.write_text(f'state_dir = "{tmp_path}/state"\n{text}\n')
    assert run(["run", "--config", str(file)]) == 78
    said = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
    assert len(said) == 1 and said[0].startswith(f"recordwarden: error: {file}: {key}: ")
