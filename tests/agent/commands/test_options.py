"""Every command that reads the configuration takes `--config`, every one that lists takes `--json`."""

from __future__ import annotations

import click
import pytest

from agent.cli import COMMANDS, program
from agent.commands import options

WITHOUT_CONFIG = {"keys new", "demo", "completion", "config schema"}
WITHOUT_JSON = {"run", "demo", "completion", "config schema", "audit export"}


def _all() -> list[tuple[str, click.Command]]:
    context = click.Context(program)
    found = []
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", inner) for sub, inner in command.commands.items()]
        else:
            found.append((name, command))
    return found


@pytest.mark.parametrize(("name", "command"), _all(), ids=[name for name, _ in _all()])
def test_shared_options_are_where_they_belong(name, command):
    names = {parameter.name for parameter in command.params}
    assert ("config_file" in names) is (name not in WITHOUT_CONFIG)
    assert ("as_json" in names) is (name not in WITHOUT_JSON)
    assert command.help


def test_the_decorators_leave_the_function_usable():
    assert options.with_json(options.with_config(lambda: 7))() == 7
