"""Whatever shares the register is signed, handed in and ended alike."""

from __future__ import annotations

from importlib import import_module

import pytest

from agent.cli import run
from agent.statements import GROUPS, Revocation, as_text, seal


@pytest.mark.parametrize(("kind", "group"), GROUPS.items())
def test_each_group_has_the_commands_of_the_register(kind, group):
    commands = getattr(import_module(f"agent.commands.{group}"), group).commands
    assert {"approve", "add", "list", "revoke", "import"} <= set(commands)
    for name in ("approve", "revoke"):
        assert kind in (commands[name].help or "")


@pytest.mark.parametrize(("kind", "group"), GROUPS.items())
def test_a_paper_of_another_kind_is_neither_signed_nor_handed_in(
    typed, agreed, tmp_path, capsys, kind, group
):
    other = agreed.exception(1e9, content=("ab" * 32,)) if kind != "exception" else agreed(1e9, roots=("/x",))
    file = tmp_path / "other.json"
    file.write_text(as_text(other))
    key = str(agreed.owner.key_file(tmp_path))
    capsys.readouterr()
    assert run([group, "approve", str(file), "--key", key, "--yes"]) == 2
    assert f"not {kind}" in capsys.readouterr().err
    code, _, err = typed(group, "add", str(file))
    assert code == 2 and f"not {kind}" in err
    assert file.read_text() == as_text(other)


@pytest.mark.parametrize("group", GROUPS.values())
def test_a_revocation_is_signed_in_each(agreed, tmp_path, group):
    file = tmp_path / "end.json"
    file.write_text(as_text(seal(Revocation("DAA-1", "0" * 64, "over", 1))))
    key = str(agreed.owner.key_file(tmp_path))
    assert run([group, "approve", str(file), "--key", key, "--yes"]) == 0
    assert "keyid" in file.read_text()
